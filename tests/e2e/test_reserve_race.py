"""Eight processes reserve on one file: in no interval of any budget are more granted than it allows (G05, G16)."""

import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from tests.e2e.reserving import OF_A_KIND, WINDOWS, key
from tests.proof import Proof
from tests.soak import runs

pytestmark = [pytest.mark.slow, pytest.mark.soak]

PROCESSES = 8
SECONDS = 3.0
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("_", range(runs(1, 20)))
def test_g05_eight_processes_exceed_no_budget(tmp_path: Path, proof: Proof, _: int) -> None:
    path = tmp_path / "store.db"
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.reserving", f"sqlite:///{path}", str(number), str(SECONDS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    told = [process.communicate(timeout=60)[0].split() for process in _told(running)]
    assert [process.returncode for process in running] == [0] * PROCESSES
    granted, asked = (sum(int(each[place]) for each in told) for place in (0, 1))
    fullest = {kind: _fullest(path, kind) for kind in WINDOWS}
    proof("reservations by eight processes", asked=asked, granted=granted, **fullest)
    assert granted > SECONDS * WINDOWS["site"][1] / WINDOWS["site"][0]
    assert {kind: number <= WINDOWS[kind][1] for kind, number in fullest.items()} == dict.fromkeys(WINDOWS, True)
    assert fullest["site"] == WINDOWS["site"][1]  # and what it allows is really granted
    assert _rows(path) == granted


def _told(running: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all begin at once."""
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return running


def _fullest(path: Path, kind: str) -> int:
    """Count the rows of the fullest interval of this budget, over all its subjects."""
    window_s, _ = WINDOWS[kind]
    most = 0
    with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as connection:
        for number in range(OF_A_KIND[kind]):
            times = [
                at
                for (at,) in connection.execute(
                    "SELECT at FROM spend WHERE key = ? ORDER BY at", (key(kind, number),)
                )
            ]
            most = max([most, *(_within(times, first, window_s) for first in range(len(times)))])
    return most


def _within(times: list[float], first: int, window_s: float) -> int:
    return sum(times[first] <= at <= times[first] + window_s for at in times[first:])


def _rows(path: Path) -> int:
    with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as connection:
        count: int = connection.execute("SELECT count(*) FROM reply WHERE state = 'due'").get
    return count
