"""What every store does when somebody wants it to grow without end (G23)."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreFullError
from formwarden.faults import Faults
from formwarden.stores.eviction import DROPPED
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Inquiry, Key, Observation, Staff, State, Store, Tally
from formwarden.stores.settings import Stores
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, hold, inquiry, key, observation, spend, tally
from tests.stores.samples import send as reply

BOUND = 1_048_576  # bytes: the least there is
BIG = b"x" * 250_000  # more than a full store makes free at once beyond what it needs
FILL = b"y" * 30_000
LONG = {"why": "w" * 4_000}
MOST = 200  # inquiries: more than fill the bound


def campaign(name: str) -> dict[str, object]:
    """The facts of an inquiry whose text is of a campaign."""
    return {"observation": {"prints": [name.encode().hex() * 2, b"band".hex()]}}


async def fill(store: Store, name: str, *, body: bytes = FILL, until_gone: Sequence[str] = ()) -> None:
    """Keep harmless inquiries until the store is full, or one of these has lost its body."""
    for number in range(MOST):
        await store.inquiries.keep(inquiry(f"{name} {number}", body=body), lease_s=0)
        if await gone(store, until_gone):
            return
    raise AssertionError("it never filled up")


async def until_full(store: Store, inquiries: Iterable[Inquiry]) -> int:
    """Keep these until the store is full; return how many found room."""
    for number, each in enumerate(inquiries):
        try:
            await store.inquiries.keep(each, lease_s=0)
        except StoreFullError:
            return number
    raise AssertionError("it never filled up")


async def read(store: Store, name: int | str) -> Inquiry:
    found = await store.inquiries.get(f"submission {name}".encode())
    assert found is not None
    return found


async def gone(store: Store, names: Sequence[str]) -> list[str]:
    """Those of these inquiries whose body is gone."""
    found = [(name, await store.inquiries.get(f"submission {name}".encode())) for name in names]
    return [name for name, each in found if each is None or each.body is None]


async def held(store: Store, name: str, **changes: object) -> None:
    """Keep one that anybody may evict, unless the changes say otherwise."""
    kept = inquiry(name, state=State.HELD, score=9.0, body=BIG, note="held")
    await store.inquiries.keep(replace(kept, **changes), lease_s=0)  # type: ignore[arg-type] # fields by name


@pytest.mark.anyio
class BoundsContract:
    """Inherited by the test class of each store."""

    def url(self, tmp_path: Path) -> str:
        """The URL of a new store."""
        raise NotImplementedError

    @pytest.fixture
    async def small(self, tmp_path: Path, clock: MovableClock) -> AsyncIterator[Store]:
        settings = Stores(store_bytes=BOUND, counters_bytes=2_097_152, keep_held_days=60)
        store = open_store(
            self.url(tmp_path), clock=clock, entropy=system_entropy, settings=settings, faults=Faults(clock)
        )
        yield store
        await store.aclose()

    async def test_g23_rejected_bodies_go_first_then_near_duplicates_then_the_highest_scores(
        self, small: Store
    ) -> None:
        order = ["rejected", "alike", "highest"]
        await held(small, "highest", score=20.0)
        await held(small, "head", body=b"short", score=11.0, facts=campaign("head"))
        await held(small, "alike", score=8.0, facts=campaign("alike"))
        await held(small, "rejected", state=State.REJECTED, score=12.0)
        for number in range(len(order)):
            assert await gone(small, order) == order[:number]
            await fill(small, f"fill {number}", until_gone=order[number:])
            assert await gone(small, order) == order[: number + 1], "one at a time"
        assert (await read(small, "head")).body == b"short"

    async def test_g23_of_the_highest_scores_the_highest_goes_first(self, small: Store) -> None:
        for name, score in (("nine", 9.0), ("thirty", 30.0), ("twenty", 20.0)):
            await held(small, name, score=score)
        order = ["thirty", "twenty", "nine"]
        for number in range(len(order)):
            await fill(small, f"fill {number}", until_gone=order[number:])
            assert await gone(small, order) == order[: number + 1]

    async def test_g23_what_lost_its_body_keeps_its_numbers_and_says_why(self, small: Store) -> None:
        await held(small, "one")
        await fill(small, "fill", until_gone=["one"])
        left = await read(small, "one")
        assert left.note == f"held; {DROPPED}"
        assert (left.state, left.score, left.hits, left.recipient) == (State.HELD, 9.0, {"too_young": 1.5}, None)

    async def test_g23_near_duplicates_are_one_body_and_a_count(self, small: Store) -> None:
        await held(small, "head", body=b"short", facts=campaign("head"))
        alike = [f"alike {number}" for number in range(3)]
        for name in alike:
            await held(small, name, facts=campaign(name))
        for number in range(len(alike)):
            await fill(small, f"fill {number}", until_gone=alike[number:])
        head, last = await read(small, "head"), await read(small, alike[-1])
        assert head.body == b"short"
        assert head.note.startswith("held; stands for 3 more like it")
        assert last.note == f"held; {DROPPED}, like R-head"

    async def test_a_near_duplicate_whose_cousin_was_released_is_not_collapsed(self, small: Store) -> None:
        await held(small, "head", body=b"short", facts=campaign("head"))
        await held(small, "alike", score=8.5, facts=campaign("alike"))
        await held(small, "higher", score=9.5)
        await small.inquiries.move(b"submission head", expect={State.HELD}, to=State.RELEASED, note="")
        await fill(small, "fill", until_gone=["alike", "higher"])
        assert await gone(small, ["alike", "higher"]) == ["higher"]

    async def test_g23_below_eight_points_nothing_is_evicted_before_thirty_days(
        self, small: Store, clock: MovableClock
    ) -> None:
        names = ["held", "rejected", "alike"]
        await held(small, "held", score=7.99, facts=campaign("held"), received_at=clock.now())
        await held(small, "rejected", score=7.99, state=State.REJECTED, received_at=clock.now())
        await held(small, "alike", score=7.99, facts=campaign("alike"), received_at=clock.now())
        with pytest.raises(StoreFullError, match="FORMWARDEN_STORE_BYTES"):
            await fill(small, "fill", until_gone=names)
        assert await gone(small, names) == []
        assert await small.purge(500) == 0
        clock.move(30 * DAY - 1)
        with pytest.raises(StoreFullError):
            await held(small, "one more", score=1.0)
        assert await gone(small, ["held", "alike"]) == []
        clock.move(1)
        await held(small, "one more", score=1.0)
        assert len(await gone(small, names)) >= 1

    async def test_a_full_store_still_knows_what_it_has_and_still_moves_it(self, small: Store) -> None:
        with pytest.raises(StoreFullError):
            await fill(small, "fill")
        again = await small.inquiries.keep(inquiry("fill 0", body=FILL), lease_s=0)
        assert again is not None
        assert again.receipt == "R-fill 0"
        assert await small.inquiries.move(again.id, expect={State.ACCEPTED}, to=State.DONE, note="")
        assert (await small.ledger.reserve(reply(1, spend("SITE_RATE", "site", limit=1)))).code == "OK"

    @pytest.mark.parametrize("changes", [{"state": State.ACCEPTED}, {"staff": Staff.DUE}, {"state": State.RELEASING}])
    async def test_a_body_that_somebody_is_about_to_read_is_not_dropped(
        self, small: Store, changes: dict[str, object]
    ) -> None:
        await held(small, "one", score=30.0, **changes)
        with pytest.raises(StoreFullError):
            await fill(small, "fill", until_gone=["one"])

    async def test_a_recipient_whose_reply_may_leave_outlives_the_body(
        self, small: Store, clock: MovableClock
    ) -> None:
        await held(small, "1")
        await small.ledger.reserve(hold(1, hold_until=clock.now() + DAY))
        await fill(small, "fill", until_gone=["1"])
        assert (await read(small, "1")).recipient == "ann@example.com"

    async def test_the_numbers_of_a_reply_that_may_leave_stay(self, small: Store, clock: MovableClock) -> None:
        await held(small, "1", score=30.0, body=b"short")
        await small.ledger.reserve(hold(1, hold_until=clock.now() + DAY))
        for first in range(0, 400, 20):
            names = range(first + 2, first + 22)
            await asyncio.gather(
                *(held(small, f"{name}", score=20.0, body=b"z" * 1_000, facts=LONG) for name in names)
            )
        left = await read(small, 1)
        assert (left.body, left.recipient) == (None, "ann@example.com")
        assert await small.inquiries.get(b"submission 2") is None, "others go whole"

    async def test_what_the_purge_erased_makes_room(self, small: Store, clock: MovableClock) -> None:
        now = clock.now()
        refused = [inquiry(f"{number}", state=State.REFUSED, body=FILL, received_at=now) for number in range(MOST)]
        full = await until_full(small, refused)
        clock.move(HOUR)
        while await small.purge(500):
            pass
        assert await small.inquiries.keep(refused[full], lease_s=0) is None

    async def test_a_full_store_evicts_now_and_then(self, small: Store) -> None:
        left = [0]
        for number in range(60):
            await held(small, f"{number}", body=FILL, state=State.REJECTED)
            page = await small.inquiries.find((), limit=100)
            left.append(sum(row.body is not None for row in page.rows))
        times = sum(after <= before for before, after in itertools.pairwise(left))
        assert 2 <= times <= 10, left

    async def test_the_purge_makes_room_before_a_keep_has_to(self, small: Store) -> None:
        names = [f"{number}" for number in range(30)]
        for name in names:
            await held(small, name, body=FILL)
        assert await gone(small, names) == []
        assert await small.purge(1) == 1
        assert await gone(small, names) == ["0"], "the first of the same score"
        await held(small, "one more", body=FILL)
        while await small.purge(500):
            pass
        assert 4 <= len(await gone(small, names)) <= 10
        assert await small.purge(500) == 0

    async def test_numbers_alone_do_not_fill_it_either(self, small: Store) -> None:
        for first in range(0, 400, 20):
            names = range(first, first + 20)
            await asyncio.gather(
                *(held(small, f"{name}", state=State.REJECTED, body=b"z" * 1_000, facts=LONG) for name in names)
            )
        found = await small.inquiries.find((), limit=1_000)
        assert 50 < len(found.rows) < 400
        assert (await read(small, 399)).body is not None

    async def test_old_numbers_go_too_whatever_their_points(self, small: Store, clock: MovableClock) -> None:
        now = clock.now()
        bodies = (inquiry(f"{number}", state=State.REFUSED, body=FILL, received_at=now) for number in range(MOST))
        full = await until_full(small, bodies)
        clock.move(HOUR)
        while await small.purge(500):
            pass
        rest = (
            inquiry(number, state=State.DONE, received_at=now, facts=LONG) for number in range(400, 400 + 5 * MOST)
        )
        full += await until_full(small, (replace(each, body=None, recipient=None) for each in rest))
        clock.move(30 * DAY - HOUR - 1)
        with pytest.raises(StoreFullError):
            await held(small, "one more", score=1.0)
        clock.move(1)
        await held(small, "one more", score=1.0)
        found = await small.inquiries.find((), limit=1_000)
        assert 0 < len(found.rows) < full

    # ------------------------------------------------------------------ counters
    async def test_invented_keys_neither_grow_without_end_nor_make_room_for_themselves(
        self, small: Store, clock: MovableClock
    ) -> None:
        known = Observation(
            nonce=b"token", networks=(), body=b"body", tallies=(tally("ann"), tally("form")), prints=(b"text",)
        )
        await small.counters.observe(known)
        await asyncio.gather(*(small.counters.observe(invented(f"{each}")) for each in range(100)))
        for before in range(1, 5):
            clock.move(120)  # another slot
            seen = await small.counters.observe(replace(known, body=b"body %d" % before))
            assert set(seen.counts.values()) == {before}, "what is counted goes on being counted"
            assert (seen.uses, seen.seen) == (before, {b"text": before})
        fresh = observation(b"new token", tallies=(tally("new client"),), prints=(b"new text",))
        await small.counters.observe(fresh)
        seen = await small.counters.observe(replace(fresh, body=b"another"))
        assert (seen.counts, seen.seen) == ({key("new client"): 0}, {b"new text": 0}), "there is no room for new ones"
        assert seen.uses == 1, "invented keys leave nonces their room"

    async def test_coarser_keys_are_counted_when_the_fine_ones_are_full(self, small: Store) -> None:
        await asyncio.gather(*(small.counters.observe(invented(f"{each}")) for each in range(100)))
        network = replace(tally("network"), coarse=True)
        for before in range(3):
            seen = await small.counters.observe(observation(None, tallies=(network,)))
            assert seen.counts == {key("network"): before}

    async def test_full_counters_count_what_they_know_in_the_rows_they_have(
        self, small: Store, clock: MovableClock
    ) -> None:
        many = observation(None, tallies=tuple(tally(f"{number}", window_s=DAY) for number in range(600)))
        ann = observation(None, tallies=(tally("ann", window_s=DAY),))
        await small.counters.observe(ann)
        for _ in range(50):
            clock.move(DAY / 60)
            await small.counters.observe(many)
        seen = [(await small.counters.observe(ann)).counts[key("ann")] for _ in range(3)]
        assert seen == [1, 2, 3]
        await small.counters.observe(observation(b"new token"))
        assert (await small.counters.observe(observation(b"new token", b"2"))).uses == 0, "nonces, too, are bounded"

    async def test_room_comes_back_when_the_windows_are_over(self, small: Store, clock: MovableClock) -> None:
        await asyncio.gather(*(small.counters.observe(invented(f"{each}", prints=False)) for each in range(100)))
        clock.move(2 * HOUR)
        while await small.purge(500):
            pass
        seen = [await small.counters.observe(observation(None, tallies=(tally("new"),))) for _ in range(20)]
        assert seen[-1].counts[key("new")] > 0

    # ------------------------------------------------------------------ purges
    async def test_a_flood_of_one_kind_keeps_no_other_from_its_erasure(
        self, small: Store, clock: MovableClock
    ) -> None:
        changes: dict[str, object] = {"state": State.REFUSED, "body": b"short", "received_at": clock.now()}
        await asyncio.gather(*(held(small, f"{number}", **changes) for number in range(100)))
        texts = tuple(key(f"{number}") for number in range(100))
        await small.counters.observe(observation(None, prints=texts))
        await small.ledger.suppress(key("ann"), cause="soft", until=clock.now() + HOUR)
        clock.move(8 * DAY)
        assert await small.purge(56) <= 56
        assert 0 < len(await gone(small, [f"{number}" for number in range(100)])) < 56
        total = 0
        while erased := await small.purge(56):
            total += erased
        assert total > 100

    async def test_replies_without_a_slot_go_before_those_that_budgets_bound(
        self, small: Store, clock: MovableClock
    ) -> None:
        site = spend("SITE_RATE", "site", limit=1, window_s=30 * DAY)
        for number in range(3):
            await small.ledger.reserve(reply(number, site))
        names = [f"submission {number}".encode() for number in range(3)]
        clock.move(30 * DAY - 1)
        await small.purge(500)
        assert len(await small.ledger.replies(names)) == 3
        clock.move(1)
        await small.purge(500)
        assert {row.code for row in (await small.ledger.replies(names)).values()} == {"OK"}


def invented(name: str, *, prints: bool = True) -> Observation:
    """What a bot may make up, many at once: clients, and texts if it likes."""
    names = [f"{name} {number}" for number in range(100)]
    tallies: tuple[Tally, ...] = tuple(tally(each) for each in names)
    texts: tuple[Key, ...] = tuple(key(f"text {each}") for each in names) if prints else ()
    return observation(None, tallies=tallies, prints=texts)
