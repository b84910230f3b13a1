import argparse
import json
from datetime import UTC, datetime, timedelta

import pytest

from formwarden.cli import main
from formwarden.cli.lists import run
from formwarden.data import MAX_AGE, listings
from tests.clock import MovableClock


def at(age: timedelta) -> MovableClock:
    """Return a clock that stands this long after the oldest file was checked."""
    oldest = min(each.checked for each in listings())
    return MovableClock((datetime(oldest.year, oldest.month, oldest.day, 12, tzinfo=UTC) + age).timestamp())


def test_every_list_is_shown_with_its_date_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argparse.Namespace(json=False), at(timedelta())) == 0
    out = capsys.readouterr().out

    for each in listings():
        assert f"{each.name} " in out
        assert str(each.checked) in out
    assert "disposable" in out
    assert "STALE" not in out


def test_a_list_that_nobody_looked_at_for_long_is_stale_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argparse.Namespace(json=False), at(MAX_AGE)) == 0
    assert run(argparse.Namespace(json=False), at(MAX_AGE + timedelta(days=1))) == 1
    assert "STALE: upgrade formwarden" in capsys.readouterr().out


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argparse.Namespace(json=True), at(MAX_AGE * 2)) == 1
    table = json.loads(capsys.readouterr().out)

    assert [row["name"] for row in table["lists"]] == [each.name for each in listings()]
    assert {row["stale"] for row in table["lists"]} == {True}
    assert set(table["disposable"]) == {"version", "names"}


def test_the_command_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lists"]) in {0, 1}
    assert "popular" in capsys.readouterr().out
