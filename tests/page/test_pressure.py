"""How much work the next page demands."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from formwarden.page.effort import LEVELS
from formwarden.page.pressure import KEPT, NETWORKS, WINDOW_S, Pressure
from tests.clock import MovableClock


def told(pressure: Pressure, bots: Iterable[bool], network: bytes | None = b"a", form: str = "contact") -> Pressure:
    for bot in bots:
        pressure.note(form, network, bot=bot)
    return pressure


def test_g34_nothing_is_demanded_in_calm_times(clock: MovableClock) -> None:
    pressure = told(Pressure(clock), [False] * 50 + [True] * 2)
    assert pressure.level("contact", b"a") == 0
    assert pressure.level("other", b"never seen") == 0
    assert pressure.level("contact", None) == 0


def test_g34_the_network_is_asked_before_the_form_is(clock: MovableClock) -> None:
    pressure = told(Pressure(clock), [True] * 3)
    assert pressure.level("contact", b"a") == 1
    assert pressure.level("contact", b"b") == 0  # a neighbour's page stays free
    told(pressure, [True] * 12)
    assert (pressure.level("contact", b"a"), pressure.level("contact", b"b")) == (4, 0)
    told(pressure, [True] * 50)
    assert (pressure.level("contact", b"a"), pressure.level("contact", b"b")) == (LEVELS, 4)
    assert pressure.level("other", b"b") == 0  # another form stays free


def test_many_addresses_raise_the_form(clock: MovableClock) -> None:
    pressure = Pressure(clock)
    for number in range(200):
        pressure.note("contact", number.to_bytes(4, "big"), bot=True)
    assert pressure.level("contact", b"another") >= 4
    assert pressure.level("contact", None) >= 4


def test_people_among_the_bots_lower_it(clock: MovableClock) -> None:
    level = told(Pressure(clock), [True] * 20).level("contact", b"a")
    assert told(Pressure(clock), [True] * 20 + [False] * 20).level("contact", b"a") < level


def test_the_window_slides_and_a_stepped_wall_clock_moves_nothing(clock: MovableClock) -> None:
    pressure = told(Pressure(clock), [True] * 20)
    clock.step(86_400)
    assert pressure.level("contact", b"a") > 0
    clock.move(WINDOW_S)
    assert pressure.level("contact", b"a") == 0


def test_invented_networks_do_not_fill_the_memory(clock: MovableClock) -> None:
    pressure = told(Pressure(clock), [True] * 20, network=b"a", form="first")
    for number in range(NETWORKS):
        pressure.note("second", number.to_bytes(4, "big"), bot=False)
    assert pressure.level("second", b"a") == 0  # the one not seen longest was forgotten


def test_a_flood_counts_its_last_verdicts(clock: MovableClock) -> None:
    pressure = told(Pressure(clock), [True] * 2_000)
    told(pressure, [False] * KEPT)
    assert pressure.level("contact", b"a") == 0


@given(st.lists(st.booleans(), max_size=60))
def test_the_level_stays_within_its_bounds_and_a_bot_more_never_lowers_it(bots: list[bool]) -> None:
    pressure = told(Pressure(MovableClock()), bots)
    before = pressure.level("contact", b"a")
    after = told(pressure, [True]).level("contact", b"a")
    assert 0 <= before <= after <= LEVELS
