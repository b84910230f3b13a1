from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from formwarden.address.caps import KEYS, WINDOW_S, UniqueNames
from tests.clock import MovableClock


def test_a_key_has_its_share_of_names_and_each_is_free_the_second_time(clock: MovableClock) -> None:
    names = UniqueNames[str](clock, 3)

    assert [names.take("victim.com", f"{number}.victim.com") for number in range(5)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert names.take("victim.com", "0.victim.com")
    assert names.take("other.com", "0.other.com")


def test_the_window_slides(clock: MovableClock) -> None:
    names = UniqueNames[str](clock, 1)
    assert names.take("victim.com", "a")
    clock.move(WINDOW_S - 1)
    assert not names.take("victim.com", "b")
    clock.move(1)
    assert names.take("victim.com", "b")


def test_who_is_refused_does_not_wait_longer_for_it(clock: MovableClock) -> None:
    names = UniqueNames[str](clock, 1)
    assert names.take("victim.com", "a")
    for _ in range(59):
        clock.move(10)
        assert not names.take("victim.com", "b")
    clock.move(10)
    assert names.take("victim.com", "b")


@given(asked=st.lists(st.tuples(st.integers(0, 9), st.floats(0, 400)), max_size=60))
def test_in_no_window_are_more_names_than_the_share(asked: list[tuple[int, float]]) -> None:
    clock = MovableClock()
    names, granted = UniqueNames[str](clock, 3), list[tuple[float, str]]()
    for number, wait_s in asked:
        clock.move(wait_s)
        if names.take("victim.com", str(number)):
            granted.append((clock.monotonic(), str(number)))

    assert all(one[0] <= other[0] for one, other in pairwise(granted))
    for end, _ in granted:
        assert len({name for at, name in granted if end - WINDOW_S < at <= end}) <= 3


def test_what_is_remembered_is_bounded(clock: MovableClock) -> None:
    names = UniqueNames[str](clock, 3)
    for number in range(KEYS + 100):
        names.take(f"{number}.com", f"{number}.com")

    assert len(names) == KEYS
