"""What every store's budgets keep to, whoever asks when: seven scopes of one reply, and the sentence they obey."""

from collections.abc import Sequence
from itertools import count
from typing import Final

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formwarden.stores.ports import Decision, OutcomeKind, Spend, Store
from tests.clock import MovableClock
from tests.soak import runs
from tests.stores.samples import DAY, HOUR, outcome, send, spend

SCOPES: Final = ("address", "client", "network", "domain", "provider", "form", "site")
EXAMPLES: Final = runs(25, 1_000)
NUMBERS: Final = count()  # so that no example meets the replies and keys of another
PROPERTY: Final = settings(
    max_examples=EXAMPLES,
    # One store serves all examples, which know nothing of each other; several classes inherit each test.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
LIMITS: Final = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([10.0, 60.0, 600.0])), min_size=1, max_size=3)
ARRIVALS: Final = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(st.sampled_from([0.0, 0.001, 10.0, 60.0, 600.0]), st.floats(0, 90))),
    min_size=5,
    max_size=40,
)


def seven(**names: str) -> tuple[Spend, ...]:
    """One budget a scope, two replies each; a scope that is not named is its own."""
    return tuple(spend(scope.upper(), names.get(scope, scope), limit=2) for scope in SCOPES)


async def granted(store: Store, *spends: Spend) -> bool:
    """Ask for one more reply, and say whether it may leave."""
    return (await store.ledger.reserve(send(f"no. {next(NUMBERS)}", *spends))).decision is Decision.SEND


def most_within(moments: Sequence[float], window_s: float) -> int:
    """How many moments lie in the fullest closed interval of this length."""
    ordered = sorted(moments)
    return max((sum(0 <= other - first <= window_s for other in ordered) for first in ordered), default=0)


@pytest.mark.anyio
class BudgetsContract:
    """Inherited by the test class of each store."""

    @pytest.mark.parametrize("scope", SCOPES)
    async def test_one_spent_scope_of_seven_stops_the_reply_and_draws_on_no_other(
        self, store: Store, scope: str
    ) -> None:
        alone = next(each for each in seven() if each.budget == scope.upper())
        assert await granted(store, alone)
        assert await granted(store, alone)
        for _ in range(5):
            refused = await store.ledger.reserve(send(f"no. {next(NUMBERS)}", *seven()))
            assert (refused.decision, refused.code) == (Decision.SUPPRESS, scope.upper())
        others = [each for each in seven() if each is not alone and each.budget != scope.upper()]
        assert [await granted(store, each) for each in others for _ in range(3)] == [True, True, False] * 6

    async def test_a_grant_takes_exactly_one_slot_of_each_of_seven_and_a_refund_gives_each_back(
        self, store: Store
    ) -> None:
        for number in range(2):
            assert (await store.ledger.reserve(send(number, *seven()))).decision is Decision.SEND
        for each in seven():
            assert not await granted(store, each)
        await store.ledger.settle(outcome(1, OutcomeKind.REFUNDED))
        for each in seven():
            assert [await granted(store, each), await granted(store, each)] == [True, False]

    async def test_the_slots_of_one_subject_are_no_others(self, store: Store) -> None:
        for scope in SCOPES:
            assert await granted(store, *seven())
            renamed = {other: f"{other} of {scope}" for other in SCOPES if other != scope}
            assert await granted(store, *seven(**renamed)), f"only {scope} is shared"
            assert not await granted(store, *seven(**{other: f"again {other} of {scope}" for other in renamed}))
            fresh = {scope: f"another {scope}"}
            assert await granted(store, *seven(**fresh)), f"{scope} is all that was spent"
            await self._refund_all(store)

    async def test_racing_replies_get_exactly_what_the_tightest_of_seven_allows(self, store: Store) -> None:
        budgets = (*seven()[:-1], spend("SITE", "site", limit=1))
        wide = tuple(spend(each.budget, each.budget, limit=5) for each in budgets)
        codes: list[str] = []

        async def ask(number: int) -> None:
            codes.append((await store.ledger.reserve(send(f"racer {number}", *budgets[number % 7 :], *wide))).code)

        async with anyio.create_task_group() as group:
            for number in range(35):
                group.start_soon(ask, number)
        assert codes.count("OK") == 1
        left = [await granted(store, spend(each.budget, each.budget, limit=5)) for each in budgets for _ in range(5)]
        assert left == [True, True, True, True, False] * 7, "refused racers took nothing"

    async def test_racing_calls_for_one_reply_take_one_slot(self, store: Store) -> None:
        site = spend("SITE_RATE", "site", limit=5)
        new: list[bool] = []

        async def ask() -> None:
            new.append((await store.ledger.reserve(send("one", site))).new)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(ask)
        assert sorted(new) == [False] * 19 + [True]
        assert [await granted(store, site) for _ in range(5)] == [True] * 4 + [False]

    @PROPERTY
    @given(limits=LIMITS, arrivals=ARRIVALS)
    async def test_in_no_interval_of_the_window_are_more_than_the_limit_granted(
        self, store: Store, clock: MovableClock, limits: list[tuple[int, float]], arrivals: list[tuple[int, float]]
    ) -> None:
        example = next(NUMBERS)
        taken: dict[int, list[float]] = {}
        for subject, gap in arrivals:
            clock.move(gap)
            now = clock.now()
            before = taken.setdefault(subject, [])
            free = all(sum(now - at <= window_s for at in before) < limit for limit, window_s in limits)
            spends = [
                spend("B", f"{subject} of {example}", limit=limit, window_s=window_s) for limit, window_s in limits
            ]
            assert await granted(store, *spends) is free, "exactly: neither one too many nor one too few"
            if free:
                before.append(now)
        for moments in taken.values():
            for limit, window_s in limits:
                assert most_within(moments, window_s) <= limit

    @PROPERTY
    @given(
        limit=st.integers(1, 4),
        ahead=st.sampled_from([0.0, 30.0, 59.0, 60.0, 61.0, 120.0, 3_600.0, 8_640_000.0]),
        arrivals=st.lists(st.tuples(st.booleans(), st.floats(0, 30)), min_size=5, max_size=40),
    )
    async def test_no_clock_that_was_ahead_and_is_set_right_exceeds_a_budget(
        self, store: Store, clock: MovableClock, limit: int, ahead: float, arrivals: list[tuple[bool, float]]
    ) -> None:
        site = spend("SITE_RATE", f"site of {next(NUMBERS)}", limit=limit, window_s=60)
        real: list[float] = []
        clock.step(ahead)
        wrong = ahead
        for set_right, gap in arrivals:
            clock.move(gap)
            if set_right:
                clock.step(-wrong)
                wrong = 0.0
            if await granted(store, site):
                real.append(clock.monotonic())
        clock.step(-wrong)
        assert most_within(real, 60) <= limit

    @PROPERTY
    @given(
        limit=st.integers(1, 4),
        arrivals=st.lists(st.tuples(st.floats(-20, 20), st.floats(0, 15)), min_size=5, max_size=40),
    )
    async def test_processes_whose_clocks_differ_grant_no_more_in_any_interval_of_their_stamps(
        self, store: Store, clock: MovableClock, limit: int, arrivals: list[tuple[float, float]]
    ) -> None:
        site = spend("SITE_RATE", f"site of {next(NUMBERS)}", limit=limit, window_s=60)
        stamps: list[float] = []
        real: list[float] = []
        for skew, gap in arrivals:
            clock.move(gap)
            clock.step(skew)  # as the process that asks now has it
            if await granted(store, site):
                stamps.append(clock.now())
                real.append(clock.monotonic())
            clock.step(-skew)
        assert most_within(stamps, 60) <= limit
        assert most_within(real, 60 - 2 * 20 - 0.001) <= limit

    @pytest.mark.parametrize("ahead", [HOUR, HOUR + 1, DAY, 400 * DAY])
    async def test_a_corrected_clock_blocks_a_key_for_one_window_more_at_most(
        self, store: Store, clock: MovableClock, ahead: float
    ) -> None:
        first, second = spend("A", "a", limit=1), spend("B", "b", limit=1)
        assert await granted(store, first, second)
        clock.step(-ahead)
        assert not await granted(store, first, second)
        clock.move(2 * HOUR)
        assert not await granted(store, first)
        clock.move(0.001)
        assert await granted(store, first)
        assert await granted(store, second), "it was clamped too, though another budget named the code"

    async def test_the_longest_window_of_a_key_decides_how_far_a_slot_is_clamped(
        self, store: Store, clock: MovableClock
    ) -> None:
        hour, day = spend("HOUR", "site", limit=1), spend("DAY", "site", limit=1, window_s=DAY)
        assert await granted(store, hour, day)
        clock.step(-23 * HOUR)
        assert not await granted(store, hour, day)
        clock.step(23 * HOUR)
        clock.move(DAY)
        assert not await granted(store, day), "a clock that was wrong for a moment forgets nothing of the day"
        clock.move(0.001)
        assert await granted(store, hour, day)

    async def _refund_all(self, store: Store) -> None:
        for row in await store.ledger.due(1_000, lease_s=60):
            name = row.reply_id.decode().removeprefix("reply ")
            await store.ledger.settle(outcome(name, OutcomeKind.REFUNDED))
