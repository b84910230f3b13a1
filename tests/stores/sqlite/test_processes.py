"""Many processes on one file, and processes that die."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import apsw
import pytest

from formwarden.stores.breaking import Breaking
from formwarden.stores.ports import Growth, Inquiry, Ours, OutcomeKind
from formwarden.stores.sqlite.locks import open_lock, try_lock
from tests.soak import runs
from tests.stores.samples import account, outcome, send
from tests.stores.sqlite.fleet import FLEET, together
from tests.stores.sqlite.programs import WAIT_S, measure_together, new_store, open_together, reserve_together

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
ROUNDS = runs(3, 50)
MEGABYTE = 1_000_000
RACERS = 8
BUDGET = 50


@contextmanager
def program(name: str, path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A program of programs.py that runs until it is killed."""
    command = [sys.executable, "-m", "tests.stores.sqlite.programs", name, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def run(name: str, path: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end; it must write nothing to stderr but the log's warnings."""
    command = [sys.executable, "-m", "tests.stores.sqlite.programs", name, str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False)


def keeps(process: "subprocess.Popen[str]", name: str, size: int = 0) -> str:
    """Let an obedient program keep one inquiry; return what it says."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{name} {size}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


async def kept(path: Path, name: str | int) -> Inquiry | None:
    """What a new process would find."""
    store = new_store(str(path))
    try:
        return await store.inquiries.get(f"submission {name}".encode())
    finally:
        await store.aclose()


async def half_open(path: str, growth: Growth) -> None:
    """Leave a store with a breaker that lets only probes pass, and something that may grow."""
    store = new_store(path)
    await store.ledger.reserve(send("distrusted", account=account("distrusted")))
    at_once = Breaking(open_s=(0.0, 0.0))
    refusal = outcome("distrusted", OutcomeKind.OURS, ours=Ours.REPUTATION, breaking=at_once)
    await store.ledger.settle(refusal)
    await store.measures.grow(growth, after=None)
    await store.aclose()


def wait_until(true: object) -> None:
    """Wait for another process, in real time; the test's own time limit ends it."""
    assert callable(true)
    for _ in range(int(WAIT_S / 0.05)):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen")


@pytest.mark.soak
def test_eight_processes_open_an_absent_file_at_once(tmp_path: Path) -> None:
    barrier, told = FLEET.Barrier(8), FLEET.Queue()
    together([FLEET.Process(target=open_together, args=(str(tmp_path), ROUNDS, barrier, told)) for _ in range(8)])
    got = [told.get(timeout=WAIT_S) for _ in range(8 * ROUNDS)]
    for number in range(ROUNDS):
        keys = {key for round_, key in got if round_ == number}
        assert len(keys) == 1, keys
        assert all(isinstance(key, bytes) for key in keys), keys


@pytest.mark.soak
def test_eight_processes_racing_get_exactly_the_budget(tmp_path: Path) -> None:
    paths = tuple(str(tmp_path / f"{number}.db") for number in range(runs(1, 20)))
    barrier, told = FLEET.Barrier(RACERS), FLEET.Queue()
    race = [
        FLEET.Process(target=reserve_together, args=(paths, name, BUDGET, barrier, told)) for name in range(RACERS)
    ]
    together(race)
    granted = Counter[str]()
    for _ in range(RACERS * len(paths)):
        granted.update(told.get(timeout=WAIT_S))
    assert granted == dict.fromkeys(paths, BUDGET)


@pytest.mark.soak
def test_eight_processes_racing_take_no_more_places_than_there_are(tmp_path: Path) -> None:
    paths = tuple(str(tmp_path / f"{number}.db") for number in range(runs(1, 20)))
    growth = Growth(cap=50, day=1)
    for path in paths:
        asyncio.run(half_open(path, growth))
    barrier, told = FLEET.Barrier(RACERS), FLEET.Queue()
    race = [
        FLEET.Process(target=measure_together, args=(paths, name, growth, barrier, told)) for name in range(RACERS)
    ]
    together(race)
    taken = Counter[str]()
    for _ in range(RACERS * len(paths)):
        taken.update(told.get(timeout=WAIT_S))
    assert taken == {"probes": 3 * len(paths), "queue": 10 * len(paths), "grown": len(paths)}


@pytest.mark.soak
@pytest.mark.anyio
async def test_a_killed_process_loses_nothing_it_was_promised(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for number in range(ROUNDS):
        path = tmp_path / f"{number}.db"
        with program("keep", path) as process:
            assert process.stdout is not None
            promised = 0
            for _ in range(3 + 4 * number):
                promised = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        store = new_store(str(path))
        for name in range(promised):
            assert await store.inquiries.get(f"submission {name}".encode()) is not None
            assert len(await store.ledger.replies([f"submission {name}".encode()])) == 1
        assert await store.health() is None
        await store.aclose()
        connection = apsw.Connection(str(path))
        assert connection.execute("PRAGMA integrity_check").get == "ok"
        assert (
            connection.execute("SELECT count(*) FROM reply").get
            == connection.execute("SELECT count(*) FROM spend").get
        )
        connection.close()


def test_when_the_process_that_checkpoints_is_killed_another_empties_the_log(tmp_path: Path) -> None:
    path, log = tmp_path / "store.db", tmp_path / "store.db-wal"
    lock = Path(f"{path}-checkpoint.lock")

    def held() -> bool:
        descriptor = open_lock(str(lock))
        try:
            return not try_lock(descriptor)
        finally:
            os.close(descriptor)

    with program("obey", path) as first:
        assert keeps(first, "first") == "kept"
        wait_until(lambda: lock.exists() and held())
        with program("obey", path) as second:
            assert keeps(second, "second") == "kept"
            first.send_signal(signal.SIGSTOP)
            assert keeps(second, "large", MEGABYTE) == "kept"
            assert path.stat().st_size < MEGABYTE < log.stat().st_size, "the one that leads stands still"
            first.send_signal(signal.SIGKILL)
            first.wait(WAIT_S)
            wait_until(lambda: path.stat().st_size > MEGABYTE)
            assert held()
            names = count()

            def begins_anew() -> bool:
                """Tell whether one more change makes the log no longer."""
                size = log.stat().st_size
                assert keeps(second, f"small {next(names)}") == "kept"
                return log.stat().st_size == size

            wait_until(begins_anew)
        second.wait(WAIT_S)
        assert not held()


@pytest.mark.soak
def test_a_fork_has_connections_of_its_own(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        path = tmp_path / f"{number}.db"
        done = run("fork", path)
        assert (done.returncode, done.stderr) == (0, "")
        for name in ("before", "busy", "child", "parent"):
            assert asyncio.run(kept(path, f"{name} 19")) is not None


def test_a_fork_that_python_was_not_told_of_is_refused(tmp_path: Path) -> None:
    done = run("c-fork", tmp_path / "store.db")
    assert (done.returncode, done.stderr) == (7, "")
    assert asyncio.run(kept(tmp_path / "store.db", "parent")) is not None


def test_a_full_disk_is_an_error_with_the_remedy_and_passes(tmp_path: Path) -> None:
    done = run("fill", tmp_path / "store.db")
    assert done.returncode == 0, done.stderr
    assert "disk is full" in done.stdout.splitlines()[0]
    assert int(done.stdout.split()[-1]) > 0


def test_a_process_may_end_without_closing(tmp_path: Path) -> None:
    done = run("leave", tmp_path / "store.db")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert asyncio.run(kept(tmp_path / "store.db", 1)) is not None
