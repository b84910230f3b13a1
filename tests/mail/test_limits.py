"""How replies are limited right now, taken together."""

import json

import pytest

from formwarden.mail.figures import Figures
from formwarden.mail.limits import as_plain, figures_now, name_of, read_limits
from formwarden.mail.settings import Mail
from formwarden.stores.ports import Breaker, Growth, Key, Shut
from tests.clock import MovableClock
from tests.mail.measured import DAY_S, NOON, Replied, opened

GROWN = Growth(cap=140, day=20_000)


@pytest.mark.parametrize(
    ("growth", "proven", "figures"),
    [
        (None, True, Figures(minute=5, hour=15, day=50)),
        (None, False, Figures(minute=5, hour=5, day=20)),
        (GROWN, True, Figures(minute=7, hour=28, day=140)),
        (GROWN, False, Figures(minute=5, hour=5, day=20)),
        (Growth(cap=140, day=20_000, drip_cap=7), True, Figures(minute=7, hour=7, day=7)),
        (Growth(cap=140, day=20_000, drip_cap=7), False, Figures(minute=5, hour=5, day=7)),
    ],
)
def test_the_narrowest_figure_is_the_one_that_is_told(
    growth: Growth | None, figures: Figures, *, proven: bool
) -> None:
    assert figures_now(Mail(), growth, proven=proven) == figures


@pytest.mark.anyio
async def test_what_stands_in_the_store_is_read_at_one_go() -> None:
    clock = MovableClock(NOON)
    store = opened(clock)
    await Replied(store).grant(3)
    clock.move(DAY_S)
    await Replied(store, first=100).grant(10, failed=10)
    limits = await read_limits(store, Mail(), clock)
    assert (limits.yesterday.granted, limits.today.hard) == (3, 5.0)  # after five the breaker was open
    assert (limits.proven, limits.off, limits.dripping, limits.weekly) == (True, False, False, None)
    assert {each.label for each in limits.breakers} == {"google", "site"}
    assert limits.untold == 2
    assert json.loads(json.dumps(as_plain(limits)))["next_step"] is None
    assert as_plain(limits)["growth"] is None


def test_a_breaker_without_a_name_is_called_by_its_key() -> None:
    subject = Key(b"\x01\xab\xcd\xef\x01" + bytes(12))
    nameless = Breaker(subject=subject, cause="ratio", label="", shut=Shut.OPEN, opened_at=NOON, until=None)
    assert name_of(nameless) == "01abcdef01"
