"""What every store erases, and when."""

import pytest

from formwarden.stores.ports import Inquiry, OutcomeKind, Staff, State, Store
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, hold, inquiry, key, observation, outcome, send, spend, tally


async def purged(store: Store) -> int:
    """Erase all that is over."""
    return await store.purge(10_000)


async def kept(store: Store) -> Inquiry:
    """The one inquiry."""
    found = await store.inquiries.get(b"submission 1")
    assert found is not None
    return found


@pytest.mark.anyio
class RetentionContract:
    """Inherited by the test class of each store; settings are the defaults."""

    @pytest.mark.parametrize(
        ("state", "seconds"),
        [
            (State.DONE, HOUR),
            (State.REFUSED, HOUR),
            (State.RELEASED, HOUR),
            (State.DISCARDED, HOUR),
            (State.HELD, 30 * DAY),
            (State.ASKED, 30 * DAY),
            (State.REJECTED, 7 * DAY),
        ],
    )
    async def test_g38_bodies_and_recipients_are_erased_in_time(
        self, store: Store, clock: MovableClock, state: State, seconds: float
    ) -> None:
        await store.inquiries.keep(inquiry(1, received_at=clock.now()), lease_s=0)
        clock.move(100)
        await store.inquiries.move(b"submission 1", expect={State.ACCEPTED}, to=state, note="")
        clock.move(seconds - 1)
        assert await purged(store) == 0
        assert (await kept(store)).body == inquiry(1).body
        clock.move(1)
        assert await purged(store) == 1
        assert ((await kept(store)).body, (await kept(store)).recipient) == (None, None)
        assert await purged(store) == 0

    async def test_g21_a_body_waits_for_its_staff_mail(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1, state=State.DONE, staff=Staff.DUE, received_at=clock.now()), lease_s=0)
        clock.move(200 * DAY)
        assert await purged(store) == 0
        assert (await kept(store)).body is not None
        await store.inquiries.staff(b"submission 1", to=Staff.SENT)
        await purged(store)
        assert await store.inquiries.get(b"submission 1") is None

    async def test_a_recipient_is_kept_while_the_reply_may_leave(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1, state=State.DONE, received_at=clock.now()), lease_s=0)
        await store.ledger.reserve(hold(1, hold_until=clock.now() + 3 * DAY))
        clock.move(DAY)
        assert await purged(store) == 1
        assert await purged(store) == 0
        assert ((await kept(store)).body, (await kept(store)).recipient) == (None, "ann@example.com")
        await store.ledger.settle(outcome(1, OutcomeKind.DROPPED))
        assert (await kept(store)).recipient is None

    async def test_inquiries_replies_and_outcomes_go_after_their_facts_time(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.inquiries.keep(inquiry(1, state=State.DONE, received_at=clock.now()), lease_s=0)
        await store.ledger.reserve(send(1, spend("SITE_RATE", "site", limit=1)))
        await store.ledger.settle(outcome(1, OutcomeKind.SENT))
        clock.move(90 * DAY - 1)
        await purged(store)
        assert await store.inquiries.get(b"submission 1") is not None
        assert len(await store.ledger.replies([b"submission 1"])) == 1
        clock.move(1)
        assert await purged(store) == 3
        assert await store.inquiries.get(b"submission 1") is None
        assert await store.ledger.replies([b"submission 1"]) == {}

    async def test_a_held_reply_is_not_purged(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(hold(1))
        clock.move(400 * DAY)
        assert await purged(store) == 0
        assert len(await store.ledger.replies([b"submission 1"])) == 1

    async def test_slots_outlive_the_longest_window(self, store: Store, clock: MovableClock) -> None:
        month = spend("DUP_LINEAGE", "lineage", limit=1, window_s=30 * DAY)
        await store.ledger.reserve(send(1, month))
        clock.move(30 * DAY)
        assert await purged(store) == 0
        assert (await store.ledger.reserve(send(2, month))).code == "DUP_LINEAGE"
        clock.move(DAY)
        assert await purged(store) == 1

    async def test_suppressions_go_when_they_end(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.suppress(key("ann"), cause="soft", until=clock.now() + DAY)
        await store.ledger.suppress(key("bob"), cause="hard", until=None)
        clock.move(DAY)
        assert await purged(store) == 1
        assert (await store.ledger.reputation([key("bob")])).suppressed == {key("bob"): "hard"}

    async def test_counters_go_when_their_windows_are_over(self, store: Store, clock: MovableClock) -> None:
        for number in range(3):
            name = f"{number}"
            sent = observation(name.encode(), tallies=(tally(name),), prints=(name.encode(),))
            await store.counters.observe(sent)
        assert await purged(store) == 0
        clock.move(2 * HOUR)
        assert await purged(store) == 3
        clock.move(8 * DAY)
        assert await purged(store) == 6

    async def test_a_purge_goes_by_steps(self, store: Store, clock: MovableClock) -> None:
        for number in range(5):
            await store.inquiries.keep(inquiry(number, state=State.REFUSED, received_at=clock.now()), lease_s=0)
        clock.move(HOUR)
        assert [await store.purge(2) for _ in range(4)] == [2, 2, 1, 0]
