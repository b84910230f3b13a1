"""What every store's ledger keeps to as an outbox: handing out, and what became of it."""

import pytest

from formwarden.stores.ports import Decision, OutcomeKind, ReplyRow, Store
from tests.clock import MovableClock
from tests.stores.samples import HOUR, hold, inquiry, key, outcome, send, spend


async def row(store: Store, number: int | str) -> ReplyRow:
    """The row of a reply."""
    return (await store.ledger.replies([f"submission {number}".encode()]))[f"submission {number}".encode()]


async def recipient(store: Store, number: int | str) -> str | None:
    """The address that is kept for a reply."""
    kept = await store.inquiries.get(f"submission {number}".encode())
    assert kept is not None
    return kept.recipient


@pytest.mark.anyio
class OutboxContract:
    """Inherited by the test class of each store."""

    async def test_a_due_reply_is_given_out_once(self, store: Store) -> None:
        await store.ledger.reserve(send(1))
        taken = await store.ledger.due(10, lease_s=60)
        assert [(reply.reply_id, reply.state, reply.attempts) for reply in taken] == [(b"reply 1", "taken", 1)]
        assert await store.ledger.due(10, lease_s=60) == ()

    async def test_the_oldest_are_given_out_first(self, store: Store, clock: MovableClock) -> None:
        for number in range(4):
            await store.ledger.reserve(send(number))
            clock.move(1)
        assert [reply.reply_id for reply in await store.ledger.due(3, lease_s=60)] == [
            b"reply 0",
            b"reply 1",
            b"reply 2",
        ]
        assert [reply.reply_id for reply in await store.ledger.due(3, lease_s=60)] == [b"reply 3"]

    async def test_g15_taken_and_not_finished_is_lost_and_spent(self, store: Store, clock: MovableClock) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(send(1, site))
        await store.ledger.due(10, lease_s=60)
        clock.move(59)
        await store.ledger.due(10, lease_s=60)
        assert (await row(store, 1)).state == "taken"
        clock.move(1)
        assert await store.ledger.due(10, lease_s=60) == ()
        assert (await row(store, 1)).state == "lost"
        assert await recipient(store, 1) is None
        await store.ledger.settle(outcome(1, OutcomeKind.NOT_SENT))
        await store.ledger.settle(outcome(1, OutcomeKind.REFUNDED))
        assert (await row(store, 1)).state == "lost"
        assert (await store.ledger.reserve(send(2, site))).code == "SITE_RATE"

    async def test_g15_what_cannot_have_left_keeps_its_slot_and_is_due_again(
        self, store: Store, clock: MovableClock
    ) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(send(1, site))
        await store.ledger.due(10, lease_s=60)
        await store.ledger.settle(outcome(1, OutcomeKind.NOT_SENT, until=clock.now() + 300))
        clock.move(299)
        assert await store.ledger.due(10, lease_s=60) == ()
        assert (await store.ledger.reserve(send(2, site))).code == "SITE_RATE"
        clock.move(1)
        again = await store.ledger.due(10, lease_s=60)
        assert [(reply.state, reply.attempts, reply.last) for reply in again] == [("taken", 2, "not_sent!")]
        assert await recipient(store, 1) == "ann@example.com"

    async def test_g15_a_refund_gives_every_slot_back(self, store: Store) -> None:
        site, ann = spend("SITE_RATE", "site", limit=1), spend("DUP_24H", "ann", limit=1)
        await store.ledger.reserve(send(1, site, ann))
        await store.ledger.due(10, lease_s=60)
        await store.ledger.settle(outcome(1, OutcomeKind.REFUNDED))
        assert (await row(store, 1)).state == "dropped"
        assert (await store.ledger.reserve(send(2, site, ann))).code == "OK"

    @pytest.mark.parametrize(
        ("kind", "state"),
        [
            (OutcomeKind.SENT, "sent"),
            (OutcomeKind.LOST, "lost"),
            (OutcomeKind.DROPPED, "dropped"),
            (OutcomeKind.HARD, "refused"),
            (OutcomeKind.DOMAIN, "refused"),
            (OutcomeKind.SOFT_LONG, "refused"),
            (OutcomeKind.SOFT_SHORT, "refused"),
            (OutcomeKind.OURS, "refused"),
        ],
    )
    async def test_g17_an_end_keeps_the_slot_and_erases_the_recipient(
        self, store: Store, kind: OutcomeKind, state: str
    ) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(send(1, site))
        await store.ledger.due(10, lease_s=60)
        assert await recipient(store, 1) == "ann@example.com"
        await store.ledger.settle(outcome(1, kind))
        assert (await row(store, 1)).state == state
        assert (await row(store, 1)).last == f"{kind}!"
        assert await recipient(store, 1) is None
        assert (await store.ledger.reserve(send(2, site))).code == "SITE_RATE"

    async def test_the_same_evidence_twice_changes_nothing(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(send(1))
        await store.ledger.due(10, lease_s=600)
        again = outcome(1, OutcomeKind.NOT_SENT, until=clock.now())
        await store.ledger.settle(again)
        assert len(await store.ledger.due(10, lease_s=600)) == 1
        await store.ledger.settle(again)
        assert await store.ledger.due(10, lease_s=600) == ()

    async def test_g14_a_reply_ends_once_but_a_later_bounce_still_suppresses(self, store: Store) -> None:
        await store.ledger.reserve(send(1))
        await store.ledger.settle(outcome(1, OutcomeKind.SENT))
        await store.ledger.settle(outcome(1, OutcomeKind.HARD, subject=key("ann")))
        assert (await row(store, 1)).state == "sent"
        assert (await store.ledger.reputation([key("ann")])).suppressed == {key("ann"): "hard"}

    async def test_an_outcome_of_an_unknown_reply_still_suppresses(self, store: Store) -> None:
        await store.ledger.settle(outcome("nobody's", OutcomeKind.HARD, subject=key("ann")))
        assert (await store.ledger.reputation([key("ann")])).suppressed == {key("ann"): "hard"}

    async def test_a_held_reply_is_looked_at_by_one_caller_a_lease(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(hold(1, hold_until=clock.now() + HOUR, check_at=clock.now() + 60))
        await store.ledger.reserve(hold(2, hold_until=clock.now() + HOUR))
        assert await store.ledger.due(10, lease_s=30) == ()
        clock.move(60)
        looked = await store.ledger.due(10, lease_s=30)
        assert [(reply.reply_id, reply.state) for reply in looked] == [(b"reply 1", "held")]
        assert await store.ledger.due(10, lease_s=30) == ()
        clock.move(30)
        assert len(await store.ledger.due(10, lease_s=30)) == 1

    async def test_due_replies_come_before_held_ones_within_the_limit(
        self, store: Store, clock: MovableClock
    ) -> None:
        for number in range(2):
            await store.ledger.reserve(hold(f"held {number}", check_at=clock.now()))
            await store.ledger.reserve(send(f"due {number}"))
        got = await store.ledger.due(3, lease_s=60)
        assert [reply.state for reply in got] == ["taken", "taken", "held"]
        assert await store.ledger.due(0, lease_s=60) == ()

    async def test_a_held_reply_is_dropped_when_its_time_is_over(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(hold(1, hold_until=clock.now() + HOUR, check_at=clock.now() + HOUR))
        clock.move(HOUR)
        assert await store.ledger.due(10, lease_s=60) == ()
        assert (await row(store, 1)).state == "dropped"
        assert await recipient(store, 1) is None
        again = await store.ledger.reserve(send(1))
        assert (again.decision, again.new) == (Decision.SUPPRESS, False)

    async def test_a_suppressed_reply_is_shown_and_never_given_out(self, store: Store) -> None:
        await store.ledger.reserve(send(1, decision=Decision.SUPPRESS, code="ADDR_NULLMX"))
        assert (await row(store, 1)).code == "ADDR_NULLMX"
        assert await store.ledger.due(10, lease_s=60) == ()

    async def test_replies_are_read_by_submission(self, store: Store) -> None:
        await store.ledger.reserve(send(1))
        found = await store.ledger.replies([b"submission 1", b"submission 2"])
        assert list(found) == [b"submission 1"]
        assert found[b"submission 1"].reply_id == b"reply 1"
