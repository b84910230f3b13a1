"""`formwarden reply` turns the switch that every process sees (G18)."""

import argparse
from pathlib import Path

import anyio
import pytest

from formwarden.cli import reply
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from formwarden.settings import Settings
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Store


def turn(switch: str, settings: Settings) -> int:
    parser = argparse.ArgumentParser()
    reply.add_parser(parser.add_subparsers())
    return reply.run(parser.parse_args(["reply", switch]), settings)


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
    assert capsys.readouterr().out.splitlines()[-1] == f"auto-replies are off ({path})"


def test_a_setting_that_stops_replies_is_said(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    url = settings.stores.store_url.get_secret_value()
    turn("status", Settings.only(store_url=url, replies=False))
    assert capsys.readouterr().out.splitlines()[-1] == "none leaves all the same: code replies is off"


@pytest.mark.parametrize("switch", ["on", "off", "status"])
def test_a_switch_where_no_site_looks_is_refused(tmp_path: Path, switch: str) -> None:
    with pytest.raises(SettingsError, match="run this in the site's working directory"):
        turn(switch, Settings.only(store_url=f"sqlite:///{tmp_path}/none.db"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SettingsError, match="site's own process"):
        turn(switch, Settings.only(store_url="memory://"))
