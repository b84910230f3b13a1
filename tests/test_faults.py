import logging

import pytest

from formwarden.faults import WHY_LIMIT, Faults, bug
from tests.clock import MovableClock


def test_a_failure_is_counted_by_name_with_its_last_cause_and_time(clock: MovableClock) -> None:
    faults = Faults(clock)
    faults.count("relay", "timed out")
    clock.move(10)
    faults.count("relay", "refused")

    (fault,) = faults.all()
    assert (fault.what, fault.count, fault.why, fault.last_at) == ("relay", 2, "refused", clock.now())
    assert faults.of("relay") == 2


def test_what_never_failed_is_zero(clock: MovableClock) -> None:
    assert Faults(clock).of("relay") == 0
    assert Faults(clock).all() == ()


def test_the_latest_failure_stands_first(clock: MovableClock) -> None:
    faults = Faults(clock)
    for what in ("a", "b", "a"):
        clock.move(1)
        faults.count(what, "")
    assert [fault.what for fault in faults.all()] == ["a", "b"]


def test_a_failure_is_logged_and_cut(clock: MovableClock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="formwarden"):
        Faults(clock).count("store", "x" * 10_000)
    (record,) = caplog.records
    assert len(record.getMessage()) < WHY_LIMIT + 20
    assert record.levelno == logging.WARNING


def test_what_goes_wrong_with_every_request_is_counted_each_time_and_logged_once(
    clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    faults = Faults(clock)
    for why in ("undeclared", "undeclared", "another cause", "undeclared"):
        clock.move(1)
        faults.remark("proxy", why)
    (fault,) = faults.all()
    assert (fault.count, fault.why, fault.last_at) == (4, "undeclared", clock.now())
    assert [record.getMessage() for record in caplog.records] == ["proxy: undeclared", "proxy: another cause"]


def test_a_cause_with_percent_signs_is_logged_as_it_is(clock: MovableClock, caplog: pytest.LogCaptureFixture) -> None:
    Faults(clock).count("store", "100 %s full %d")
    assert "100 %s full %d" in caplog.text


def test_of_a_bug_the_kind_and_the_place_are_told_and_not_its_words() -> None:
    def breaks() -> None:
        raise KeyError("taro@example.jp")

    with pytest.raises(KeyError) as raised:
        breaks()
    told = bug(raised.value)
    assert told.startswith("KeyError at test_faults.py:")
    assert told.endswith("(breaks)")
    assert "taro" not in told


def test_a_bug_that_was_never_raised_has_no_place() -> None:
    assert bug(ValueError("x")) == "ValueError"
