"""What every store keeps to where clocks are set, and where those of processes differ: no time stays far ahead."""

import pytest

from formwarden.stores.ahead import AHEAD_S
from formwarden.stores.ports import Inquiry, Observed, OutcomeKind, ReplyRow, Staff, State, Store
from formwarden.stores.windows import NONCE_WINDOW_S, PRINT_WINDOW_S
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, hold, inquiry, key, observation, outcome, send, spend, tally

YEARS = 3_650 * DAY  # as a board without a battery is ahead or behind


async def row(store: Store) -> ReplyRow:
    return (await store.ledger.replies([b"submission 1"]))[b"submission 1"]


async def kept(store: Store) -> Inquiry:
    found = await store.inquiries.get(b"submission 1")
    assert found is not None
    return found


async def claimed(store: Store, clock: MovableClock, state: State = State.ACCEPTED) -> int:
    return len(await store.inquiries.claim(state, 9, older_than=clock.now(), lease_s=60))


@pytest.mark.anyio
class ClocksContract:
    """Inherited by the test class of each store; the wrong clock is set right by `step`."""

    async def test_a_reply_that_waits_for_another_try_waits_no_longer_than_any(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.step(YEARS)
        await store.ledger.reserve(send(1))
        await store.ledger.due(9, lease_s=60)
        await store.ledger.settle(outcome(1, OutcomeKind.NOT_SENT, until=clock.now() + 900))
        clock.step(-YEARS)
        assert await store.ledger.due(9, lease_s=60) == ()
        clock.move(AHEAD_S)
        assert [got.attempts for got in await store.ledger.due(9, lease_s=60)] == [2]

    async def test_a_reply_that_is_due_at_once_is_so_within_the_longest_wait(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.step(YEARS)
        await store.ledger.reserve(send(1))
        clock.step(-YEARS)
        assert await store.ledger.due(9, lease_s=60) == ()
        clock.move(AHEAD_S)
        assert len(await store.ledger.due(9, lease_s=60)) == 1

    async def test_a_taken_reply_is_lost_within_the_longest_lease(self, store: Store, clock: MovableClock) -> None:
        clock.step(YEARS)
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(send(1, spend("SITE_RATE", "site", limit=1)))
        await store.ledger.due(9, lease_s=60)
        clock.step(-YEARS)
        assert await store.ledger.due(9, lease_s=60) == ()
        assert (await row(store)).state == "taken"
        clock.move(AHEAD_S)
        assert await store.ledger.due(9, lease_s=60) == ()
        assert (await row(store)).state == "lost"
        assert (await kept(store)).recipient is None

    async def test_a_held_reply_is_looked_at_within_the_longest_wait(self, store: Store, clock: MovableClock) -> None:
        clock.step(YEARS)
        await store.ledger.reserve(hold(1, check_at=clock.now() + 60))
        clock.step(-YEARS)
        assert await store.ledger.due(9, lease_s=60) == ()
        clock.move(AHEAD_S)
        assert len(await store.ledger.due(9, lease_s=60)) == 1

    async def test_a_hold_lasts_as_long_as_it_was_to_last(self, store: Store, clock: MovableClock) -> None:
        clock.step(YEARS)
        await store.inquiries.keep(inquiry(1), lease_s=0)
        await store.ledger.reserve(hold(1, hold_until=clock.now() + 3 * DAY))
        clock.step(-YEARS)
        await store.purge(100)
        assert (await row(store)).held_until == clock.now() + 3 * DAY
        clock.move(3 * DAY - 1)
        await store.ledger.due(9, lease_s=60)
        assert (await row(store)).state == "held"
        clock.move(1)
        await store.ledger.due(9, lease_s=60)
        assert (await row(store)).state == "dropped"
        assert (await kept(store)).recipient is None

    async def test_times_that_are_ahead_as_they_may_be_are_left_alone(
        self, store: Store, clock: MovableClock
    ) -> None:
        until = clock.now() + 3 * DAY
        await store.ledger.reserve(hold(1, hold_until=until))
        clock.step(-AHEAD_S)
        await store.purge(100)
        assert (await row(store)).held_until == until
        await store.inquiries.keep(inquiry(1), lease_s=60)
        clock.step(-AHEAD_S)
        assert await claimed(store, clock) == 0
        changed_at = (await kept(store)).changed_at
        assert changed_at == clock.now() + AHEAD_S

    async def test_an_inquiry_whose_process_died_is_claimed_all_the_same(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.step(YEARS)
        await store.inquiries.keep(inquiry(1), lease_s=120)
        clock.step(-YEARS)
        assert await claimed(store, clock) == 0
        assert (await kept(store)).changed_at == clock.now()
        clock.move(120)
        assert await claimed(store, clock) == 1
        assert await claimed(store, clock) == 0

    async def test_a_claim_that_nobody_finished_is_followed(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1, state=State.RELEASING), lease_s=0)
        clock.step(YEARS)
        assert await claimed(store, clock, State.RELEASING) == 1
        clock.step(-YEARS)
        clock.move(1)
        assert await claimed(store, clock, State.RELEASING) == 0, "whoever has it may be at work"
        clock.move(60)
        assert await claimed(store, clock, State.RELEASING) == 1

    async def test_the_staffs_mail_is_followed_and_not_given_to_two(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1, staff=Staff.DUE), lease_s=0)
        clock.step(YEARS)
        assert len(await store.inquiries.claim_staff(9, lease_s=60)) == 1
        clock.step(-YEARS)
        assert await store.inquiries.claim_staff(9, lease_s=60) == ()
        clock.move(60)
        assert len(await store.inquiries.claim_staff(9, lease_s=60)) == 1

    @pytest.mark.parametrize("state", [State.HELD, State.REJECTED, State.DISCARDED, State.DONE])
    async def test_a_body_is_kept_no_longer_for_a_clock_that_was_ahead(
        self, store: Store, clock: MovableClock, state: State
    ) -> None:
        clock.step(YEARS)
        await store.inquiries.keep(inquiry(1, state=state), lease_s=0)
        clock.step(-YEARS)
        assert await store.purge(100) == 0
        clock.move(30 * DAY)
        assert await store.purge(100) > 0
        assert (await kept(store)).body is None

    async def test_a_clock_set_forward_sends_nothing_twice(self, store: Store, clock: MovableClock) -> None:
        site = spend("SITE_RATE", "site", limit=1)
        await store.ledger.reserve(send(1, site))
        await store.ledger.due(9, lease_s=60)
        clock.step(YEARS)
        assert await store.ledger.due(9, lease_s=60) == ()
        assert (await row(store)).state == "lost"
        await store.ledger.settle(outcome(1, OutcomeKind.SENT))
        await store.ledger.settle(outcome(1, OutcomeKind.NOT_SENT, until=clock.now()))
        assert await store.ledger.due(9, lease_s=60) == ()
        clock.step(-YEARS)
        assert not (await store.ledger.reserve(send(1, site))).new

    async def test_a_suppression_lasts_too_long_rather_than_too_short(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.step(YEARS)
        await store.ledger.suppress(key("ann"), cause="soft", until=clock.now() + DAY)
        clock.step(-YEARS)
        await store.purge(100)
        clock.move(2 * DAY)
        assert (await store.ledger.reputation([key("ann")])).suppressed == {key("ann"): "soft"}

    async def test_the_age_of_a_body_goes_on_where_the_clock_was_set_back(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.counters.observe(observation())
        clock.step(-HOUR)
        assert (await store.counters.observe(observation())).body_age_s == 0.0
        clock.move(700)
        assert (await store.counters.observe(observation())).body_age_s == 700.0

    async def test_counters_are_forgotten_within_their_windows(self, store: Store, clock: MovableClock) -> None:
        clock.step(YEARS)
        sent = observation(tallies=(tally("client", window_s=HOUR),), prints=(b"text",))
        await store.counters.observe(sent)
        clock.step(-YEARS)
        assert (await store.counters.observe(observation(None, tallies=sent.tallies))).counts == {key("client"): 0}
        assert await store.purge(100) == 0
        clock.move(NONCE_WINDOW_S)
        assert await store.counters.observe(observation()) == Observed()
        clock.move(PRINT_WINDOW_S - NONCE_WINDOW_S)
        assert (await store.counters.observe(observation(None, prints=(b"text",)))).seen == {b"text": 0}
        await store.purge(100)
        clock.step(YEARS - PRINT_WINDOW_S)
        counts = (await store.counters.observe(observation(None, tallies=sent.tallies))).counts
        assert counts == {key("client"): 0}, "nor do they come back when their time comes"
