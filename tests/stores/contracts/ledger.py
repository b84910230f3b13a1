"""What every store's ledger keeps to: reservations and suppression."""

import random

import pytest

from formwarden.stores.ports import (
    REPLIES_OFF,
    Decision,
    OutcomeKind,
    Reputation,
    Reservation,
    Store,
)
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, hold, inquiry, key, outcome, send, spend

GRANTED = Reservation(decision=Decision.SEND, code="OK", new=True)


def refused(code: str) -> Reservation:
    """What a reply gets that something stands against."""
    return Reservation(decision=Decision.SUPPRESS, code=code, new=True)


@pytest.mark.anyio
class LedgerContract:
    """Inherited by the test class of each store."""

    async def test_a_budget_grants_its_number_and_no_more(self, store: Store) -> None:
        site = spend("SITE_RATE", "site", limit=2)
        got = [await store.ledger.reserve(send(number, site)) for number in range(4)]
        assert got == [GRANTED, GRANTED, refused("SITE_RATE"), refused("SITE_RATE")]

    async def test_a_window_is_closed_at_both_ends(self, store: Store, clock: MovableClock) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        assert await store.ledger.reserve(send(1, site)) == GRANTED
        clock.move(HOUR)
        assert await store.ledger.reserve(send(2, site)) == refused("SITE_RATE")
        clock.move(0.001)
        assert await store.ledger.reserve(send(3, site)) == GRANTED

    async def test_no_interval_of_the_window_ever_holds_more_than_the_limit(
        self, store: Store, clock: MovableClock
    ) -> None:
        draw = random.Random(7)  # noqa: S311 - arrivals, the same in every run
        granted: list[float] = []
        spends = (spend("SHORT", "site", limit=3, window_s=60), spend("LONG", "site", limit=8, window_s=600))
        for number in range(300):
            clock.move(draw.expovariate(1 / 10))
            if (await store.ledger.reserve(send(number, *spends))).decision is Decision.SEND:
                granted.append(clock.now())
        assert len(granted) > 20
        for window_s, limit in ((60, 3), (600, 8)):
            for first, last in zip(granted, granted[limit:], strict=False):
                assert last - first > window_s

    async def test_a_refused_reply_takes_no_slot_of_any_budget(self, store: Store) -> None:
        full, free = spend("FULL", "full", limit=1), spend("FREE", "free", limit=1)
        assert await store.ledger.reserve(send(1, full)) == GRANTED
        assert await store.ledger.reserve(send(2, free, full)) == refused("FULL")
        assert await store.ledger.reserve(send(3, free)) == GRANTED

    async def test_the_first_spent_budget_names_the_code(self, store: Store) -> None:
        budgets = [spend(f"B{number}", f"b{number}", limit=1) for number in range(7)]
        assert await store.ledger.reserve(send(1, *budgets)) == GRANTED
        assert await store.ledger.reserve(send(2, *budgets)) == refused("B0")
        assert await store.ledger.reserve(send(3, *budgets[3:])) == refused("B3")

    async def test_several_windows_of_one_subject_take_one_slot(self, store: Store) -> None:
        hour, day = spend("HOUR", "site", limit=2), spend("DAY", "site", limit=3, window_s=DAY)
        assert await store.ledger.reserve(send(1, hour, day)) == GRANTED
        assert await store.ledger.reserve(send(2, hour, day)) == GRANTED
        assert await store.ledger.reserve(send(3, hour, day)) == refused("HOUR")
        assert await store.ledger.reserve(send(4, day)) == GRANTED

    async def test_g20_slots_are_counted_under_all_keys_and_taken_under_the_newest(self, store: Store) -> None:
        assert await store.ledger.reserve(send(1, spend("IP_RATE", "monday", limit=1))) == GRANTED
        assert await store.ledger.reserve(send(2, spend("IP_RATE", "tuesday", "monday", limit=2))) == GRANTED
        assert await store.ledger.reserve(send(3, spend("IP_RATE", "tuesday", "monday", limit=2))) == refused(
            "IP_RATE"
        )
        assert await store.ledger.reserve(send(4, spend("IP_RATE", "tuesday", limit=2))) == GRANTED

    async def test_a_limit_of_nought_grants_nothing(self, store: Store) -> None:
        assert await store.ledger.reserve(send(1, spend("SITE_RATE", "site", limit=0))) == refused("SITE_RATE")

    async def test_the_same_reply_gets_the_same_answer(self, store: Store) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        await store.ledger.reserve(send(1, site))
        again = await store.ledger.reserve(send(1, site))
        assert again == Reservation(decision=Decision.SEND, code="OK", new=False)
        await store.ledger.reserve(send(2, site))
        again = await store.ledger.reserve(send(2))
        assert again == Reservation(decision=Decision.SUPPRESS, code="SITE_RATE", new=False)

    async def test_slots_in_the_future_count(self, store: Store, clock: MovableClock) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        await store.ledger.reserve(send(1, site))
        clock.step(-HOUR / 2)
        assert await store.ledger.reserve(send(2, site)) == refused("SITE_RATE")

    async def test_a_slot_left_in_the_far_future_is_clamped(self, store: Store, clock: MovableClock) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        await store.ledger.reserve(send(1, site))
        clock.step(-30 * DAY)
        assert await store.ledger.reserve(send(2, site)) == refused("SITE_RATE")
        clock.move(2 * HOUR)
        assert await store.ledger.reserve(send(3, site)) == refused("SITE_RATE")
        clock.move(1)
        assert await store.ledger.reserve(send(4, site)) == GRANTED

    async def test_g18_a_preview_writes_nothing(self, store: Store) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        for _ in range(2):
            assert await store.ledger.reserve(send(1, site, preview=True)) == GRANTED
        assert await store.ledger.replies([b"submission 1"]) == {}
        await store.ledger.reserve(send(2, site))
        assert await store.ledger.reserve(send(1, site, preview=True)) == refused("SITE_RATE")
        again = await store.ledger.reserve(send(2, site, preview=True))
        assert again == Reservation(decision=Decision.SEND, code="OK", new=False)

    async def test_g17_a_permit_is_taken_at_once_and_lost_when_its_lease_is_over(
        self, store: Store, clock: MovableClock
    ) -> None:
        assert await store.ledger.reserve(send(1, lease_s=60)) == GRANTED
        assert await store.ledger.due(10, lease_s=60) == ()
        assert (await store.ledger.replies([b"submission 1"]))[b"submission 1"].state == "taken"
        clock.move(60)
        assert await store.ledger.due(10, lease_s=60) == ()
        assert (await store.ledger.replies([b"submission 1"]))[b"submission 1"].state == "lost"

    async def test_a_held_reply_may_be_decided_again_once(self, store: Store, clock: MovableClock) -> None:
        held = await store.ledger.reserve(hold(1, hold_until=clock.now() + HOUR))
        assert held == Reservation(decision=Decision.HOLD, code="HELD_SUSPECT", new=True, until=clock.now() + HOUR)
        created_at = clock.now()
        clock.move(60)
        site = spend("SITE_RATE", "site", limit=1)
        assert await store.ledger.reserve(send(1, site)) == GRANTED
        assert not (await store.ledger.reserve(send(1, site))).new
        row = (await store.ledger.replies([b"submission 1"]))[b"submission 1"]
        assert (row.state, row.code, row.created_at, row.held_until) == ("due", "OK", created_at, None)
        assert await store.ledger.reserve(send(2, site)) == refused("SITE_RATE")

    async def test_holding_again_never_lasts_longer(self, store: Store, clock: MovableClock) -> None:
        end = clock.now() + HOUR
        await store.ledger.reserve(hold(1, hold_until=end))
        await store.ledger.reserve(hold(1, hold_until=end + DAY))
        row = (await store.ledger.replies([b"submission 1"]))[b"submission 1"]
        assert (row.state, row.held_until) == ("held", end)
        await store.ledger.reserve(hold(1, hold_until=end - 1))
        await store.ledger.reserve(hold(1, hold_until=None))
        row = (await store.ledger.replies([b"submission 1"]))[b"submission 1"]
        assert row.held_until == end - 1

    async def test_another_reason_is_another_hold(self, store: Store, clock: MovableClock) -> None:
        created_at = clock.now()
        await store.ledger.reserve(hold(1, hold_until=created_at + HOUR, check_at=created_at, code="ADDR_DNS_TEMP"))
        clock.move(HOUR / 2)
        await store.ledger.reserve(hold(1, hold_until=clock.now() + 3 * DAY))
        row = (await store.ledger.replies([b"submission 1"]))[b"submission 1"]
        assert (row.code, row.created_at) == ("HELD_SUSPECT", created_at)
        assert row.held_until == clock.now() + 3 * DAY
        assert await store.ledger.due(10, lease_s=60) == (), "and is looked at when the new one says"

    async def test_a_held_reply_may_be_suppressed(self, store: Store) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(hold(1))
        suppress = send(1, decision=Decision.SUPPRESS, code="ADDR_INVALID")
        assert await store.ledger.reserve(suppress) == refused("ADDR_INVALID")
        row = (await store.ledger.replies([b"submission 1"]))[b"submission 1"]
        assert (row.state, row.code) == ("suppressed", "ADDR_INVALID")
        kept = await store.inquiries.get(b"submission 1")
        assert kept is not None
        assert kept.recipient is None

    async def test_suppression_is_asked_again_inside(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.suppress(key("ann"), cause="hard", until=clock.now() + DAY)
        site = spend("SITE_RATE", "site", limit=1)
        assert await store.ledger.reserve(send(1, site, subjects=(key("bob"), key("ann")))) == refused("SUPP_HARD")
        assert await store.ledger.reserve(send(2, site, subjects=(key("bob"),))) == GRANTED
        clock.move(DAY)
        assert await store.ledger.reserve(send(3, subjects=(key("ann"),))) == GRANTED

    async def test_g18_one_switch_stops_all_replies(self, store: Store) -> None:
        await store.ledger.suppress(REPLIES_OFF, cause="manual", until=None)
        assert (await store.ledger.reputation(())).replies_off
        assert await store.ledger.reserve(send(1)) == refused("AR_OFF")
        assert await store.ledger.lift(REPLIES_OFF)
        assert await store.ledger.reserve(send(2)) == GRANTED

    async def test_the_strongest_cause_is_named_while_it_stands(self, store: Store, clock: MovableClock) -> None:
        subject = key("ann")
        await store.ledger.suppress(subject, cause="soft", until=None)
        await store.ledger.suppress(subject, cause="complaint", until=clock.now() + HOUR)
        await store.ledger.suppress(subject, cause="hard", until=clock.now() + DAY)
        for passed, cause in ((0.0, "complaint"), (HOUR, "hard"), (DAY, "soft")):
            clock.move(passed)
            assert (await store.ledger.reputation([subject])).suppressed == {subject: cause}

    async def test_a_longer_end_wins_within_a_cause(self, store: Store, clock: MovableClock) -> None:
        subject = key("ann")
        await store.ledger.suppress(subject, cause="soft", until=clock.now() + DAY)
        await store.ledger.suppress(subject, cause="soft", until=clock.now() + HOUR)
        clock.move(HOUR + 1)
        assert (await store.ledger.reputation([subject])).suppressed == {subject: "soft"}
        clock.move(DAY)
        assert (await store.ledger.reputation([subject])).suppressed == {}
        await store.ledger.suppress(subject, cause="soft", until=None)
        await store.ledger.suppress(subject, cause="soft", until=clock.now() + 1)
        clock.move(1000 * DAY)
        assert (await store.ledger.reputation([subject])).suppressed == {subject: "soft"}

    async def test_lifting_says_whether_it_was_there(self, store: Store, clock: MovableClock) -> None:
        assert not await store.ledger.lift(key("ann"))
        await store.ledger.suppress(key("ann"), cause="manual", until=None)
        await store.ledger.suppress(key("ann"), cause="hard", until=None)
        assert await store.ledger.lift(key("ann"))
        assert (await store.ledger.reputation([key("ann")])) == Reputation()
        await store.ledger.suppress(key("bob"), cause="soft", until=clock.now() + 1)
        clock.move(1)
        assert not await store.ledger.lift(key("bob"))

    async def test_a_dead_mailbox_is_suppressed_for_ever_and_others_for_their_time(
        self, store: Store, clock: MovableClock
    ) -> None:
        soon = clock.now() + DAY
        for number, (kind, until, cause) in enumerate(
            (
                (OutcomeKind.HARD, None, "hard"),
                (OutcomeKind.DOMAIN, soon, "domain"),
                (OutcomeKind.SOFT_LONG, soon, "soft"),
                (OutcomeKind.SOFT_SHORT, soon, "soft"),
                (OutcomeKind.DOMAIN, None, None),
                (OutcomeKind.OURS, soon, None),
            )
        ):
            subject = key(f"subject {number}")
            await store.ledger.settle(outcome(number, kind, subject=subject, until=until))
            found = (await store.ledger.reputation([subject])).suppressed
            assert found == ({} if cause is None else {subject: cause}), kind

    async def test_g07_feedback_is_seen_once_a_refusal_was_settled(self, store: Store) -> None:
        await store.ledger.reserve(send(1))
        await store.ledger.settle(outcome(1, OutcomeKind.SENT))
        assert not (await store.ledger.reputation(())).feedback_seen
        await store.ledger.settle(outcome(1, OutcomeKind.OURS))
        assert (await store.ledger.reputation(())).feedback_seen
