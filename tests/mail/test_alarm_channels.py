"""A file and another relay, as ways by which an alarm is heard."""

import json
import logging
import os
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.mail.alarm import AlarmChannel, AlarmError, Notice
from formwarden.mail.alarm_channels import SAME_STREAM, AlarmFile, channels_for
from formwarden.mail.alarm_words import subject_of, text_of
from formwarden.settings import Settings
from formwarden.stores.ports import Alarm
from tests.clock import MovableClock
from tests.servers.smtp import SmtpPeer

pytestmark = pytest.mark.anyio
DOMAIN = "bow-makers.jp"
ALARMS = (
    Alarm(id=7, kind="breaker", text="google: too many replies failed", at=1_790_000_000.0),
    Alarm(id=8, kind="breaker", text="yahoo_jp: too many replies failed", at=1_790_000_060.0),
)
NOTICE = Notice(
    kind="breaker",
    site=DOMAIN,
    subject=subject_of("breaker", DOMAIN, 2),
    text=text_of("breaker", ALARMS),
    alarms=ALARMS,
)


def channels(faults: Faults | None = None, **values: object) -> tuple[AlarmChannel, ...]:
    """Make what these settings name."""
    clock = MovableClock()
    settings = Settings.only(site_domain=DOMAIN, **values)
    return channels_for(
        settings.alarms,
        site=settings.site,
        mail=settings.mail,
        clock=clock,
        entropy=system_entropy,
        faults=faults or Faults(clock),
    )


def test_nothing_set_is_no_channel() -> None:
    assert channels() == ()


def test_everything_set_is_three_channels(tmp_path: Path) -> None:
    made = channels(
        alarm_file=str(tmp_path / "alarms"),
        alarm_webhook_url="https://hooks.example.com/x",
        alarm_webhook_key="k" * 40,
        alarm_smtp_url="smtp://relay.example",
        alarm_address="owner@home.example",
    )
    assert [each.name for each in made] == ["file", "webhook", "relay"]


# ------------------------------------------------------------------------------------------------- a file
async def test_a_file_gets_one_line_for_each_alarm_and_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "alarms"
    (file,) = channels(alarm_file=str(path))
    await file.tell(NOTICE)
    await file.tell(NOTICE)
    lines = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    assert [line["id"] for line in lines] == [7, 8, 7, 8]
    assert lines[0] == {
        "id": 7,
        "kind": "breaker",
        "site": DOMAIN,
        "at": 1_790_000_000.0,
        "text": "google: too many replies failed",
    }
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    for path, why in (
        (Path("/dev/full"), "No space left"),
        (tmp_path, "directory"),
        (tmp_path / "gone" / "alarms", "No such file"),
        (fifo, "No such device"),  # nobody reads: it must not wait for somebody who does
    ):
        with pytest.raises(AlarmError, match=why):
            await AlarmFile(path).tell(NOTICE)


# ------------------------------------------------------------------------------------------------- a relay
async def test_another_relay_carries_it_to_every_address() -> None:
    with SmtpPeer() as peer:
        (relay,) = channels(alarm_smtp_url=peer.url, alarm_address="owner@home.example, second@home.example")
        await relay.tell(NOTICE)
        mails = await peer.arrived(2)
    assert sorted(mail.rcpt_tos for mail in mails) == [("owner@home.example",), ("second@home.example",)]
    message = message_from_bytes(mails[0].data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == NOTICE.subject
    assert message["Auto-Submitted"] == "auto-generated"
    assert mails[0].mail_from == f"noreply@{DOMAIN}"
    assert str(message.get_content()).replace("\r\n", "\n") == NOTICE.text


async def test_the_staff_hears_it_where_nobody_else_is_named() -> None:
    with SmtpPeer() as peer:
        (relay,) = channels(alarm_smtp_url=peer.url, staff_address=f"staff@{DOMAIN}")
        await relay.tell(NOTICE)
        (mail,) = await peer.arrived(1)
    assert mail.rcpt_tos == (f"staff@{DOMAIN}",)


async def test_one_address_that_took_it_is_enough_and_none_is_not() -> None:
    with SmtpPeer() as peer:
        (relay,) = channels(alarm_smtp_url=peer.url, alarm_address="owner@home.example, gone@home.example")
        peer.refuse_at("rcpt", "550 5.1.1 no such user", recipient="gone@home.example")
        await relay.tell(NOTICE)
        peer.behave()
        peer.refuse_at("mail", "451 4.3.0 later")
        with pytest.raises(AlarmError, match=r"4\.3\.0 later"):
            await relay.tell(NOTICE)
        peer.refuse_connections()
        with pytest.raises(AlarmError, match="connect"):
            await relay.tell(NOTICE)


async def test_the_relay_of_all_other_mail_is_no_second_way_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = Faults(MovableClock())
    with caplog.at_level(logging.WARNING):
        channels(
            faults,
            smtp_url="smtp://user:pw@relay.example:587",
            alarm_smtp_url="smtp://other:pw@relay.example",  # with a user, 587 is the port
            alarm_address="owner@home.example",
        )
    assert SAME_STREAM in caplog.text
    assert faults.of("alarms") == 1
    channels(
        faults,
        smtp_url="smtp://relay.example",
        alarm_smtp_url="smtp://other.example",
        alarm_address="owner@home.example",
    )
    assert faults.of("alarms") == 1


async def test_a_mail_that_cannot_be_written_is_said() -> None:
    clock = MovableClock()
    settings = Settings.only(
        mail_from="no address", alarm_smtp_url="smtp://127.0.0.1:1", alarm_address="o@home.example"
    )
    (relay,) = channels_for(
        settings.alarms,
        site=settings.site,
        mail=settings.mail,
        clock=clock,
        entropy=system_entropy,
        faults=Faults(clock),
    )
    with pytest.raises(AlarmError, match="FORMWARDEN_MAIL_FROM"):
        await relay.tell(NOTICE)
