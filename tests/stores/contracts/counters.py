"""What every store's counters keep to."""

import pytest

from formwarden.stores.ports import Observed, Store
from formwarden.stores.windows import BODIES_PER_NONCE, NONCE_WINDOW_S, PRINT_WINDOW_S
from tests.clock import MovableClock
from tests.stores.samples import HOUR, key, observation, tally


@pytest.mark.anyio
class CountersContract:
    """Inherited by the test class of each store."""

    async def test_a_new_nonce_is_unused(self, store: Store) -> None:
        assert await store.counters.observe(observation()) == Observed()

    async def test_a_retry_is_told_from_a_correction(self, store: Store, clock: MovableClock) -> None:
        await store.counters.observe(observation(body=b"first"))
        clock.move(7)
        correction = await store.counters.observe(observation(body=b"second"))
        assert (correction.uses, correction.bodies, correction.same_body) == (1, 1, False)
        retry = await store.counters.observe(observation(body=b"first"))
        assert (retry.uses, retry.bodies, retry.same_body, retry.body_age_s) == (2, 2, True, 7.0)

    async def test_a_retry_adds_nothing_at_all(self, store: Store) -> None:
        sent = observation(tallies=(tally("client"),), prints=(b"text",))
        await store.counters.observe(sent)
        await store.counters.observe(sent)
        third = await store.counters.observe(sent)
        assert third.uses == 1
        assert third.counts == {key("client"): 1}
        assert third.seen == {b"text": 1}

    async def test_without_a_nonce_everything_counts(self, store: Store) -> None:
        sent = observation(None, tallies=(tally("client"),), prints=(b"text",))
        for before in range(3):
            observed = await store.counters.observe(sent)
            assert observed.counts == {key("client"): before}
            assert observed.seen == {b"text": before}
            assert (observed.uses, observed.same_body) == (0, False)

    async def test_nonces_are_forgotten_after_their_window(self, store: Store, clock: MovableClock) -> None:
        await store.counters.observe(observation())
        clock.move(NONCE_WINDOW_S - 1)
        assert (await store.counters.observe(observation())).same_body
        clock.move(1)
        assert await store.counters.observe(observation()) == Observed()

    async def test_a_nonce_belongs_to_its_first_known_network(self, store: Store) -> None:
        assert (await store.counters.observe(observation(body=b"1"))).same_network
        assert (await store.counters.observe(observation(body=b"2", network="home"))).same_network
        assert (await store.counters.observe(observation(body=b"3"))).same_network
        assert not (await store.counters.observe(observation(body=b"4", network="elsewhere"))).same_network
        assert (await store.counters.observe(observation(body=b"5", network="home"))).same_network

    async def test_g20_a_network_is_known_under_yesterdays_key(self, store: Store) -> None:
        first = observation(body=b"1", network="monday")
        await store.counters.observe(first)
        tuesday = observation(body=b"2")
        rotated = type(first)(nonce=tuesday.nonce, networks=(key("tuesday"), key("monday")), body=tuesday.body)
        assert (await store.counters.observe(rotated)).same_network

    async def test_a_tally_counts_what_lies_in_its_window(self, store: Store, clock: MovableClock) -> None:
        sent = observation(None, tallies=(tally("client"),))
        await store.counters.observe(sent)
        clock.move(HOUR - 1)
        assert (await store.counters.observe(sent)).counts == {key("client"): 1}
        clock.move(HOUR / 60 + 1)
        assert (await store.counters.observe(sent)).counts == {key("client"): 1}

    async def test_windows_of_one_subject_are_counted_apart(self, store: Store, clock: MovableClock) -> None:
        await store.counters.observe(observation(None, tallies=(tally("a"), tally("a", window_s=600))))
        clock.move(700)
        assert (await store.counters.observe(observation(None, tallies=(tally("a"),)))).counts == {key("a"): 1}
        short = observation(None, tallies=(tally("a", window_s=600),))
        assert (await store.counters.observe(short)).counts == {key("a"): 0}

    async def test_g20_a_subject_is_counted_under_all_its_keys(self, store: Store) -> None:
        await store.counters.observe(observation(None, tallies=(tally("monday"),)))
        rotated = observation(None, tallies=(tally("tuesday", "monday"),))
        assert (await store.counters.observe(rotated)).counts == {key("tuesday"): 1}
        assert (await store.counters.observe(rotated)).counts == {key("tuesday"): 2}
        assert (await store.counters.observe(observation(None, tallies=(tally("monday"),)))).counts == {
            key("monday"): 1
        }

    async def test_prints_are_remembered_for_their_window(self, store: Store, clock: MovableClock) -> None:
        sent = observation(None, prints=(b"exact", b"near"))
        await store.counters.observe(sent)
        clock.move(PRINT_WINDOW_S - 1)
        assert (await store.counters.observe(sent)).seen == {b"exact": 1, b"near": 1}
        clock.move(PRINT_WINDOW_S)
        assert (await store.counters.observe(sent)).seen == {b"exact": 0, b"near": 0}

    async def test_forgetting_takes_tallies_and_prints_back(self, store: Store, clock: MovableClock) -> None:
        sent = observation(tallies=(tally("monday", "sunday"),), prints=(b"text", b"text"))
        await store.counters.observe(sent)
        await store.counters.observe(observation(None, tallies=sent.tallies, prints=sent.prints))
        clock.move(120)
        await store.counters.forget(sent)
        after = await store.counters.observe(sent)
        assert after.counts == {key("monday"): 1}
        assert after.seen == {b"text": 1}
        assert after.same_body, "the use of its nonce is not taken back"
        for _ in range(3):
            await store.counters.forget(sent)
        after = await store.counters.observe(sent)
        assert (after.counts, after.seen) == ({key("monday"): 0}, {b"text": 0})

    async def test_bodies_of_one_nonce_are_bounded(self, store: Store) -> None:
        for number in range(BODIES_PER_NONCE + 3):
            await store.counters.observe(observation(body=b"%d" % number))
        observed = await store.counters.observe(observation(body=b"once more"))
        assert (observed.uses, observed.bodies) == (BODIES_PER_NONCE + 3, BODIES_PER_NONCE)

    async def test_a_clock_set_back_makes_no_negative_age_and_no_future_counts(
        self, store: Store, clock: MovableClock
    ) -> None:
        sent = observation(tallies=(tally("client"),))
        await store.counters.observe(sent)
        clock.step(-86_400)
        observed = await store.counters.observe(sent)
        assert observed.body_age_s == 0.0
        assert observed.counts == {key("client"): 0}

    async def test_counters_are_erased_on_the_way(self, store: Store, clock: MovableClock) -> None:
        for number in range(1_100):
            await store.counters.observe(observation(None, tallies=(tally(f"{number}"),)))
            clock.move(2 * HOUR)
        assert 0 < await store.purge(10_000) < 200
