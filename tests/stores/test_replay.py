"""The journal is replayed oldest first, in order, and once in effect, whenever a process dies."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from formwarden import StoreError
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.journal import Journal
from formwarden.stores.journal_lines import Move
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Inquiry, OutcomeKind, Staff, State
from formwarden.stores.replay import BATCH_LINES, GRACE_S, REFUSED_AFTER, Replay
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.ill_store import Health, IllStore
from tests.soak import runs
from tests.stores.samples import inquiry, outcome, send
from tests.stores.test_journal import LIMIT, done, held, journal_at

pytestmark = pytest.mark.anyio
LEASE_S = 120.0
DOWN = StoreError("disk full")
IDS = ("done", "refused", "held", "dead", "again")


class Died(BaseException):
    """The process is gone."""


class Mortal(Health):
    """Counts what is asked of the store, and dies at one of these, before it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_at = 0

    def check(self, port: str, operation: str) -> None:
        super().check(port, operation)
        if len(self.calls) == self.dies_at:
            raise Died


class Spool:
    """A journal, and the store it is replayed into."""

    def __init__(self, folder: Path, *, limit: int = 10 * LIMIT) -> None:
        self.clock = MovableClock()
        self.faults = Faults(self.clock)
        self.path = folder / "journal"
        self.aside = folder / "journal.aside"
        self.journal = journal_at(self.path, self.clock, self.faults, limit)
        self.health = Mortal()
        well = MemoryStore(clock=self.clock, entropy=system_entropy, settings=Stores())
        self.store = IllStore(well, self.health)
        self.replay = self.another()

    def another(self, journal: Journal | None = None) -> Replay:
        """What another process does."""
        return Replay(
            journal=journal or journal_at(self.path, self.clock, self.faults),
            store=self.store,
            endpoint_lease_s=LEASE_S,
            clock=self.clock,
            faults=self.faults,
        )

    async def outage(self) -> None:
        """Write one of everything that may happen while a store is down."""
        for name in IDS:
            await self.journal.keep(inquiry(name))
        await self.journal.begin_staff(inquiry("done").id, due_at=self.clock.now() + 40)
        await self.journal.move(done("done"))
        await self.journal.staff(inquiry("done").id, to=Staff.SENT)
        refused = Move(inquiry=inquiry("refused").id, expect=frozenset({State.ACCEPTED}), to=State.REFUSED)
        await self.journal.move(replace(refused, answer=(422, "")))
        await self.journal.move(held("held"))
        await self.journal.begin_staff(inquiry("held").id, due_at=self.clock.now() + 40)
        await self.journal.staff(inquiry("held").id, to=Staff.DUE, note="no relay")
        await self.journal.move(held("again"))
        await self.journal.keep(inquiry("again"))
        await self.journal.move(done("again"))
        await self.journal.settle(outcome("sent", OutcomeKind.SENT))

    async def taken_reply(self) -> None:
        """Let a worker have taken a reply before the store went down."""
        await self.store.well.ledger.reserve(send("sent"))
        await self.store.well.ledger.due(1, lease_s=1000)

    async def one(self, name: str | int) -> Inquiry:
        kept = await self.store.well.inquiries.get(inquiry(name).id)
        assert kept is not None
        return kept

    async def states(self) -> list[State]:
        return [(await self.one(name)).state for name in IDS]

    async def reply(self) -> str:
        return (await self.store.well.ledger.replies([b"submission sent"]))[b"submission sent"].state

    def text(self) -> bytes:
        """Everything that lies in the file."""
        return self.path.read_bytes()


AFTER = [State.DONE, State.REFUSED, State.HELD, State.ACCEPTED, State.DONE]


async def test_everything_is_taken_in_order_and_the_file_is_empty(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert await spool.replay.step() == 0
    await spool.taken_reply()
    await spool.outage()
    assert await spool.replay.step() == 16
    assert await spool.states() == AFTER
    assert [(await spool.one(name)).staff for name in IDS] == [Staff.SENT, Staff.NONE, Staff.DUE, *[Staff.NONE] * 2]
    assert (await spool.one("done")).answer == (303, "/thanks")
    assert (await spool.one("held")).staff_note == "no relay"
    assert await spool.reply() == "sent"
    kept = replace(await spool.one("dead"), changed_at=0.0)
    assert kept == replace(inquiry("dead"), changed_at=0.0)
    assert spool.text() == b""
    assert await spool.replay.step() == 0
    assert spool.faults.all() == ()


async def test_an_empty_or_absent_file_costs_the_store_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.replay.step()
    spool.path.write_bytes(b"")
    await spool.replay.step()
    assert spool.store.health_of.calls == []


async def test_a_death_at_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """Whoever dies before the next step has done the one before, and written down nothing of it."""
    at, died = 0, True
    while died:
        at += 1
        assert at < 100
        folder = tmp_path / str(at)
        folder.mkdir()
        spool = Spool(folder)
        await spool.taken_reply()
        await spool.outage()
        whole = spool.text()
        spool.health.dies_at = at
        died = False
        try:
            await spool.replay.step()
        except Died:
            died = True
            assert spool.text() == whole
        spool.health.dies_at = 0
        while spool.journal.size:
            await spool.another().step()
        spool.path.write_bytes(whole)  # and one that dies before it empties the file
        await spool.another().step()
        assert await spool.states() == AFTER
        assert (await spool.one("done")).staff is Staff.SENT
        assert await spool.reply() == "sent"
        assert len((await spool.store.well.inquiries.find(())).rows) == len(IDS)
        assert (spool.faults.all(), spool.text(), spool.aside.exists()) == ((), b"", False)
    assert at > 15


async def test_two_processes_at_once_do_no_harm(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.outage()
    slow, quick = spool.another(), spool.another()
    spool.store.fails("inquiries.staff", DOWN)
    with pytest.raises(StoreError):
        await slow.step()
    spool.store.fails("inquiries.staff", None)
    await quick.step()
    await spool.journal.keep(inquiry("later"))
    await spool.store.well.inquiries.move(
        inquiry("held").id, expect={State.HELD}, to=State.DISCARDED, note="by the owner"
    )
    await slow.step()
    assert (await spool.one("later")).state is State.ACCEPTED
    assert (await spool.one("held")).state is State.DISCARDED
    assert spool.text() == b""


async def test_a_store_that_goes_down_meanwhile_stops_it_and_the_rest_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.outage()
    spool.store.fails("inquiries.staff", DOWN)
    for _ in range(REFUSED_AFTER + 2):
        spool.store.fails("inquiries.get", DOWN)
        with pytest.raises(StoreError):
            await spool.replay.step()
    assert b'"kind":"keep"' not in spool.text()  # what was taken is not kept in clear until then
    spool.store.fails("inquiries.staff", None)
    spool.store.fails("inquiries.get", None)
    await spool.replay.step()
    assert await spool.states() == AFTER
    assert not spool.aside.exists()


@pytest.mark.parametrize("torn", [b'{"v":1,"entry":"ab","kind":"keep', b"\xff\xfe", b'{"v":2,"end":1}', b"[]"])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_line_that_cannot_be_read_is_set_aside_and_blocks_nothing(
    tmp_path: Path, torn: bytes, place: int
) -> None:
    spool = Spool(tmp_path)
    for number in range(2):
        await spool.journal.keep(inquiry(number))
    lines = spool.text().splitlines(keepends=True)
    lines.insert(place, torn + (b"" if place == 2 else b"\n"))
    spool.path.write_bytes(b"".join(lines))
    await spool.another().step()
    assert [(await spool.one(number)).receipt for number in range(2)] == ["R-0", "R-1"]
    assert spool.aside.read_bytes() == torn + b"\n"
    assert spool.text() == b""
    assert spool.faults.of("journal") == 1
    assert (await spool.journal.state()).aside == len(torn) + 1


@pytest.mark.parametrize("error", [ValueError("too large"), OverflowError(), DOWN])
async def test_an_entry_that_a_well_store_refuses_is_set_aside_and_blocks_nothing(
    tmp_path: Path, error: Exception
) -> None:
    spool = Spool(tmp_path)
    for number in range(2):
        await spool.journal.keep(inquiry(number))
    refused = spool.text().splitlines()[0]
    spool.store.fails("inquiries.keep", error)
    for _ in range(REFUSED_AFTER - 1 if error is DOWN else 0):
        with pytest.raises(StoreError):
            await spool.replay.step()
        assert not spool.aside.exists()  # it may be down for a moment only
    real = spool.store.inquiries.keep

    async def only_once(one: Inquiry, /, *, lease_s: float, replaces: bytes | None = None) -> Inquiry | None:
        try:
            return await real(one, lease_s=lease_s, replaces=replaces)
        finally:
            spool.store.fails("inquiries.keep", None)

    spool.store.inquiries.keep = only_once  # type: ignore[method-assign]  # the double's own
    await spool.replay.step()
    assert spool.aside.read_bytes() == refused + b"\n"
    assert (await spool.one(1)).receipt == "R-1"
    assert spool.text() == b""
    assert "too large" not in "".join(fault.why for fault in spool.faults.all())


async def test_what_belongs_to_no_inquiry_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.journal.move(done("nobody"))
    await spool.journal.staff(inquiry("nobody").id, to=Staff.SENT)
    await spool.replay.step()
    assert len(spool.aside.read_bytes().splitlines()) == 2
    assert {fault.why for fault in spool.faults.all()} == {
        "an entry was set aside in journal.aside: its inquiry is not there"
    }


async def test_an_ill_disk_beside_it_keeps_what_cannot_be_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.path.write_bytes(b"torn\n")
    spool.aside.mkdir()
    with pytest.raises(StoreError, match="set aside"):
        await spool.replay.step()
    assert spool.text() == b"torn\n"


async def test_an_ill_journal_is_counted_and_tried_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.path.mkdir()
    assert await spool.replay.step() == 0
    assert spool.faults.of("journal") == 1


async def test_an_endpoint_that_may_be_running_still_keeps_its_lease(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.journal.keep(inquiry("young"))
    await spool.replay.step()
    spool.clock.move(LEASE_S - 1)
    await spool.journal.keep(inquiry("old"))
    spool.clock.move(LEASE_S)
    await spool.replay.step()
    spool.clock.move(GRACE_S - 1)
    claimed = await spool.store.inquiries.claim(State.ACCEPTED, 9, older_than=spool.clock.now(), lease_s=1)
    assert [each.receipt for each in claimed] == ["R-young"]
    spool.clock.move(1)
    claimed = await spool.store.inquiries.claim(State.ACCEPTED, 9, older_than=spool.clock.now(), lease_s=1)
    assert "R-old" in [each.receipt for each in claimed]


async def test_an_answered_question_is_closed_by_the_replay_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.store.well.inquiries.keep(inquiry("asked", state=State.ASKED), lease_s=0)
    await spool.journal.keep(inquiry("answer"), replaces=inquiry("asked").id)
    await spool.replay.step()
    assert (await spool.one("asked")).state is State.DISCARDED


async def test_a_long_one_is_taken_in_steps_while_others_add_to_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=10**7)
    for number in range(2 * BATCH_LINES):
        await spool.journal.keep(inquiry(number, body=b"x"))
    other = journal_at(spool.path, spool.clock, spool.faults, 10**7)
    sizes = []
    for number in range(2 * BATCH_LINES, 2 * BATCH_LINES + 3):
        assert await spool.replay.step() <= BATCH_LINES
        await other.keep(inquiry(number))
        sizes.append(spool.journal.size)
    while spool.journal.size:
        await spool.replay.step()
    assert sizes[0] > sizes[1]
    rows = (await spool.store.well.inquiries.find((), limit=999)).rows
    assert len(rows) == 2 * BATCH_LINES + 3


PROGRAM = """
import asyncio, sys
from pathlib import Path
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.journal import Journal
from formwarden.stores.replay import Replay
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
async def work():
    clock = SystemClock()
    faults = Faults(clock)
    journal = Journal(sys.argv[1], limit_bytes=10**9, clock=clock, entropy=system_entropy, faults=faults)
    store = SqliteStore(sys.argv[2], clock=clock, entropy=system_entropy, settings=Stores(), faults=faults)
    replay = Replay(journal=journal, store=store, endpoint_lease_s=120.0, clock=clock, faults=faults)
    print("ready", flush=True)
    while journal.size:
        await replay.step()
    await store.aclose()
asyncio.run(work())
"""


@pytest.mark.slow
@pytest.mark.soak
async def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chance = Random(4)  # noqa: S311 - moments to kill at
    clock = MovableClock()
    faults = Faults(clock)
    journal = journal_at(tmp_path / "journal", clock, faults, 10**9)
    names = range(150)
    for name in names:
        await journal.keep(inquiry(name))
        if name % 3:
            await journal.move(done(name))
    killed = sum(killed_after(tmp_path, chance.uniform(0, 0.15)) for _ in range(runs(2, 50)))
    killed_after(tmp_path, 60)
    store = SqliteStore(
        str(tmp_path / "store.db"), clock=clock, entropy=system_entropy, settings=Stores(), faults=faults
    )
    rows: Sequence[Inquiry] = (await store.inquiries.find((), limit=999)).rows
    await store.aclose()
    assert journal.size == 0
    assert killed > 0
    states = {row.receipt: row.state for row in rows}
    assert len(rows) == len(names)
    assert states == {f"R-{name}": State.DONE if name % 3 else State.ACCEPTED for name in names}


def killed_after(folder: Path, seconds: float) -> bool:
    """Replay in a process of its own, and kill it after a while; False: it was done before."""
    command = [sys.executable, "-c", PROGRAM, str(folder / "journal"), str(folder / "store.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            return process.wait(seconds) != 0
        except subprocess.TimeoutExpired:
            process.kill()
            return True
