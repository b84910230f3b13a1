"""The journal holds what the store could not take."""

import asyncio
import fcntl
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.journal import Journal, JournalState, Spooled
from formwarden.stores.journal_file import Place
from formwarden.stores.journal_lines import ROOM, Move
from formwarden.stores.ports import OutcomeKind, Staff, State
from tests.clock import MovableClock
from tests.stores.samples import Spooled as SpooledBody
from tests.stores.samples import Unreadable, inquiry, outcome

pytestmark = pytest.mark.anyio
LIMIT = 20_000 + 4 * ROOM
DONE = frozenset({State.ACCEPTED, State.HELD})


@pytest.fixture
def faults(clock: MovableClock) -> Faults:
    return Faults(clock)


def journal_at(path: Path, clock: MovableClock, faults: Faults, limit: int = LIMIT) -> Journal:
    return Journal(path, limit_bytes=limit, clock=clock, entropy=system_entropy, faults=faults)


@pytest.fixture
def journal(tmp_path: Path, clock: MovableClock, faults: Faults) -> Journal:
    return journal_at(tmp_path / "journal", clock, faults)


def done(name: int | str, *, location: str = "/thanks") -> Move:
    return Move(inquiry=inquiry(name).id, expect=DONE, to=State.DONE, answer=(303, location))


def held(name: int | str) -> Move:
    note = "endpoint failed: 500"
    return Move(inquiry=inquiry(name).id, expect=frozenset({State.ACCEPTED}), to=State.HELD, note=note)


def modes(folder: Path) -> dict[str, int]:
    """The files that lie there, and who may read them."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def blank(path: Path, size: int) -> None:
    """Erase the first line, as `formwarden store erase` does."""
    path.write_bytes(b"\n" * size + path.read_bytes()[size:])


async def receipts(journal: Journal) -> list[str]:
    return [found.receipt for found in await journal.entries(99)]


async def test_inquiries_come_back_whole_and_newest_first(journal: Journal) -> None:
    assert (journal.size, await journal.entries(5), await journal.state()) == (0, (), JournalState())
    sent = [
        inquiry(1, answer=(303, "/thanks"), note="naïve \ud83d", changed_at=4.0),
        inquiry(2, body=None, recipient=None, lineage=None, state=State.HELD, staff=Staff.DUE),
        inquiry(3, body=b"\n{}\n" * 50),
    ]
    for one in sent:
        assert await journal.keep(one) == Spooled(kept=True)
    assert await journal.entries(5) == tuple(reversed(sent))
    assert await journal.entries(1) == (sent[2],)
    assert await journal.entries(0) == ()
    assert await journal.state() == JournalState(size=journal.size, inquiries=3)


async def test_only_its_owner_may_read_it_and_what_is_beside_it(
    journal: Journal, tmp_path: Path, clock: MovableClock, faults: Faults
) -> None:
    for number in range(3):
        await journal.keep(inquiry(number))
    batch = await journal.batch(Place(), 1)
    assert batch is not None
    assert await journal.drop(batch.end)
    await journal.set_aside(b"torn", "no reason")
    assert modes(tmp_path) == {"journal": 0o600, "journal.aside": 0o600}
    assert await receipts(journal_at(tmp_path / "journal", clock, faults)) == ["R-2", "R-1"]


async def test_a_large_body_is_read_from_where_it_lies(journal: Journal) -> None:
    await journal.keep(replace(inquiry(1, body=None), spooled=SpooledBody(b"large")))
    (found,) = await journal.entries(1)
    assert (found.body, found.spooled) == (b"large", None)


async def test_it_is_bounded_and_says_so(journal: Journal, faults: Faults) -> None:
    written = [(await journal.keep(inquiry(number, body=b"x" * 3000))).kept for number in range(8)]
    assert written == [True] * 4 + [False] * 4
    assert journal.size <= 20_000
    assert faults.of("journal") == 4
    assert "FORMWARDEN_JOURNAL_BYTES" in faults.all()[0].why
    assert len(await journal.entries(9)) == 4


async def test_a_full_one_has_room_for_how_each_of_its_inquiries_ended(
    tmp_path: Path, journal: Journal, clock: MovableClock, faults: Faults
) -> None:
    for number in range(8):
        await journal.keep(inquiry(number, body=b"x" * 3000))
    other = journal_at(tmp_path / "journal", clock, faults)  # another process knows of the room, too
    assert not (await other.keep(inquiry("one more"))).kept
    while await other.settle(outcome(1, OutcomeKind.SENT)):
        assert other.size <= LIMIT  # what has no room of its own takes nobody else's
    assert not await other.move(done("in the store"))
    longest = "ü" * 500
    for number in range(4):
        assert await journal.begin_staff(inquiry(number).id, due_at=1e10)
        assert await other.move(replace(done(number, location="/" + longest), note=longest))
        assert await journal.staff(inquiry(number).id, to=Staff.DUE, note=longest)
    assert journal.size <= LIMIT
    assert [found.state for found in await journal.entries(9)] == [State.DONE] * 4


async def test_what_is_set_aside_counts_towards_the_bound(journal: Journal) -> None:
    await journal.set_aside(b"x" * (LIMIT - ROOM - 100), "no reason")
    assert not (await journal.keep(inquiry(1))).kept


async def test_a_torn_last_line_swallows_nothing(journal: Journal, tmp_path: Path) -> None:
    await journal.keep(inquiry(1))
    whole = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(whole + whole[: len(whole) // 2])
    assert await receipts(journal) == ["R-1"]
    assert (await journal.keep(inquiry(2))).kept
    assert await receipts(journal) == ["R-2", "R-1"]


@pytest.mark.parametrize("line", [b"[]", b"null", b"{}", b'{"id": 3}', b"\xff\xfe", b"1" * 300])
async def test_lines_that_are_not_ours_are_left_out(journal: Journal, tmp_path: Path, line: bytes) -> None:
    await journal.keep(inquiry(1))
    with (tmp_path / "journal").open("ab") as file:
        file.write(line + b"\n\n")
    await journal.keep(inquiry(2))
    assert await receipts(journal) == ["R-2", "R-1"]


async def test_an_ill_path_never_raises_and_is_counted(tmp_path: Path, clock: MovableClock, faults: Faults) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "journal"):
        journal = journal_at(path, clock, faults)
        assert not (await journal.keep(inquiry(1))).kept
        assert not journal.has(inquiry(1).id)
        assert await journal.entries(1) == ()
        assert not await journal.move(done(1))
        assert not await journal.set_aside(b"x", "no reason")
        assert await journal.begin_staff(b"1", due_at=1.0)  # the mail is sent: unspooled is better than untold
    before = faults.of("journal")
    well = journal_at(tmp_path / "j", clock, faults)
    assert not (await well.keep(inquiry(1, facts={"a": object()}))).kept
    assert not (await well.keep(replace(inquiry(1), spooled=Unreadable()))).kept
    assert (before, faults.of("journal")) == (9, 11)


async def test_a_second_click_changes_nothing_in_whichever_process(
    tmp_path: Path, journal: Journal, clock: MovableClock, faults: Faults
) -> None:
    other = journal_at(tmp_path / "journal", clock, faults)
    await journal.keep(inquiry(1))
    assert await other.keep(inquiry(1)) == Spooled(kept=True, before=State.ACCEPTED)
    await journal.move(done(1))
    assert await other.keep(inquiry(1)) == Spooled(kept=True, before=State.DONE)
    assert other.has(inquiry(1).id)
    assert (await journal.state()).inquiries == 1


async def test_it_runs_again_after_its_endpoint_failed_and_only_then(journal: Journal) -> None:
    await journal.keep(inquiry(1))
    await journal.move(held(1))
    assert await journal.keep(inquiry(1)) == Spooled(kept=True)
    assert await journal.keep(inquiry(1)) == Spooled(kept=True, before=State.ACCEPTED)
    await journal.keep(inquiry(2, state=State.HELD))
    assert await journal.keep(inquiry(2)) == Spooled(kept=True, before=State.HELD)


async def test_the_staff_are_told_once(tmp_path: Path, journal: Journal, clock: MovableClock, faults: Faults) -> None:
    await journal.keep(inquiry(1))
    assert await journal.begin_staff(inquiry(1).id, due_at=1e10)
    assert not await journal_at(tmp_path / "journal", clock, faults).begin_staff(inquiry(1).id, due_at=1e10)


async def test_nothing_that_was_added_meanwhile_is_dropped(
    tmp_path: Path, journal: Journal, clock: MovableClock, faults: Faults
) -> None:
    await journal.keep(inquiry(1))
    batch = await journal.batch(Place(), 9)
    assert batch is not None
    taken = batch.end
    other = journal_at(tmp_path / "journal", clock, faults)
    await other.keep(inquiry(2))
    assert await journal.drop(taken)
    assert await receipts(journal) == ["R-2"]
    assert not await journal.drop(taken)  # the file is another one by now
    assert await receipts(other) == ["R-2"]
    assert (await other.keep(inquiry(3))).kept
    assert await receipts(journal) == ["R-3", "R-2"]


async def test_a_place_in_a_file_that_was_emptied_or_changed_since_is_none(tmp_path: Path, journal: Journal) -> None:
    """Lines that were erased are blank; two files may begin alike then."""
    for number in range(3):
        await journal.keep(inquiry(number))
    first = (tmp_path / "journal").read_bytes().index(b"\n")
    blank(tmp_path / "journal", first)
    one = await journal.batch(Place(), 1)
    assert one is not None
    everything = await journal.batch(Place(), 9)
    assert everything is not None
    assert await journal.drop(everything.end)
    for number in range(3, 6):
        await journal.keep(inquiry(number))
    blank(tmp_path / "journal", first)
    assert not await journal.drop(one.lines[0].behind)
    again = await journal.batch(one.lines[0].behind, 9)
    assert again is not None
    assert len(again.lines) == 2
    assert (await journal.state()).inquiries == 2


async def test_dropping_all_leaves_an_empty_file_and_no_half_copy(journal: Journal, tmp_path: Path) -> None:
    await journal.keep(inquiry(1))
    (tmp_path / "journal.rest").write_bytes(b"a process died while it copied")
    batch = await journal.batch(Place(), 9)
    assert batch is not None
    assert await journal.drop(batch.end)
    assert (journal.size, await journal.entries(9)) == (0, ())
    assert modes(tmp_path) == {"journal": 0o600}


async def test_a_line_is_set_aside_once_and_counted(journal: Journal, tmp_path: Path, faults: Faults) -> None:
    for line in (b"one", b"two", b"one", b"two", b"wo"):
        assert await journal.set_aside(line, "a line cannot be read")
    assert (tmp_path / "journal.aside").read_bytes() == b"one\ntwo\nwo\n"
    assert faults.of("journal") == 5
    assert (await journal.state()).aside == 11
    assert faults.all()[0].why == "an entry was set aside in journal.aside: a line cannot be read"


async def test_outcomes_wait_until_they_are_dropped(journal: Journal) -> None:
    assert not await journal.unsettled()
    await journal.keep(inquiry(1))
    assert not await journal.unsettled()
    await journal.settle(outcome(1, OutcomeKind.SENT))
    assert await journal.unsettled()
    assert (await journal.state()).outcomes == 1
    batch = await journal.batch(Place(), 9)
    assert batch is not None
    await journal.drop(batch.end)
    assert not await journal.unsettled()


async def test_where_it_cannot_be_seen_what_waits_outcomes_may(tmp_path: Path, clock: MovableClock) -> None:
    assert await journal_at(tmp_path, clock, Faults(clock)).unsettled()  # a directory has a size


async def test_writers_in_several_threads_and_processes_do_not_mix_lines(journal: Journal, tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from formwarden.faults import Faults\n"
        "from tests.clock import MovableClock\n"
        "from tests.stores.samples import inquiry\n"
        "from tests.stores.test_journal import journal_at\n"
        "async def write():\n"
        "    clock = MovableClock()\n"
        "    journal = journal_at(Path(sys.argv[1]), clock, Faults(clock), 10**6)\n"
        "    for number in range(20):\n"
        "        assert (await journal.keep(inquiry(f'{sys.argv[2]}{number}', body=b'x' * 500))).kept\n"
        "asyncio.run(write())\n"
    )
    path = tmp_path / "shared"

    def run(name: str) -> None:
        subprocess.run([sys.executable, "-c", program, str(path), name], check=True, cwd=Path(__file__).parents[2])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, ("a", "b")))
    clock = MovableClock()
    read = await receipts(journal_at(path, clock, Faults(clock)))
    assert sorted(read) == sorted(f"R-{name}{number}" for name in "ab" for number in range(20))
    assert journal.size == 0


async def test_it_waits_for_another_process_that_writes(journal: Journal, tmp_path: Path) -> None:
    await journal.keep(inquiry(1))
    descriptor = os.open(tmp_path / "journal", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    appending = asyncio.ensure_future(journal.keep(inquiry(2)))
    waited, _ = await asyncio.wait([appending], timeout=0.2)
    os.close(descriptor)
    assert not waited
    assert (await appending).kept
    assert await receipts(journal) == ["R-2", "R-1"]


async def test_who_waited_for_a_file_that_was_replaced_writes_into_the_new_one(
    journal: Journal, tmp_path: Path
) -> None:
    await journal.keep(inquiry(1))
    descriptor = os.open(tmp_path / "journal", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    appending = asyncio.ensure_future(journal.keep(inquiry(2)))
    await asyncio.wait([appending], timeout=0.2)
    (tmp_path / "new").write_bytes(b"")
    (tmp_path / "new").rename(tmp_path / "journal")
    os.close(descriptor)
    assert (await appending).kept
    assert await receipts(journal) == ["R-2"]
