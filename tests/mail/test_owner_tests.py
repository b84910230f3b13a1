"""The owner's own test works (G26)."""

from collections import Counter

import pytest

from tests.clock import MovableClock
from tests.mail.desks import Desk
from tests.mail.gate_samples import memory, report, tight, verdict

ME = "me@example.org"  # below the site's own domain


@pytest.mark.anyio
@pytest.mark.parametrize("address", [ME, "office@example.org"])
async def test_g26_the_staff_and_the_owner_s_test_addresses_skip_rows_7_and_14_and_have_ten_a_day(
    address: str, clock: MovableClock
) -> None:
    settings = tight(owner_test_addresses=(ME,), owner_tests_per_day=10, address_per_day_form=1)
    desk = Desk(store=memory(clock), clock=clock, settings=settings)
    tests = [verdict(address, lineage=b"one page", report=report(address)) for _ in range(11)]
    assert Counter([await desk.accept(each) for each in tests]) == {"OK": 10, "DUP_24H": 1}
    clock.move(86_401.0)
    assert await desk.accept(verdict(address, report=report(address))) == "OK"


@pytest.mark.anyio
async def test_g26_nobody_else_below_the_own_domain_is_answered(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(owner_test_addresses=(ME,)))
    other = "you@example.org"
    assert await desk.accept(verdict(other, report=report(other))) == "OWN_DOMAIN"
