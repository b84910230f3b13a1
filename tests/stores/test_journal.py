"""The journal holds what the store could not take."""

import asyncio
import fcntl
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from formwarden.faults import Faults
from formwarden.stores.journal import Journal
from formwarden.stores.ports import Staff, State
from tests.clock import MovableClock
from tests.stores.samples import inquiry

pytestmark = pytest.mark.anyio


@pytest.fixture
def faults(clock: MovableClock) -> Faults:
    return Faults(clock)


@pytest.fixture
def journal(tmp_path: Path, faults: Faults) -> Journal:
    return Journal(tmp_path / "journal", limit_bytes=20_000, faults=faults)


async def test_inquiries_come_back_whole_and_newest_first(journal: Journal) -> None:
    assert (journal.size, await journal.entries(5)) == (0, ())
    sent = [
        inquiry(1, answer=(303, "/thanks"), note="naïve \ud83d", changed_at=4.0),
        inquiry(2, body=None, recipient=None, lineage=None, state=State.HELD, staff=Staff.DUE),
        inquiry(3, body=b"\n{}\n" * 50),
    ]
    for one in sent:
        assert await journal.append(one)
    assert await journal.entries(5) == tuple(reversed(sent))
    assert await journal.entries(1) == (sent[2],)
    assert await journal.entries(0) == ()
    assert journal.size > 0


async def test_only_its_owner_may_read_it(journal: Journal, tmp_path: Path) -> None:
    await journal.append(inquiry(1))
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o600


async def test_it_is_bounded_and_says_so(journal: Journal, faults: Faults) -> None:
    written = [await journal.append(inquiry(number, body=b"x" * 3000)) for number in range(8)]
    assert written == [True] * 4 + [False] * 4
    assert journal.size <= 20_000
    assert faults.of("journal") == 4
    assert "FORMWARDEN_JOURNAL_BYTES" in faults.all()[0].why
    assert len(await journal.entries(9)) == 4


async def test_a_torn_last_line_swallows_nothing(journal: Journal, tmp_path: Path) -> None:
    await journal.append(inquiry(1))
    whole = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(whole + whole[: len(whole) // 2])
    assert [found.receipt for found in await journal.entries(9)] == ["R-1"]
    assert await journal.append(inquiry(2))
    assert [found.receipt for found in await journal.entries(9)] == ["R-2", "R-1"]


@pytest.mark.parametrize("line", [b"[]", b"null", b"{}", b'{"id": 3}', b"\xff\xfe", b"1" * 300])
async def test_lines_that_are_not_ours_are_left_out(journal: Journal, tmp_path: Path, line: bytes) -> None:
    await journal.append(inquiry(1))
    with (tmp_path / "journal").open("ab") as file:
        file.write(line + b"\n\n")
    await journal.append(inquiry(2))
    assert [found.receipt for found in await journal.entries(9)] == ["R-2", "R-1"]


async def test_an_ill_path_never_raises_and_is_counted(tmp_path: Path, faults: Faults) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "journal"):
        journal = Journal(path, limit_bytes=1000, faults=faults)
        assert not await journal.append(inquiry(1))
        assert await journal.entries(1) == ()
    assert not await Journal(tmp_path / "j", limit_bytes=9_000, faults=faults).append(
        inquiry(1, facts={"a": object()})
    )
    assert faults.of("journal") == 4


async def test_writers_in_several_threads_and_processes_do_not_mix_lines(journal: Journal, tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from formwarden.clock import SystemClock\n"
        "from formwarden.faults import Faults\n"
        "from formwarden.stores.journal import Journal\n"
        "from tests.stores.samples import inquiry\n"
        "async def write():\n"
        "    journal = Journal(sys.argv[1], limit_bytes=10**6, faults=Faults(SystemClock()))\n"
        "    for number in range(20):\n"
        "        assert await journal.append(inquiry(sys.argv[2], body=b'x' * 500))\n"
        "asyncio.run(write())\n"
    )
    path = str(tmp_path / "shared")

    def run(name: str) -> None:
        subprocess.run([sys.executable, "-c", program, path, name], check=True, cwd=Path(__file__).parents[2])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, ("a", "b")))
    read = await Journal(path, limit_bytes=1, faults=Faults(MovableClock())).entries(99)
    assert sorted(found.receipt for found in read) == ["R-a"] * 20 + ["R-b"] * 20
    assert journal.size == 0


async def test_it_waits_for_another_process_that_writes(journal: Journal, tmp_path: Path) -> None:
    await journal.append(inquiry(1))
    descriptor = os.open(tmp_path / "journal", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    appending = asyncio.ensure_future(journal.append(inquiry(2)))
    done, _ = await asyncio.wait([appending], timeout=0.2)
    os.close(descriptor)
    assert not done
    assert await appending
    assert [found.receipt for found in await journal.entries(9)] == ["R-2", "R-1"]
