"""What every store keeps to about what limits grow and shrink by: days, new people, growth, alarms (G06, G10)."""

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from formwarden.stores.measuring import NEWCOMERS_A_DAY
from formwarden.stores.ports import (
    Day,
    Decision,
    Growth,
    Newcomers,
    Ours,
    OutcomeKind,
    Queue,
    ReplyRequest,
    Reputation,
    Store,
)
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, account, hold, key, outcome, send, spend

WEEK: Final = 7 * DAY
FIRST: Final = Growth(cap=50, day=20_000)


async def day_of(store: Store, clock: MovableClock) -> Day:
    """What today brought."""
    return (await store.measures.measure(int(clock.now() // DAY)))[0]


async def people(store: Store) -> Newcomers:
    """Who is new."""
    return (await store.measures.measure(0))[1]


def wanted(who: int | str, *recipient: str) -> ReplyRequest:
    """A reply that is wanted by somebody, under these keys."""
    whose = account(who)
    keys = tuple(key(name) for name in recipient)
    return send(who, account=replace(whose, recipient=keys or whose.recipient))


@pytest.mark.anyio
class MeasuresContract:
    """Inherited by the test class of each store."""

    async def test_g06_a_day_is_what_it_brought(self, store: Store, clock: MovableClock) -> None:
        site = spend("SITE_RATE", "site", limit=3, shared=True)
        own = spend("DUP_24H", "ann", limit=1)
        for who in range(3):
            await store.ledger.reserve(send(who, site, account=account(who)))
        await store.ledger.reserve(send("shared", site, account=account("shared")))
        await store.ledger.reserve(send("ann", own))
        await store.ledger.reserve(send("own", own, account=account("own")))
        await store.ledger.reserve(send("both", site, own, account=account("both")))
        await store.ledger.reserve(hold("held"))
        await store.ledger.reserve(send("refused", decision=Decision.SUPPRESS, code="ADDR_SYNTAX"))
        await store.ledger.settle(outcome(0, OutcomeKind.HARD))
        await store.ledger.settle(outcome(1, OutcomeKind.SOFT_LONG))
        await store.ledger.settle(outcome(2, OutcomeKind.SENT))
        assert await day_of(store, clock) == Day(wanted=5, granted=4, known=2, hard=1.5)
        clock.move(DAY)
        assert await day_of(store, clock) == Day(known=1), "presumed delivered by now"
        assert (await store.measures.measure(0))[0] == Day()

    async def test_g06_a_reply_is_wanted_once(self, store: Store, clock: MovableClock) -> None:
        site = spend("SITE_RATE", "site", limit=1, shared=True)
        await store.ledger.reserve(send("first", site))
        queue = Queue(limit=1, until=clock.now() + 2 * HOUR, check_s=60, score=0)
        waiting = send(1, site, account=account(1), queue=queue)
        for _ in range(3):
            await store.ledger.reserve(waiting)
        assert await day_of(store, clock) == Day(wanted=2, granted=1)
        clock.move(HOUR + 1)
        await store.ledger.reserve(waiting)
        assert await day_of(store, clock) == Day(wanted=2, granted=2)
        await store.ledger.reserve(hold(2))
        for _ in range(2):
            await store.ledger.reserve(send(2, account=account(2)))
        assert await day_of(store, clock) == Day(wanted=3, granted=3)

    async def test_g06_alarms_and_complaints_are_of_the_day_they_began_on(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.ledger.reserve(send(1, account=account(1)))
        await store.ledger.settle(outcome(1, OutcomeKind.OURS, ours=Ours.REPUTATION))
        await store.ledger.settle(outcome(2, OutcomeKind.COMPLAINT))
        brought = await day_of(store, clock)
        assert (brought.alarms, brought.complaints) == (2, 1)
        clock.move(DAY)
        assert await day_of(store, clock) == Day()

    async def test_g10_somebody_is_new_once(self, store: Store, clock: MovableClock) -> None:
        assert await people(store) == Newcomers()
        await store.ledger.reserve(wanted(1, "ann"))
        await store.ledger.reserve(wanted(2, "ann"))
        await store.ledger.reserve(wanted(3, "ann by a newer key", "ann"))
        assert await people(store) == Newcomers(first_at=clock.now(), week=1)
        await store.ledger.reserve(wanted(4, "bob"))
        assert (await people(store)).week == 2

    async def test_g10_only_who_is_wanted_is_new(self, store: Store) -> None:
        own = spend("DUP_24H", "ann", limit=0)
        site = spend("SITE_RATE", "site", limit=0, shared=True)
        await store.ledger.reserve(send("own", own, account=account("own")))
        await store.ledger.suppress(key("eve"), cause="hard", until=None)
        await store.ledger.reserve(send("listed", account=account("listed"), subjects=(key("eve"),)))
        await store.ledger.reserve(send("nobody"))
        await store.ledger.reserve(send("preview", account=account("preview"), preview=True))
        assert (await people(store)).week == 0
        await store.ledger.reserve(send("shared", site, account=account("shared")))
        assert (await people(store)).week == 1

    async def test_g10_weeks_are_told_apart(self, store: Store, clock: MovableClock) -> None:
        first_at = clock.now()
        for week, count in enumerate((1, 2, 3, 4, 5, 6)):
            for who in range(count):
                await store.ledger.reserve(wanted(f"{week} {who}"))
            clock.move(WEEK)
        clock.move(-1)
        assert await people(store) == Newcomers(first_at=first_at, week=6, before=(5, 4, 3, 2))

    async def test_g10_weeks_before_the_first_are_left_out(self, store: Store, clock: MovableClock) -> None:
        first_at = clock.now()
        await store.ledger.reserve(wanted(1))
        clock.move(2 * WEEK + 1)
        assert await people(store) == Newcomers(first_at=first_at, week=0, before=(0, 1))

    async def test_g10_no_more_than_so_many_are_written_a_day(self, store: Store, clock: MovableClock) -> None:
        await asyncio.gather(*(store.ledger.reserve(wanted(who)) for who in range(NEWCOMERS_A_DAY + 5)))
        assert (await people(store)).week == NEWCOMERS_A_DAY
        clock.move(DAY)
        await store.ledger.reserve(wanted("tomorrow"))
        assert (await people(store)).week == NEWCOMERS_A_DAY + 1

    async def test_g10_whoever_was_met_ahead_is_brought_back(self, store: Store, clock: MovableClock) -> None:
        clock.step(3_650 * DAY)
        await store.ledger.reserve(wanted(1))
        clock.step(-3_650 * DAY)
        assert await people(store) == Newcomers(first_at=clock.now(), week=1)
        await store.purge(100)
        clock.move(WEEK)
        assert (await people(store)).week == 0

    async def test_g10_growth_is_changed_by_whoever_has_seen_it_last(self, store: Store) -> None:
        assert (await store.measures.measure(0))[2] is None
        assert (await store.ledger.reputation(())).growth is None
        other = Growth(cap=70, day=20_001, drip_cap=5, drip_at=1.5, real_at=2.5, real_week=3)
        assert not await store.measures.grow(other, after=FIRST)
        assert await store.measures.grow(FIRST, after=None)
        assert not await store.measures.grow(other, after=None, alarm="none")
        assert not await store.measures.grow(other, after=Growth(cap=50, day=20_000, real_week=1))
        assert await store.measures.grow(other, after=FIRST, alarm="a drip is suspected")
        assert (await store.measures.measure(0))[2] == other
        assert (await store.ledger.reputation(())).growth == other
        alarms = await store.measures.alarms(10, lease_s=60)
        assert [(alarm.kind, alarm.text) for alarm in alarms] == [("drip", "a drip is suspected")]

    async def test_g10_of_racing_growths_one_wins(self, store: Store) -> None:
        await store.measures.grow(FIRST, after=None)
        racing = (Growth(cap=70 + number, day=20_001) for number in range(8))
        got = await asyncio.gather(*(store.measures.grow(each, after=FIRST, alarm="won") for each in racing))
        assert sum(got) == 1
        assert len(await store.measures.alarms(10, lease_s=60)) == 1

    async def test_of_racing_replies_no_more_take_a_place_than_there_are(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.ledger.reserve(send("distrusted", account=account("distrusted")))
        await store.ledger.settle(outcome("distrusted", OutcomeKind.OURS, ours=Ours.REPUTATION))
        clock.move(4 * HOUR)
        wait = Queue(limit=10, until=clock.now() + HOUR, check_s=60, score=0)
        full = spend("SITE_RATE", "site", limit=0, shared=True)
        probes = (store.ledger.reserve(send(f"p{who}", account=account(who), probe=True)) for who in range(30))
        queue = (store.ledger.reserve(send(f"q{who}", full, queue=wait)) for who in range(30))
        decisions = [each.decision for each in await asyncio.gather(*probes, *queue)]
        assert (decisions.count(Decision.SEND), decisions.count(Decision.HOLD)) == (3, 10)

    async def test_g03_whoever_is_remembered_is_known(self, store: Store, clock: MovableClock) -> None:
        ann, older = key("ann"), key("ann by an older key")
        assert not (await store.ledger.reputation([ann])).known
        await store.measures.remember(older)
        await store.measures.remember(older)
        assert (await store.ledger.reputation([ann, older])).known
        assert not (await store.ledger.reputation([ann])).known
        clock.move(1_000 * DAY)
        await store.purge(1_000)
        assert (await store.ledger.reputation([older])).known, "without end"
        await store.measures.remember(older, on=False)
        await store.measures.remember(ann, on=False)
        assert await store.ledger.reputation([ann, older]) == Reputation()

    async def test_alarms_are_told_at_least_once_and_by_one_at_a_time(
        self, store: Store, clock: MovableClock
    ) -> None:
        for number in range(3):
            growth = (await store.measures.measure(0))[2]
            await store.measures.grow(Growth(cap=number, day=1), after=growth, alarm=f"alarm {number}")
        taken = await store.measures.alarms(2, lease_s=60)
        assert [alarm.text for alarm in taken] == ["alarm 0", "alarm 1"]
        assert [alarm.at for alarm in taken] == [clock.now()] * 2
        assert [alarm.text for alarm in await store.measures.alarms(9, lease_s=30)] == ["alarm 2"]
        assert await store.measures.alarms(9, lease_s=60) == ()
        await store.measures.told([taken[0].id, 9_999])
        clock.move(60)
        assert [alarm.text for alarm in await store.measures.alarms(9, lease_s=60)] == ["alarm 1", "alarm 2"]
        await store.measures.told([alarm.id for alarm in taken])
        await store.measures.told([])
        clock.move(60)
        assert [alarm.text for alarm in await store.measures.alarms(9, lease_s=60)] == ["alarm 2"]

    async def test_an_alarm_that_a_clock_ahead_has_leased_comes_again(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.measures.grow(FIRST, after=None, alarm="a drip")
        clock.step(3_650 * DAY)
        assert len(await store.measures.alarms(9, lease_s=60)) == 1
        clock.step(-3_650 * DAY)
        assert len(await store.measures.alarms(9, lease_s=60)) == 1

    async def test_a_small_provider_group_is_an_alarm_once_a_day(self, store: Store, clock: MovableClock) -> None:
        for day in range(2):
            for number in range(5):
                who = f"{day} {number}"
                await store.ledger.reserve(send(who, account=account(who, group=who, label="")))
                await store.ledger.settle(outcome(who, OutcomeKind.OURS, ours=Ours.REPUTATION))
            assert len(await store.measures.breakers()) == 5 * (day + 1)
            alarms = await store.measures.alarms(20, lease_s=DAY)
            assert len(alarms) == 1, "anybody can have one: the owner would hear of nothing else"
            await store.measures.told([alarm.id for alarm in alarms])
            clock.move(DAY)


@pytest.mark.anyio
class MeasuresRetentionContract:
    """Inherited by the test class of each store: how long measures are kept, with the settings' defaults."""

    async def test_accounts_people_alarms_and_days_go_after_their_facts_time(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.ledger.reserve(wanted(1, "ann"))
        await store.ledger.settle(outcome(1, OutcomeKind.SENT))
        await store.measures.grow(FIRST, after=None, alarm="a drip")
        await store.measures.told([alarm.id for alarm in await store.measures.alarms(9, lease_s=60)])
        first_at = clock.now()
        clock.move(90 * DAY - 1)
        await store.purge(1_000)
        day = int(first_at // DAY)
        assert (await store.measures.measure(day))[0] == Day(wanted=1, granted=1, alarms=1)
        assert (await store.measures.measure(day + 1))[0].known == 1
        clock.move(1)
        await store.purge(1_000)
        assert (await store.measures.measure(day + 1))[0] == Day()
        clock.move(DAY)
        await store.purge(1_000)
        assert (await store.measures.measure(day))[0] == Day()
        assert await people(store) == Newcomers(first_at=first_at, before=(0, 0, 0, 0)), "the first one ever is kept"
        await store.ledger.reserve(wanted(2, "ann"))
        assert (await people(store)).week == 1, "whoever comes again after so long is new"

    async def test_whoever_comes_again_and_again_is_not_forgotten(self, store: Store, clock: MovableClock) -> None:
        for number in range(4):
            await store.ledger.reserve(wanted(number, "ann"))
            clock.move(60 * DAY)
            await store.purge(1_000)
        await store.ledger.reserve(wanted("last", "ann"))
        assert (await people(store)).week == 0

    async def test_an_alarm_nobody_was_told_of_is_kept(self, store: Store, clock: MovableClock) -> None:
        await store.measures.grow(FIRST, after=None, alarm="a drip")
        clock.move(1_000 * DAY)
        await store.purge(1_000)
        assert len(await store.measures.alarms(9, lease_s=60)) == 1

    async def test_a_closed_breaker_is_kept_while_its_window_matters(self, store: Store, clock: MovableClock) -> None:
        for who in range(5):
            await store.ledger.reserve(send(who, account=account(who)))
            await store.ledger.settle(outcome(who, OutcomeKind.HARD))
        for subject in ("group google", "site"):
            await store.measures.close(key(subject))
        clock.move(80 * DAY)
        await store.purge(1_000)
        await store.ledger.reserve(send("later", account=account("later")))
        await store.ledger.settle(outcome("later", OutcomeKind.HARD))
        assert await store.measures.breakers() == ()

    async def test_a_small_group_that_nobody_mends_is_forgotten_and_a_large_one_is_not(
        self, store: Store, clock: MovableClock
    ) -> None:
        for who, label in (("small", ""), ("google", "google")):
            await store.ledger.reserve(send(who, account=account(who, group=who, label=label)))
            await store.ledger.settle(outcome(who, OutcomeKind.OURS, ours=Ours.CONFIG))
        clock.move(90 * DAY - 1)
        await store.purge(1_000)
        assert len(await store.measures.breakers()) == 2
        clock.move(1)
        await store.purge(1_000)
        assert [each.label for each in await store.measures.breakers()] == ["google"]
