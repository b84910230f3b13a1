"""What every store's inquiries keep to."""

from dataclasses import replace
from itertools import count
from typing import Final

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from formwarden.stores.ports import Inquiry, Staff, State, Store
from tests.clock import MovableClock
from tests.soak import runs
from tests.stores.samples import InquiryChanges, Spooled, Unreadable, inquiry

STATES: Final = (State.DONE, State.HELD, State.REJECTED)
EXAMPLES: Final = count()
PROPERTY: Final = settings(
    max_examples=runs(30, 500),
    # One store serves all examples, which know nothing of each other; several classes inherit each test.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


async def kept(store: Store, name: int | str) -> Inquiry:
    """What is kept under this name."""
    found = await store.inquiries.get(f"submission {name}".encode())
    assert found is not None
    return found


@pytest.mark.anyio
class InquiriesContract:
    """Inherited by the test class of each store."""

    async def test_an_inquiry_comes_back_as_it_was(self, store: Store, clock: MovableClock) -> None:
        whole = inquiry(1, answer=(303, "/thanks?r=ü"), note="why", staff_note="250 ok", staff=Staff.SENT)
        bare = inquiry(2, body=None, recipient=None, lineage=None, hits={}, evidence={}, facts={})
        for sent in (whole, bare):
            assert await store.inquiries.keep(sent, lease_s=0) is None
            assert await store.inquiries.get(sent.id) == replace(sent, changed_at=clock.now())
        assert await store.inquiries.get(b"nobody's") is None

    async def test_a_body_in_a_file_is_read_when_it_is_written_down(self, store: Store) -> None:
        assert (
            await store.inquiries.keep(replace(inquiry(1, body=b""), spooled=Spooled(b"in a file")), lease_s=0)
            is None
        )
        found = await kept(store, 1)
        assert (found.body, found.spooled) == (b"in a file", None)
        again = await store.inquiries.keep(replace(inquiry(1), spooled=Unreadable()), lease_s=0)
        assert again == found

    async def test_a_body_that_cannot_be_read_is_not_kept_without_it(self, store: Store) -> None:
        with pytest.raises(OSError, match="the disk is gone"):
            await store.inquiries.keep(replace(inquiry(1), spooled=Unreadable()), lease_s=0)
        assert await store.inquiries.get(b"submission 1") is None

    async def test_no_text_makes_keeping_fail(self, store: Store) -> None:
        torn = "half a pair \ud83d, \0 and \r\n"
        sent = inquiry(1, note=torn, staff_note=torn, recipient=f"{torn}@example.com", evidence={torn: torn})
        assert await store.inquiries.keep(sent, lease_s=0) is None
        found = await kept(store, 1)
        assert found.evidence == {torn: torn}
        assert found.note.replace("\ufffd", "\ud83d") == torn
        assert await store.inquiries.move(b"submission 1", expect={State.ACCEPTED}, to=State.HELD, note=torn)
        assert await store.inquiries.staff(b"submission 1", to=Staff.DUE, note=torn)

    async def test_keeping_the_same_id_again_changes_nothing(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        before = await kept(store, 1)
        clock.move(5)
        again = await store.inquiries.keep(inquiry(1, state=State.HELD, body=b"other", score=9.0), lease_s=0)
        assert again == before
        assert await kept(store, 1) == before

    async def test_g22_an_answer_discards_what_was_asked(self, store: Store) -> None:
        await store.inquiries.keep(inquiry("asked", state=State.ASKED), lease_s=60)
        await store.inquiries.keep(inquiry("answer"), lease_s=0, replaces=b"submission asked")
        asked = await kept(store, "asked")
        assert (asked.state, asked.note) == (State.DISCARDED, "answered by R-answer")

    @pytest.mark.parametrize("changes", [{"state": State.HELD}, {"state": State.ASKED, "form": "other"}])
    async def test_only_an_asked_inquiry_of_the_same_form_is_discarded(
        self, store: Store, changes: InquiryChanges
    ) -> None:
        await store.inquiries.keep(inquiry("first", **changes), lease_s=0)
        before = await kept(store, "first")
        await store.inquiries.keep(inquiry("answer"), lease_s=0, replaces=b"submission first")
        assert await kept(store, "first") == before

    async def test_a_move_needs_an_expected_state(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        clock.move(3)
        moved = await store.inquiries.move(
            b"submission 1", expect={State.ACCEPTED, State.HELD}, to=State.DONE, note="200", answer=(200, "/t")
        )
        assert moved
        done = await kept(store, 1)
        assert (done.state, done.note, done.answer, done.changed_at) == (State.DONE, "200", (200, "/t"), clock.now())
        assert not await store.inquiries.move(b"submission 1", expect={State.ACCEPTED}, to=State.HELD, note="")
        assert not await store.inquiries.move(b"nobody's", expect=set(State), to=State.HELD, note="")
        assert await kept(store, 1) == done

    async def test_a_move_without_an_answer_keeps_the_earlier_one(self, store: Store) -> None:
        await store.inquiries.keep(inquiry(1, answer=(303, "/thanks")), lease_s=0)
        await store.inquiries.move(b"submission 1", expect={State.ACCEPTED}, to=State.HELD, note="")
        assert (await kept(store, 1)).answer == (303, "/thanks")

    async def test_of_many_movers_one_wins(self, store: Store) -> None:
        await store.inquiries.keep(inquiry(1, state=State.HELD), lease_s=0)
        won: list[bool] = []

        async def release() -> None:
            held = {State.HELD, State.REJECTED}
            won.append(await store.inquiries.move(b"submission 1", expect=held, to=State.RELEASING, note=""))

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(release)
        assert sorted(won) == [False] * 9 + [True]

    @pytest.mark.parametrize("state", sorted(set(State)))
    async def test_of_many_ways_out_of_a_state_one_is_taken(self, store: Store, state: State) -> None:
        await store.inquiries.keep(inquiry(1, state=state), lease_s=0)
        ways = sorted(set(State) - {state})
        won: list[State] = []

        async def leave(way: State) -> None:
            if await store.inquiries.move(b"submission 1", expect={state}, to=way, note=f"to {way}"):
                won.append(way)

        async with anyio.create_task_group() as group:
            for way in ways * 2:
                group.start_soon(leave, way)
        assert len(won) == 1
        found = await kept(store, 1)
        assert (found.state, found.note) == (won[0], f"to {won[0]}")

    async def test_of_racing_tries_of_one_submission_one_is_new(self, store: Store) -> None:
        await store.inquiries.keep(inquiry("asked", state=State.ASKED), lease_s=0)
        got: list[Inquiry | None] = []

        async def keep(number: int) -> None:
            sent = inquiry(1, body=b"%d" % number)
            got.append(await store.inquiries.keep(sent, lease_s=60, replaces=b"submission asked"))

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(keep, number)
        first = await kept(store, 1)
        assert sorted(got, key=bool) == [None, *[first] * 9]

    async def test_racing_claimers_share_what_waits_and_none_gets_anothers(
        self, store: Store, clock: MovableClock
    ) -> None:
        for number in range(12):
            await store.inquiries.keep(inquiry(number, staff=Staff.DUE), lease_s=0)
        clock.move(1)
        got: list[str] = []
        mail: list[str] = []

        async def claim() -> None:
            found = await store.inquiries.claim(State.ACCEPTED, 3, older_than=clock.now(), lease_s=60)
            got.extend(one.receipt for one in found)
            mail.extend(one.receipt for one in await store.inquiries.claim_staff(3, lease_s=60))

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(claim)
        assert sorted(got) == sorted(mail) == sorted(f"R-{number}" for number in range(12))

    async def test_a_claim_takes_what_waited_long_enough_once(self, store: Store, clock: MovableClock) -> None:
        for number in range(3):
            await store.inquiries.keep(inquiry(number), lease_s=100)
            clock.move(10)
        await store.inquiries.keep(inquiry("held", state=State.HELD), lease_s=0)
        old = clock.now() - 10
        assert await store.inquiries.claim(State.ACCEPTED, 10, older_than=old, lease_s=60) == ()
        clock.move(100)
        claimed = await store.inquiries.claim(State.ACCEPTED, 1, older_than=old, lease_s=60)
        assert [found.receipt for found in claimed] == ["R-0"]
        claimed = await store.inquiries.claim(State.ACCEPTED, 10, older_than=old, lease_s=60)
        assert [found.receipt for found in claimed] == ["R-1"]
        assert claimed[0] == await kept(store, 1)
        clock.move(60)
        claimed = await store.inquiries.claim(State.ACCEPTED, 10, older_than=clock.now(), lease_s=60)
        assert [found.receipt for found in claimed] == ["R-0", "R-1", "R-2"]

    async def test_a_lease_of_a_move_keeps_claimers_away(self, store: Store, clock: MovableClock) -> None:
        await store.inquiries.keep(inquiry(1, state=State.HELD), lease_s=0)
        await store.inquiries.move(b"submission 1", expect={State.HELD}, to=State.RELEASING, note="", lease_s=60)
        clock.move(59)
        assert await store.inquiries.claim(State.RELEASING, 1, older_than=clock.now(), lease_s=1) == ()
        clock.move(1)
        assert len(await store.inquiries.claim(State.RELEASING, 1, older_than=clock.now(), lease_s=1)) == 1

    async def test_g24_staff_mail_is_given_out_under_a_lease(self, store: Store, clock: MovableClock) -> None:
        for number in (2, 1):
            received_at = clock.now() + number
            await store.inquiries.keep(inquiry(number, staff=Staff.DUE, received_at=received_at), lease_s=0)
        await store.inquiries.keep(inquiry("none"), lease_s=0)
        first = await store.inquiries.claim_staff(1, lease_s=60)
        assert [found.receipt for found in first] == ["R-1"]
        assert [found.receipt for found in await store.inquiries.claim_staff(9, lease_s=60)] == ["R-2"]
        assert await store.inquiries.claim_staff(9, lease_s=60) == ()
        clock.move(60)
        assert len(await store.inquiries.claim_staff(9, lease_s=60)) == 2

    async def test_g24_staff_mail_waits_until_it_is_due_and_sent_never_goes_back(
        self, store: Store, clock: MovableClock
    ) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        assert await store.inquiries.staff(b"submission 1", to=Staff.DUE)
        assert len(await store.inquiries.claim_staff(9, lease_s=60)) == 1
        await store.inquiries.staff(b"submission 1", to=Staff.DUE, note="451", due_at=clock.now() + 30)
        assert await store.inquiries.claim_staff(9, lease_s=60) == ()
        clock.move(30)
        assert [found.staff_note for found in await store.inquiries.claim_staff(9, lease_s=60)] == ["451"]
        changed_at = (await kept(store, 1)).changed_at
        assert await store.inquiries.staff(b"submission 1", to=Staff.SENT, note="250")
        assert await store.inquiries.staff(b"submission 1", to=Staff.DUE, note="again")
        found = await kept(store, 1)
        assert (found.staff, found.staff_note, found.changed_at) == (Staff.SENT, "250", changed_at)
        assert not await store.inquiries.staff(b"nobody's", to=Staff.SENT)

    async def test_pages_come_newest_first_and_miss_nothing(self, store: Store) -> None:
        states = (State.DONE, State.HELD, State.REJECTED)
        for number in range(20):  # five at each moment: the id decides among them
            sent = inquiry(f"{number:02}", state=states[number % 3], received_at=float(number // 5))
            await store.inquiries.keep(sent, lease_s=0)
        for chosen in ((), (State.HELD,), (State.HELD, State.DONE)):
            wanted = [f"R-{number:02}" for number in range(19, -1, -1) if not chosen or states[number % 3] in chosen]
            got: list[str] = []
            after: str | None = None
            while True:
                page = await store.inquiries.find(chosen, after=after, limit=6)
                got += [found.receipt for found in page.rows]
                assert len(page.rows) <= 6
                if page.after is None:
                    break
                after = page.after
            assert got == wanted

    @PROPERTY
    @given(
        moments=st.lists(st.integers(0, 4), min_size=4, max_size=25),
        between=st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 40), st.sampled_from(STATES)), min_size=1, max_size=10
        ),
        limit=st.integers(1, 7),
        chosen=st.sampled_from([(), (State.HELD,), (State.HELD, State.REJECTED)]),
    )
    @example(moments=[1, 0, 2, 0], between=[(1, 9, State.HELD)], limit=1, chosen=())
    async def test_whoever_turns_pages_sees_each_row_once_whatever_comes_between(
        self,
        store: Store,
        moments: list[int],
        between: list[tuple[int, int, State]],
        limit: int,
        chosen: tuple[State, ...],
    ) -> None:
        begin = 1e9 + 10 * next(EXAMPLES)  # newer than all examples before, whose rows come last
        standing: dict[bytes, State] = {}
        for number, moment in enumerate(moments):
            sent = inquiry(f"{begin} {number}", state=STATES[number % 3], received_at=begin + moment)
            await store.inquiries.keep(sent, lease_s=0)
            standing[sent.id] = sent.state
        stayed = set(standing)
        seen: list[tuple[float, bytes]] = []
        after: str | None = None
        for turn in range(100):
            page = await store.inquiries.find(chosen, after=after, limit=limit)
            seen += [(found.received_at, found.id) for found in page.rows if found.received_at >= begin]
            after = page.after
            if after is None or len(seen) < turn * limit:
                break
            moment, number, state = between[turn % len(between)]
            new = inquiry(f"{begin} new {turn}", state=state, received_at=begin + moment)
            await store.inquiries.keep(new, lease_s=0)
            gone = f"submission {begin} {number}".encode()
            if await store.inquiries.move(gone, expect=set(State), to=state, note=""):
                stayed.discard(gone)
        assert seen == sorted(set(seen), reverse=True), "in order, none twice"
        wanted = {name for name in stayed if not chosen or standing[name] in chosen}
        assert wanted <= {name for _, name in seen}, "none that stood there all the time is left out"

    async def test_a_page_that_is_just_full_is_the_last(self, store: Store) -> None:
        for number in range(4):
            await store.inquiries.keep(inquiry(number), lease_s=0)
        page = await store.inquiries.find((), limit=2)
        page = await store.inquiries.find((), after=page.after, limit=2)
        assert (len(page.rows), page.after) == (2, None)

    @pytest.mark.parametrize("after", ["", "junk", "0x1p3~zz", "nan~00", "inf~", "zz~00", "0x1p99999~00"])
    async def test_a_key_that_is_none_begins_at_the_newest(self, store: Store, after: str) -> None:
        await store.inquiries.keep(inquiry(1), lease_s=0)
        assert len((await store.inquiries.find((), after=after)).rows) == 1
