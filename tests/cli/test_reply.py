"""`formwarden reply` turns the switch that every process sees (G18)."""

import argparse
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from formwarden.cli import reply
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from formwarden.mail.growing import NEXT_STEP
from formwarden.settings import Settings
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Growth, Store
from formwarden.subjects import Subjects
from tests.mail.measured import SITE, Replied

T = TypeVar("T")


def turn(switch: str, settings: Settings, *more: str) -> int:
    parser = argparse.ArgumentParser()
    reply.add_parser(parser.add_subparsers())
    return reply.run(parser.parse_args(["reply", switch, *more]), settings)


def opened(settings: Settings) -> Store:
    """Open the store as the site does, in a process of its own as far as the store can tell."""
    clock = SystemClock()
    url = settings.stores.store_url.get_secret_value()
    return open_store(url, clock=clock, entropy=system_entropy, settings=settings.stores, faults=Faults(clock))


async def ask(settings: Settings) -> bool:
    store = opened(settings)
    try:
        return (await store.ledger.reputation(())).replies_off
    finally:
        await store.aclose()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a site that has run before."""
    made = Settings.only(store_url=f"sqlite:///{tmp_path}/site.db")
    anyio.run(ask, made)
    return made


def test_g18_off_is_seen_by_the_site_and_on_lifts_it(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert turn("off", settings) == 0
    assert anyio.run(ask, settings) is True
    assert turn("off", settings) == 0
    assert turn("on", settings) == 0
    assert anyio.run(ask, settings) is False
    said = [line.partition(" (")[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["auto-replies are off", "auto-replies are off", "auto-replies are on"]


def test_g18_a_site_that_runs_sees_the_switch_at_once(settings: Settings) -> None:
    async def run_beside() -> tuple[bool, bool]:
        store = opened(settings)
        try:
            before = (await store.ledger.reputation(())).replies_off
            await anyio.to_thread.run_sync(turn, "off", settings)
            return before, (await store.ledger.reputation(())).replies_off
        finally:
            await store.aclose()

    assert anyio.run(run_beside) == (False, True)


def test_status_changes_nothing_and_names_the_store(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    turn("off", settings)
    turn("status", settings)
    path = settings.stores.store_url.get_secret_value().removeprefix("sqlite:///")
    assert capsys.readouterr().out.splitlines()[:2] == [f"auto-replies are off ({path})"] * 2


def test_a_setting_that_stops_replies_is_said(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    url = settings.stores.store_url.get_secret_value()
    turn("status", Settings.only(store_url=url, replies=False))
    assert capsys.readouterr().out.splitlines()[1] == "none leaves all the same: code replies is off"


@pytest.mark.parametrize("switch", ["on", "off", "status", "real"])
def test_a_switch_where_no_site_looks_is_refused(tmp_path: Path, switch: str) -> None:
    with pytest.raises(SettingsError, match="run this in the site's working directory"):
        turn(switch, Settings.only(store_url=f"sqlite:///{tmp_path}/none.db"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SettingsError, match="site's own process"):
        turn(switch, Settings.only(store_url="memory://"))


# ------------------------------------------------------------------------------------- what limits them
def with_store(settings: Settings, ask: Callable[[Store], Awaitable[T]]) -> T:
    """Do something to the store, as the site would."""

    async def asking() -> T:
        store = opened(settings)
        try:
            return await ask(store)
        finally:
            await store.aclose()

    return anyio.run(asking)


async def suspect(store: Store) -> None:
    """Let a drip be suspected."""
    now = SystemClock().now()
    growth = Growth(cap=98, day=int(now // 86_400) - 1, drip_cap=7, drip_at=now - 3 * 86_400 - 60)
    assert await store.measures.grow(growth, after=None, alarm="40 new addresses in 7 days")


async def fail(store: Store) -> None:
    """Let replies to Gmail, and to a small provider, come back."""
    await Replied(store).grant(10, failed=10)
    assert await store.measures.close(SITE)  # else nothing would leave to the other one
    key = Subjects(await store.recipient_keys()).keys("provider", "small.example")[0]
    await Replied(store, first=100).grant(10, label="", provider=key, failed=10)


def test_status_of_a_fresh_site_names_figures_growth_and_the_next_step(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert turn("status", settings) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:])
    assert lines["figures"] == "5 a minute, 5 an hour, 20 a day for the whole site"
    assert lines["today"] == "0 granted of 0 wanted (UTC); known outcomes 0, failed 0"
    assert lines["growth"] == "50 a day by now, from 50 up to 200 by clean days"
    assert lines["feedback"] == f"none: {NEXT_STEP}"
    assert lines["drip"] == "none suspected: 0 new addresses in 7 days, too young to compare"
    assert lines["breakers"] == "all closed"
    assert lines["alarms"].startswith("0 not told yet; the log alone hears them")


def test_status_shows_what_holds_replies_back(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with_store(settings, suspect)
    with_store(settings, fail)
    url = settings.stores.store_url.get_secret_value()
    turn("status", Settings.only(store_url=url, alarm_file="alarms.jsonl"))
    out = capsys.readouterr().out
    assert "figures    5 a minute, 7 an hour, 7 a day for the whole site" in out
    assert "growth     98 a day by now" in out
    assert "suspected for 3 d, so at most 7 a day" in out
    assert "breaker    google: too many failed; until 2" in out
    assert "told by log, file" in out


def test_status_as_json_says_the_same(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with_store(settings, suspect)
    with_store(settings, fail)
    turn("status", settings, "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["off"] is False
    assert said["figures"]["day"] == 7
    assert said["growth"]["cap"] == 98
    assert said["drip"] is True
    assert said["feedback_seen"] is True
    assert said["next_step"] is None
    assert {each["name"] for each in said["breakers"]} >= {"google"}
    assert said["alarms_untold"] >= 3
    assert said["alarm_channels"] == ["log"]


@pytest.mark.parametrize("group", ["google", "Google", "small.example"])
def test_g08_a_breaker_is_closed_by_name_or_by_domain(
    settings: Settings, capsys: pytest.CaptureFixture[str], group: str
) -> None:
    with_store(settings, fail)
    before = with_store(settings, lambda store: store.measures.breakers())
    assert turn("close", settings, group) == 0
    after = with_store(settings, lambda store: store.measures.breakers())
    (closed,) = {each.subject for each in before} - {each.subject for each in after}
    assert next(each.label for each in before if each.subject == closed) == ("" if "." in group else "google")
    assert "replies may leave there again" in capsys.readouterr().out
    assert turn("close", settings, group) == 1
    assert f"no breaker {group}: not closed are: " in capsys.readouterr().out


def test_g08_all_breakers_are_closed_at_once_and_one_by_its_key(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with_store(settings, fail)
    small = next(each for each in with_store(settings, lambda store: store.measures.breakers()) if not each.label)
    assert turn("close", settings, small.subject.hex()[:7]) == 1
    assert turn("close", settings, small.subject.hex()[:10]) == 0
    assert turn("close", settings, "all") == 0
    assert with_store(settings, lambda store: store.measures.breakers()) == ()
    assert turn("close", settings, "all") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "no breaker all: all are closed"


def test_g10_real_ends_the_hold_of_a_drip(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert turn("real", settings) == 1
    assert "nothing was changed" in capsys.readouterr().out
    with_store(settings, suspect)
    assert turn("real", settings) == 0
    assert "taken for real people" in capsys.readouterr().out
    growth = with_store(settings, lambda store: store.measures.measure(0))[2]
    assert growth is not None
    assert (growth.cap, growth.drip_cap) == (98, None)
    assert turn("real", settings) == 1
