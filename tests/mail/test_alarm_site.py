"""A whole site whose replies come back: it stops, and its owner hears of it by another way than mail."""

from pathlib import Path

import pytest

from formwarden.errors import SettingsError
from tests.mail.measured import Replied
from tests.servers.hook import HookServer
from tests.servers.smtp import SmtpPeer
from tests.sites import Site

pytestmark = pytest.mark.anyio


async def test_the_owner_hears_of_an_open_breaker_by_webhook_and_never_through_the_replies_relay(
    tmp_path: Path,
) -> None:
    async with HookServer() as hook:
        site = Site(tmp_path, settings={"alarm_webhook_url": hook.url, "alarm_webhook_local": True})
        await Replied(site.store).grant(10, failed=10)
        await site.warden.work_once()
        await site.warden.work_once()
        await site.warden.aclose()
        (posted,) = hook.requests
    assert posted.json["kind"] == "breaker"
    assert "google" in str(posted.json["text"])
    assert site.sender.mails == []
    assert await site.store.measures.untold() == 0


async def test_a_receiver_that_is_down_is_told_when_it_is_back(tmp_path: Path) -> None:
    hook = HookServer()
    async with hook:
        pass
    site = Site(tmp_path, settings={"alarm_webhook_url": hook.url, "alarm_webhook_local": True})
    await Replied(site.store).grant(10, failed=10)
    await site.warden.work_once()
    assert await site.store.measures.untold() == 2  # of Gmail, and of the site with it
    assert site.warden.faults.of("alarm by webhook") == 1
    site.clock.move(301)
    async with hook:
        await site.warden.work_once()
        assert len(hook.requests) == 1
    assert await site.store.measures.untold() == 0
    await site.warden.aclose()


async def test_another_relay_hears_it_and_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "alarms"
    with SmtpPeer() as peer:
        site = Site(tmp_path, settings={"alarm_smtp_url": peer.url, "alarm_file": str(path)})
        await Replied(site.store).grant(10, failed=10)
        await site.warden.work_once()
        await site.warden.aclose()
        (mail,) = await peer.arrived(1)
    assert b"auto-replies are stopped" in mail.data
    assert len(path.read_text(encoding="ascii").splitlines()) == 2


async def test_a_channel_that_cannot_work_is_said_when_the_site_is_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="alarm_webhook_local"):
        Site(tmp_path, settings={"alarm_webhook_url": "http://127.0.0.1:1/x"})
