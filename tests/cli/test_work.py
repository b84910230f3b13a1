"""`formwarden work` finds the site's warden, and does one pass or goes on until it is stopped (G19)."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import anyio
import pytest

from formwarden.cli import main
from formwarden.cli.apps import load
from formwarden.cli.work import Teller, go_on
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.parts import PACES
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Store
from formwarden.stores.runs import TaskState
from formwarden.stores.settings import Stores
from formwarden.work import Turn
from tests.clock import MovableClock

SRC: Final = Path(__file__).parents[2] / "src"
PATIENCE_S: Final = 20


def last_runs(site: Path) -> Mapping[str, TaskState]:
    """What the store knows of the tasks, as another process reads it."""

    async def read() -> Mapping[str, TaskState]:
        store = opened(site)
        try:
            return await store.tasks()
        finally:
            await store.aclose()

    return anyio.run(read)


def opened(site: Path) -> Store:
    clock = SystemClock()
    url = f"sqlite:///{site}/site.db"
    return open_store(url, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))


def lease(site: Path, task: str, holder: str) -> None:
    async def take() -> None:
        store = opened(site)
        assert await store.lease(task, holder, seconds=600)
        await store.aclose()

    anyio.run(take)


def test_g19_one_pass_says_what_each_task_did_and_the_store_is_closed(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = set(threading.enumerate())
    assert main(["work", "--once", "--app", "guarded_site:warden"]) == 0
    *tasks, whole = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in tasks] == [[task, "0 done"] for task in PACES]
    assert whole == "work: 0 done"
    assert (site / "site.db").exists()
    assert set(threading.enumerate()) <= threads


def test_g19_the_last_runs_stand_in_the_store_and_no_lease_does(site: Path) -> None:
    main(["work", "--once", "--quiet", "--app", "guarded_site:warden"])
    tasks = last_runs(site)
    assert tasks.keys() == PACES.keys()
    assert {state.holder for state in tasks.values()} == {None}
    assert all(state.last is not None and not state.last.failed for state in tasks.values())


def test_what_another_process_does_is_left_to_it(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lease(site, "purge", "0badc0de-4711")
    assert main(["work", "--once", "--app", "guarded_site:warden"]) == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("purge")]
    assert line.split(maxsplit=1)[1] == "left to process 4711, which does it now"


def test_json_says_the_same(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lease(site, "purge", "0badc0de-4711")
    main(["work", "--once", "--json", "--app", "guarded_site:warden"])
    said = json.loads(capsys.readouterr().out)
    assert said["done"] == 0
    turns = {each.pop("task"): each for each in said["tasks"]}
    assert turns["outbox"] == {"done": 0, "leased": True, "holder": "", "error": ""}
    assert turns["purge"] == {"done": 0, "leased": False, "holder": "0badc0de-4711", "error": ""}


def test_a_task_that_fails_is_told_with_its_remedy_and_in_the_exit_code(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "site.db").write_bytes(b"no database at all" * 999)
    assert main(["work", "--once", "--app", "guarded_site:warden"]) == 1
    assert "purge    failed: the store site.db is no database of ours" in capsys.readouterr().out
    assert main(["work", "--once", "--quiet", "--app", "guarded_site:warden"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "purge: failed: the store site.db" in captured.err
    assert (site / "site.db").read_bytes().startswith(b"no database")


def test_cron_hears_nothing_of_a_pass_that_went_well(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.exists()
    assert main(["work", "--once", "--quiet", "--app", "guarded_site:warden"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


class Stopping(Teller):
    """Sends a signal when it first hears of anything, as a person or a service manager does."""

    def __init__(self, clock: MovableClock, number: signal.Signals) -> None:
        super().__init__(clock, as_json=False, quiet=False)
        self._number = number
        self.heard: list[Turn] = []

    def __call__(self, turn: Turn) -> None:
        self.heard.append(turn)
        if len(self.heard) == 1:
            signal.raise_signal(self._number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(
    site: Path, clock: MovableClock, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    teller, before = Stopping(clock, number), signal.getsignal(number)
    anyio.run(go_on, load("guarded_site:warden"), teller)
    assert capsys.readouterr().out == "stopped\n"
    assert teller.heard
    assert {state.holder for state in last_runs(site).values()} == {None}
    assert signal.getsignal(number) is before


STOPPING: Final = """
import signal
from formwarden.clock import SystemClock


class Clock(SystemClock):
    told = False

    async def sleep(self, seconds: float) -> None:
        if not self.told:
            self.told = True
            signal.raise_signal(signal.SIGTERM)
        await super().sleep(seconds)


"""


def test_without_once_it_goes_on_until_it_is_stopped(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (site / "guarded_site.py").read_text().replace("settings=SETTINGS", "settings=SETTINGS, clock=Clock()")
    (site / "guarded_site.py").write_text(STOPPING + text)
    assert main(["work", "--app", "guarded_site:warden"]) == 0
    assert capsys.readouterr().out == "stopped\n"
    assert {state.holder for state in last_runs(site).values()} == {None}


class Deaf(Teller):
    """Cannot print: what it prints to is gone."""

    def __call__(self, turn: Turn) -> None:
        raise BrokenPipeError(turn.task)


def test_what_ends_the_work_is_raised_and_the_leases_are_free(site: Path, clock: MovableClock) -> None:
    with pytest.raises(BrokenPipeError):
        anyio.run(go_on, load("guarded_site:warden"), Deaf(clock, as_json=False, quiet=False))
    assert {state.holder for state in last_runs(site).values()} == {None}


@pytest.mark.slow
def test_g19_it_works_until_it_is_stopped_and_its_leases_are_free_at_once(site: Path) -> None:
    env = {"PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "formwarden", "work", "--app", "guarded_site:warden"]
    with subprocess.Popen(
        command, cwd=site, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as it:
        assert eventually(lambda: (site / "site.db").exists() and last_runs(site).keys() == PACES.keys())
        held = {(state.holder or "").rpartition("-")[2] for state in last_runs(site).values()}
        it.terminate()
        said, errors = it.communicate(timeout=PATIENCE_S)
    assert held == {str(it.pid)}
    assert (it.returncode, said, errors) == (0, "stopped\n", "")
    assert {state.holder for state in last_runs(site).values()} == {None}


def eventually(holds: Callable[[], bool]) -> bool:
    """Say whether it comes true while another process works; the waits are in real time, for no clock moves that."""
    pause, tries = threading.Event(), PATIENCE_S * 20
    return any(holds() or pause.wait(0.05) for _ in range(tries))


# ------------------------------------------------------------------ what is said while it goes on
def test_a_pass_that_did_something_is_a_line(clock: MovableClock, capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(clock, as_json=False, quiet=False)
    teller(Turn(task="outbox", done=0))
    teller(Turn(task="outbox", done=2))
    teller(Turn(task="purge", leased=False))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split(maxsplit=1)[1] == "outbox: 2 done"


def test_a_failure_is_said_once_until_it_is_another_or_over(
    clock: MovableClock, capsys: pytest.CaptureFixture[str]
) -> None:
    teller = Teller(clock, as_json=False, quiet=False)
    for error in ("disk full", "disk full", "no route", "", "no route"):
        teller(Turn(task="outbox", error=error))
    said = [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()]
    assert said == [
        "outbox: failed: disk full",
        "outbox: failed: no route",
        "outbox: failed: no route",
    ]


def test_quiet_says_failures_only_and_json_one_object_a_line(
    clock: MovableClock, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet, plain = (Teller(clock, as_json=True, quiet=each) for each in (True, False))
    for teller in (quiet, plain):
        teller(Turn(task="outbox", done=2))
        teller(Turn(task="outbox", error="disk full"))
        teller.stopped()
    captured = capsys.readouterr()
    done, failed = (json.loads(line) for line in captured.out.splitlines())
    assert done == {
        "at": clock.now(),
        "task": "outbox",
        "done": 2,
        "leased": True,
        "holder": "",
        "error": "",
    }
    assert failed["error"] == "disk full"
    assert [json.loads(line) for line in captured.err.splitlines()] == [failed]
