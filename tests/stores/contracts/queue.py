"""What every store keeps to where shared budgets are spent: who waits, who comes first, what is marked (G02)."""

import pytest

from formwarden.stores.deciding import MARK_EVERY_S
from formwarden.stores.ports import Decision, OutcomeKind, Queue, ReplyRequest, ReplyRow, Reservation, Spend, Store
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, account, hold, inquiry, key, outcome, send, spend

GRANTED = Reservation(decision=Decision.SEND, code="OK", new=True)
HALF_AN_HOUR = 1_800.0


def refused(code: str) -> Reservation:
    """What a reply gets that something stands against."""
    return Reservation(decision=Decision.SUPPRESS, code=code, new=True)


def waits(until: float) -> Reservation:
    """What a reply gets that waits for the site's hour."""
    return Reservation(decision=Decision.HOLD, code="SITE_RATE", new=True, until=until)


def site(limit: int = 1) -> Spend:
    """The site's hour, which is everybody's."""
    return spend("SITE_RATE", "site budget", limit=limit, shared=True)


def queued(
    who: int | str, clock: MovableClock, *spends: Spend, score: float = 0.0, limit: int = 10, check_s: float = 60.0
) -> ReplyRequest:
    """A reply that may wait."""
    queue = Queue(limit=limit, until=clock.now() + HALF_AN_HOUR, check_s=check_s, score=score)
    return send(who, *(spends or (site(),)), account=account(who), queue=queue)


async def row(store: Store, who: int | str) -> ReplyRow:
    """The row of a reply."""
    submission = f"submission {who}".encode()
    return (await store.ledger.replies([submission]))[submission]


async def looked_at(store: Store) -> list[str]:
    """Whom the worker looks at now."""
    return [row.reply_id.decode().removeprefix("reply ") for row in await store.ledger.due(20, lease_s=30)]


@pytest.mark.anyio
class QueueContract:
    """Inherited by the test class of each store."""

    async def test_g02_a_reply_waits_for_a_shared_budget_and_is_granted_when_there_is_room(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        assert await store.ledger.reserve(send("first", site())) == GRANTED
        until = clock.now() + HALF_AN_HOUR
        clock.move(HOUR - 1_000)
        until = clock.now() + HALF_AN_HOUR
        assert await store.ledger.reserve(queued(1, clock)) == waits(until)
        waiting = await row(store, 1)
        assert (waiting.state, waiting.code, waiting.held_until, waiting.score) == ("held", "SITE_RATE", until, 0.0)
        clock.move(1_000)
        assert await store.ledger.reserve(queued(1, clock)) == waits(until), "looking again never puts the end off"
        clock.move(1)
        assert await store.ledger.reserve(queued(1, clock)) == GRANTED
        granted = await row(store, 1)
        assert (granted.state, granted.held_until, granted.score) == ("due", None, None)
        kept = await store.inquiries.get(b"submission 1")
        assert kept is not None
        assert kept.recipient == "ann@example.com"

    async def test_g02_ten_wait_and_the_next_is_suppressed(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(send("first", site()))
        until = clock.now() + HALF_AN_HOUR
        await store.ledger.reserve(hold("for another reason"))
        for who in range(10):
            assert await store.ledger.reserve(queued(who, clock)) == waits(until)
        assert await store.ledger.reserve(queued(10, clock)) == refused("SITE_RATE")
        assert await store.ledger.reserve(queued(3, clock)) == waits(until), "whoever has a place keeps it"
        await store.ledger.settle(outcome(3, OutcomeKind.DROPPED))
        assert await store.ledger.reserve(queued(11, clock)) == waits(until)

    async def test_g02_whoever_may_not_wait_is_suppressed(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(send("first", site()))
        assert await store.ledger.reserve(send(1, site())) == refused("SITE_RATE")
        await store.ledger.reserve(send("ann", spend("DUP_24H", "ann", limit=1)))
        own = spend("DUP_24H", "ann", limit=1)
        assert await store.ledger.reserve(queued(2, clock, site(), own)) == refused("SITE_RATE")
        assert await store.ledger.reserve(queued(3, clock, own, site())) == refused("DUP_24H")

    async def test_g02_a_wait_ends_in_time(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(send("first", site()))
        await store.ledger.due(9, lease_s=60)
        await store.ledger.reserve(queued(1, clock))
        clock.move(HALF_AN_HOUR)
        await store.ledger.due(9, lease_s=60)
        ended = await row(store, 1)
        assert (ended.state, ended.score) == ("dropped", None)
        kept = await store.inquiries.get(b"submission 1")
        assert kept is not None
        assert kept.recipient is None

    async def test_g02_a_wait_that_is_over_is_not_begun_again(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(send("first", site()))
        await store.ledger.reserve(queued(1, clock))
        clock.move(HALF_AN_HOUR)
        assert await store.ledger.reserve(queued(1, clock)) == refused("SITE_RATE")

    async def test_g02_all_that_wait_are_looked_at_in_one_moment_the_lowest_score_first(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.move(30 - clock.now() % 30)  # they are looked at every half minute
        await store.ledger.reserve(send("first", site(), lease_s=HALF_AN_HOUR))
        for who, score in (("a", 1.5), ("b", 0.5), ("c", 1.0)):
            await store.ledger.reserve(queued(who, clock, score=score, check_s=30))
            clock.move(9)
        assert await looked_at(store) == []
        clock.move(3)
        assert await looked_at(store) == ["b", "c", "a"]
        assert await looked_at(store) == [], "they are being looked at"

    async def test_g02_who_still_waits_is_looked_at_no_sooner_than_the_others(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.ledger.reserve(send("first", site(), lease_s=HALF_AN_HOUR))
        for who, score in (("a", 0.0), ("b", 1.0)):
            await store.ledger.reserve(queued(who, clock, score=score, check_s=30))
            clock.move(7)
        clock.move(60)
        seen: list[str] = []
        for _ in range(5):  # one at a time, each decided again at once: it still waits
            for got in await store.ledger.due(1, lease_s=30):
                seen.append(got.reply_id.decode().removeprefix("reply "))
                await store.ledger.reserve(queued(seen[-1], clock, score=got.score or 0.0, check_s=30))
        assert seen == ["a", "b"]

    async def test_g02_the_queue_is_looked_at_before_what_is_held_for_another_reason(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.ledger.reserve(hold("dns", check_at=clock.now()))
        await store.ledger.reserve(send("first", site(), lease_s=HALF_AN_HOUR))
        await store.ledger.reserve(queued("a", clock, check_s=0.0))
        rows = await store.ledger.due(1, lease_s=30)
        assert [got.reply_id for got in rows] == [b"reply a"]
        assert await looked_at(store) == ["dns"]

    async def test_g02_nothing_waits_behind_a_breaker_that_lets_only_probes_pass(
        self, store: Store, clock: MovableClock
    ) -> None:
        for who in range(5):
            await store.ledger.reserve(send(who, account=account(who)))
            await store.ledger.settle(outcome(who, OutcomeKind.HARD))
        await store.ledger.reserve(send("first", site(), exempt=True))
        clock.move(4 * HOUR)
        full = spend("SITE_RATE", "site budget", limit=0, shared=True)
        assert await store.ledger.reserve(queued("a", clock, full)) == refused("SITE_RATE")

    async def test_g18_a_preview_that_would_wait_says_so_and_does_not(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.ledger.reserve(send("first", site()))
        until = clock.now() + HALF_AN_HOUR
        preview = send(1, site(), queue=Queue(limit=1, until=until, check_s=60, score=0), preview=True)
        for _ in range(2):
            assert await store.ledger.reserve(preview) == waits(until)
        assert await store.ledger.replies([b"submission 1"]) == {}

    async def test_g02_a_refused_reply_gets_the_same_answer_again(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(send("first", site()))
        await store.ledger.reserve(send(1, site()))
        again = await store.ledger.reserve(queued(1, clock))
        assert again == Reservation(decision=Decision.SUPPRESS, code="SITE_RATE", new=False)


@pytest.mark.anyio
class MarksContract:
    """Inherited by the test class of each store: budgets that are only asked, and those that leave a mark."""

    async def test_a_budget_that_is_only_asked_takes_no_slot(self, store: Store) -> None:
        asked = spend("ASKED", "subject", limit=1, taken=False)
        for who in range(3):
            assert await store.ledger.reserve(send(who, asked)) == GRANTED
        assert await store.ledger.reserve(send("takes", spend("ASKED", "subject", limit=1))) == GRANTED
        assert await store.ledger.reserve(send("late", asked)) == refused("ASKED")

    async def test_g02_whoever_takes_the_last_slot_leaves_a_mark(self, store: Store, clock: MovableClock) -> None:
        marking = spend("SITE_RATE", "site budget", limit=2, marks=key("site spent"))
        after = spend("SITE_RATE", "site spent", limit=1, taken=False)
        assert await store.ledger.reserve(send(1, marking)) == GRANTED
        assert await store.ledger.reserve(send("plain", after)) == GRANTED
        assert await store.ledger.reserve(send(2, marking)) == GRANTED
        assert await store.ledger.reserve(send("plain 2", after)) == refused("SITE_RATE")
        clock.move(HOUR)
        assert await store.ledger.reserve(send("plain 3", after)) == refused("SITE_RATE")
        clock.move(0.001)
        assert await store.ledger.reserve(send("plain 4", after)) == GRANTED

    async def test_g02_whoever_finds_it_spent_leaves_a_mark(self, store: Store, clock: MovableClock) -> None:
        marking = spend("SITE_RATE", "site budget", limit=2, marks=key("site spent"))
        after = spend("SITE_RATE", "site spent", limit=1, taken=False)
        for who in range(2):
            await store.ledger.reserve(send(who, marking))
        clock.move(HOUR / 2)
        assert await store.ledger.reserve(send("refused", marking)) == refused("SITE_RATE")
        clock.move(HOUR)
        assert await store.ledger.reserve(send("plain", after)) == refused("SITE_RATE")
        clock.move(0.001)
        assert await store.ledger.reserve(send("plain 2", after)) == GRANTED

    async def test_a_flood_of_refused_replies_leaves_a_mark_a_minute(self, store: Store, clock: MovableClock) -> None:
        marking = spend("SITE_RATE", "site budget", limit=0, marks=key("site spent"))
        for who in range(20):
            await store.ledger.reserve(send(who, marking))
        clock.move(MARK_EVERY_S)
        await store.ledger.reserve(send("later", marking))
        two = spend("SITE_RATE", "site spent", limit=3, taken=False)
        assert await store.ledger.reserve(send("two", two)) == GRANTED
        assert await store.ledger.reserve(send("less", spend("B", "site spent", limit=2))) == refused("B")

    async def test_g18_a_preview_leaves_no_mark(self, store: Store) -> None:
        marking = spend("SITE_RATE", "site budget", limit=0, marks=key("site spent"))
        await store.ledger.reserve(send(1, marking, preview=True))
        after = spend("SITE_RATE", "site spent", limit=1, taken=False)
        assert await store.ledger.reserve(send(2, after)) == GRANTED

    async def test_g02_who_is_stopped_before_the_budgets_finds_nothing_spent(self, store: Store) -> None:
        marking = spend("SITE_RATE", "site budget", limit=0, marks=key("site spent"))
        await store.ledger.suppress(key("ann"), cause="manual", until=None)
        await store.ledger.reserve(send(1, marking, subjects=(key("ann"),)))
        after = spend("SITE_RATE", "site spent", limit=1, taken=False, window_s=DAY)
        assert await store.ledger.reserve(send(2, after)) == GRANTED
