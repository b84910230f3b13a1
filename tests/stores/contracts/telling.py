"""What every store keeps to when it gives out the staff's mail, and tells of many inquiries at once (G23 to G25)."""

from collections.abc import Sequence

import anyio
import pytest

from formwarden.stores.ports import Inquiry, OutcomeKind, Staff, State, Store
from formwarden.stores.telling import Mailed
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, account, inquiry, outcome, send

QUARTER = 900.0


async def due(store: Store, *names: int) -> None:
    """Keep inquiries whose staff mail is due, older ones first."""
    for name in names:
        await store.inquiries.keep(inquiry(name, staff=Staff.DUE, received_at=float(name)), lease_s=0)


async def held(store: Store, *scores: float, form: str = "contact") -> None:
    """Keep held inquiries, named by their scores."""
    for score in scores:
        name = int(score * 10)
        await store.inquiries.keep(inquiry(name, state=State.HELD, score=score, form=form), lease_s=0)


async def claimed(store: Store, limit: int = 1, per_hour: int = 2) -> list[bytes]:
    return ids(await store.inquiries.claim_staff(limit, lease_s=60, per_hour=per_hour))


async def gathered(store: Store, limit: int = 9, per_hour: int = 2) -> list[bytes]:
    return ids(await store.inquiries.gather_staff(limit, lease_s=60, per_hour=per_hour, every_s=QUARTER))


def ids(found: Sequence[Inquiry]) -> list[bytes]:
    return [each.id for each in found]


def names(*numbers: int) -> list[bytes]:
    return [f"submission {number}".encode() for number in numbers]


@pytest.mark.anyio
class TellingContract:
    """Inherited by the test class of each store."""

    async def test_g24_no_more_than_so_many_go_singly_in_any_hour(self, store: Store, clock: MovableClock) -> None:
        await due(store, 1, 2, 3, 4)
        assert await claimed(store) == names(1)
        clock.move(1800)
        assert await claimed(store, 9) == names(1, 2)  # the first comes again: its lease is over; it counts once
        for sent in names(1, 2):
            await store.inquiries.staff(sent, to=Staff.SENT)
        clock.move(HOUR)
        assert await claimed(store, 9) == []  # a window is closed at both ends
        clock.move(1)
        assert await claimed(store, 9) == names(3, 4)

    async def test_g24_racing_callers_together_take_no_more_than_so_many(self, store: Store) -> None:
        await due(store, *range(20))
        taken: list[bytes] = []

        async def take() -> None:
            taken.extend(await claimed(store, per_hour=6))

        async with anyio.create_task_group() as racers:
            for _ in range(20):
                racers.start_soon(take)
        assert sorted(taken) == sorted(names(*range(6)))

    async def test_g24_what_is_beyond_waits_for_the_end_of_the_quarter(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.move(QUARTER - clock.now() % QUARTER + 1)
        await due(store, 1, 2)
        assert await gathered(store) == []  # they may go singly
        assert await claimed(store, 2) == names(1, 2)
        await due(store, 3, 4)
        for name in names(3, 4):
            await store.inquiries.staff(name, to=Staff.DUE, due_at=clock.now())
        assert await gathered(store) == []
        clock.move(QUARTER)
        assert await gathered(store, 1) == names(3)
        assert await gathered(store) == names(4)
        assert await gathered(store) == []
        clock.move(QUARTER)
        assert await gathered(store) == names(3, 4)  # nobody told: their lease was over when the quarter ended

    async def test_what_is_gathered_comes_without_its_body_which_stays(
        self, store: Store, clock: MovableClock
    ) -> None:
        await due(store, 1)
        (found,) = await store.inquiries.gather_staff(9, lease_s=60, per_hour=0, every_s=QUARTER)
        kept = await store.inquiries.get(found.id)
        assert kept is not None
        assert (found.body, kept.body, clock.now()) == (None, inquiry(1).body, clock.now())

    async def test_g24_a_clock_that_was_ahead_blocks_single_mails_for_an_hour_at_most(
        self, store: Store, clock: MovableClock
    ) -> None:
        await due(store, 1)
        clock.move(10 * HOUR)
        assert await claimed(store, per_hour=1) == names(1)
        clock.move(-10 * HOUR)
        await due(store, 2)
        assert await claimed(store, per_hour=1) == []
        await store.inquiries.staff(names(1)[0], to=Staff.SENT)
        clock.move(HOUR + 1)
        assert await claimed(store, per_hour=1) == names(2)

    async def test_g25_held_ones_below_a_score_are_made_due_once(self, store: Store) -> None:
        await held(store, 0.5, 5.0, 7.9, 8.0, 11.0)
        assert await store.telling.tell_held(1, points=(5.0, 8.0)) == 1
        assert await store.telling.tell_held(9, points=(5.0, 8.0)) == 1
        assert await store.telling.tell_held(9, points=(5.0, 8.0)) == 0
        assert sorted(ids(await store.inquiries.claim_staff(9, lease_s=60))) == sorted(names(50, 79))
        assert await store.telling.tell_held(9, points=None) == 3

    async def test_g25_what_is_no_longer_held_is_not_told(self, store: Store) -> None:
        await held(store, 5.0)
        await store.inquiries.keep(inquiry(1, state=State.REJECTED), lease_s=0)
        await store.inquiries.move(names(50)[0], expect={State.HELD}, to=State.RELEASED, note="")
        assert await store.telling.tell_held(9, points=None) == 0
        assert await store.telling.open_digest(9) == 0

    async def test_g23_a_digest_holds_each_once_lowest_score_first_until_it_is_closed(self, store: Store) -> None:
        await held(store, 9.0, 6.0, 7.0)
        await held(store, 11.0, form="jobs")
        assert [await store.telling.open_digest(2) for _ in range(3)] == [2, 2, 0]
        found = await store.telling.digest(2)
        assert ids(found.lowest) == names(60, 70)
        assert [each.body for each in found.lowest] == [None, None]
        assert found.by_form == {"contact": 3, "jobs": 1}
        await held(store, 5.0)
        assert (await store.telling.digest(9)).by_form == found.by_form  # it came later
        await store.inquiries.move(names(60)[0], expect={State.HELD}, to=State.DISCARDED, note="")
        assert ids((await store.telling.digest(1)).lowest) == names(70)
        assert await store.telling.close_digest(9) == 3
        assert (await store.telling.digest(9)).by_form == {}
        assert await store.telling.tell_held(9, points=(5.0, 8.0)) == 1  # the new one; the others were told
        assert await store.telling.open_digest(9) == 0

    async def test_of_racing_callers_one_gets_a_bulletin(self, store: Store, clock: MovableClock) -> None:
        assert await store.telling.bulletin("summary") is None
        won: list[bool] = []

        async def begin() -> None:
            won.append(await store.telling.begin_bulletin("summary", after=None, lease_s=60))

        async with anyio.create_task_group() as racers:
            for _ in range(10):
                racers.start_soon(begin)
        assert sorted(won) == [False] * 9 + [True]
        await store.telling.end_bulletin("summary", last=100.0)
        assert await store.telling.bulletin("summary") == 100.0
        assert not await store.telling.begin_bulletin("summary", after=None, lease_s=60)  # it was sent meanwhile
        assert await store.telling.begin_bulletin("summary", after=100.0, lease_s=60)
        assert not await store.telling.begin_bulletin("summary", after=100.0, lease_s=60)
        clock.move(60)
        assert await store.telling.begin_bulletin("summary", after=100.0, lease_s=60)
        await store.telling.end_bulletin("summary", last=None)
        assert await store.telling.bulletin("summary") == 100.0
        assert await store.telling.begin_bulletin("summary", after=100.0, lease_s=60)
        clock.move(-10 * HOUR)
        assert await store.telling.begin_bulletin("summary", after=100.0, lease_s=60)  # that lease was from ahead

    async def test_it_counts_what_came_as_far_as_it_is_asked(self, store: Store, clock: MovableClock) -> None:
        for number in range(5):
            await store.inquiries.keep(inquiry(number, received_at=clock.now() - number * HOUR), lease_s=0)
        assert await store.telling.came(2 * HOUR, most=9) == 3
        assert await store.telling.came(9 * HOUR, most=4) == 4

    async def test_g10_domains_are_counted_beside_those_of_the_four_weeks_before(
        self, store: Store, clock: MovableClock
    ) -> None:
        assert await store.telling.mailed() == Mailed()

        async def granted(number: int, domain: str) -> None:
            await store.ledger.reserve(send(number, account=account(number, domain=domain)))

        for number, domain in enumerate(("old.example", "old.example", "both.example")):
            await granted(number, domain)
        clock.move(10 * DAY)
        for number, domain in enumerate(("both.example", "new.example", "new.example", ""), 10):
            await granted(number, domain)
        assert await store.telling.mailed() == Mailed(domains=2, new=1, before=0.5)

    async def test_the_last_refusal_is_told_as_long_as_it_is_asked_for(
        self, store: Store, clock: MovableClock
    ) -> None:
        assert await store.telling.refusal(DAY) is None
        for number in (1, 2):
            await store.ledger.reserve(send(number))
            await store.ledger.due(1, lease_s=60)
            await store.ledger.settle(outcome(number, OutcomeKind.HARD))
        assert await store.telling.refusal(DAY) == outcome(2, OutcomeKind.HARD).reason
        clock.move(DAY + 1)
        assert await store.telling.refusal(DAY) is None
