"""Where the periodic work runs: in the server's loop, else on the background loop, until the process ends (G19)."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from formwarden import AutoReply, GuardedForm, Settings, Warden
from formwarden.clock import SystemClock
from formwarden.demo.played_dns import PlayedDns
from formwarden.desk.overview import Row
from formwarden.faults import Faults
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Staff
from formwarden.stores.settings import Stores
from formwarden.twin import BackgroundLoop
from formwarden.upkeep import EXIT_S, Upkeep
from formwarden.work import Task, Turn, Work
from tests.clock import MovableClock
from tests.ill_store import IllStore
from tests.servers.smtp import Phase, SmtpPeer
from tests.soak import runs
from tests.test_twin import SRC

PATIENCE_S = 20
BEFORE_RCPT: tuple[Phase, ...] = ("mail", "connect", "ehlo")
PHASES = BEFORE_RCPT[: runs(1, 3)]  # each takes its two seconds of grace


class Site:
    """One task that tells in which loop it ran, and a store that can be closed."""

    def __init__(self, *, by_itself: bool = True) -> None:
        clock = MovableClock()
        self.loops: list[int] = []
        self.ran = threading.Semaphore(0)
        self.often = asyncio.Event()  # set at the fifth run
        self.store = IllStore(MemoryStore(clock=clock, entropy=bytes, settings=Stores()))
        self.work = Work(
            (Task(name="one", every_s=0.001, step=self.step),),
            store=self.store,
            holder="one",
            clock=clock,
            faults=Faults(SystemClock()),
        )
        self.loop = BackgroundLoop()
        self.upkeep = Upkeep(self.work, self.store, self.loop, by_itself=by_itself)

    async def step(self) -> int:
        self.loops.append(id(asyncio.get_running_loop()))
        self.ran.release()
        if len(self.loops) >= 5:
            self.often.set()
        return 0

    def goes_on(self) -> bool:
        """Say whether it runs again and again, though nobody asks."""
        return all(self.ran.acquire(timeout=5) for _ in range(5))

    async def where(self) -> int:
        return id(asyncio.get_running_loop())


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.loop.run(site.upkeep.end())
    site.loop.close()


def test_one_nudge_keeps_it_going_though_nobody_asks_again(site: Site) -> None:
    site.upkeep.nudge()
    assert site.goes_on()
    assert set(site.loops) == {site.loop.run(site.where())}


def test_many_nudges_make_one_run(site: Site) -> None:
    for _ in range(50):
        site.upkeep.nudge()
    assert site.goes_on()

    async def runs() -> int:
        return sum("Work.run" in repr(task) for task in asyncio.all_tasks())

    assert site.loop.run(runs()) == 1


def test_ended_it_stops_and_a_nudge_begins_again(site: Site) -> None:
    site.upkeep.nudge()
    assert site.goes_on()
    site.loop.run(site.upkeep.end())
    assert site.store.closed == 1
    ran = len(site.loops)
    site.loop.run(site.where())
    assert len(site.loops) == ran
    site.upkeep.nudge()
    assert site.goes_on()


@pytest.mark.anyio
async def test_in_a_servers_loop_it_runs_there_and_a_nudge_adds_nothing(site: Site) -> None:
    await site.upkeep.begin()
    site.upkeep.nudge()
    await site.upkeep.begin()
    await site.often.wait()
    assert set(site.loops) == {await site.where()}
    await site.upkeep.end()


def test_g19_ended_its_leases_are_free_before_the_store_is_closed(site: Site) -> None:
    site.upkeep.nudge()
    assert site.goes_on()
    site.loop.run(site.upkeep.end())
    assert site.store.health_of.calls[-1] == "store.release"
    assert {state.holder for state in asyncio.run(site.store.tasks()).values()} == {None}


def test_g19_what_one_pass_leased_is_free_when_it_ends(site: Site) -> None:
    asyncio.run(site.work.run_once())
    assert asyncio.run(site.store.tasks())["one"].holder is not None
    asyncio.run(site.upkeep.end())
    assert asyncio.run(site.store.tasks())["one"].holder is None


def test_a_step_that_never_ends_keeps_its_lease(site: Site) -> None:
    still = asyncio.new_event_loop()
    site.loop.run(site.work.run_once())
    still.run_until_complete(site.upkeep.begin())
    asyncio.run(site.upkeep.end())  # in a loop that nobody runs any more: who knows what it is in the middle of
    assert asyncio.run(site.store.tasks())["one"].holder is not None
    for task in asyncio.all_tasks(still):
        task.cancel()
    still.run_until_complete(asyncio.sleep(0))
    still.close()


def test_it_goes_on_where_it_is_asked_to_and_tells_each_turn_also_under_cron() -> None:
    site, turns = Site(by_itself=False), list[Turn]()

    async def go_on() -> None:
        running = site.upkeep.start(turns.append)
        assert running is not None
        assert site.upkeep.start(turns.append) is None  # it goes on already
        await site.often.wait()
        await site.upkeep.end()
        assert running.done()

    asyncio.run(go_on())
    assert turns[:5] == [Turn(task="one")] * 5


def test_a_loop_that_was_left_in_the_middle_is_followed_by_the_background_loop(site: Site) -> None:
    left = asyncio.new_event_loop()
    left.run_until_complete(site.upkeep.begin())
    for task in asyncio.all_tasks(left):
        task.cancel()
    left.run_until_complete(asyncio.sleep(0))
    left.close()
    site.upkeep.nudge()
    assert site.goes_on()


def test_ending_from_another_loop_waits_for_the_one_it_runs_in(site: Site) -> None:
    site.upkeep.nudge()
    assert site.goes_on()
    asyncio.run(site.upkeep.end())
    assert site.store.closed == 1


def test_ending_does_not_wait_for_a_loop_that_stands_still(site: Site) -> None:
    still = asyncio.new_event_loop()
    still.run_until_complete(site.upkeep.begin())
    asyncio.run(site.upkeep.end())
    assert site.store.closed == 1
    for task in asyncio.all_tasks(still):
        task.cancel()
    still.run_until_complete(asyncio.sleep(0))
    still.close()


def test_cron_does_it_all_nothing_runs_by_itself() -> None:
    site = Site(by_itself=False)
    site.upkeep.nudge()
    asyncio.run(site.upkeep.begin())
    assert site.loops == []


PROGRAM = """
    import sys
    from formwarden import AutoReply, GuardedForm, Settings, Submission, Warden
    from tests.sites import evidence
    from tests.page.elements import Elements

    warden = Warden(GuardedForm("contact", reply=AutoReply()))

    def judge(message):
        inputs = Elements(f"<form>{warden.markup('contact')}</form>").all("input")
        page = {each["name"]: each["value"] or "" for each in inputs if each["type"] != "checkbox"}
        page |= {"name": "Hanako", "email": "hanako@gmail.com", "message": message}
        page["_fw_seen"] = evidence(page["_fw_token"])
        headers = {"origin": "https://shop-1.played", "host": "shop-1.played", "user-agent": "Mozilla/5.0"}
        return warden.sync.judge(Submission("contact", page, client="203.0.113.9", headers=headers))
    """


@pytest.fixture
def relay() -> Iterator[SmtpPeer]:
    with SmtpPeer() as relay:
        yield relay


@pytest.fixture
def settings(relay: SmtpPeer, tmp_path: Path) -> Iterator[dict[str, str]]:
    with PlayedDns().in_thread() as dns:
        yield {
            "secret_keys": "k" * 40,
            "site_domain": "shop-1.played",
            "staff_address": "staff@shop-1.played",
            "smtp_url": relay.url,
            "dns_servers": dns.address,
            "store_url": f"sqlite:///{tmp_path}/fw.db",
            "weights": "too_young=0",
        }


def program(settings: dict[str, str], rest: str, tmp_path: Path) -> "subprocess.Popen[str]":
    """Start a script that uses the twin."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("FORMWARDEN_")}
    own = {f"FORMWARDEN_{key.upper()}": value for key, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM) + textwrap.dedent(rest)],
        env={**others, **own, "PYTHONPATH": f"{SRC}{os.pathsep}{SRC.parent}"},
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def only_row(settings: dict[str, str]) -> Row:
    """What the owner sees."""
    warden = Warden(GuardedForm("contact"), settings=Settings.only(**settings, work="cron"))
    (row,) = (await warden.overview()).rows
    await warden.aclose()
    return row


@pytest.mark.slow
def test_a_process_that_ends_settles_the_mail_on_the_wire(
    relay: SmtpPeer, settings: dict[str, str], tmp_path: Path
) -> None:
    script = """
        verdict = judge("Do you repair violins?")
        assert verdict.accepted and verdict.recorded
        warden.sync.notify(verdict)
        print(warden.sync.reply(verdict).code, flush=True)
        sys.stdin.readline()
        """
    with program(settings, script, tmp_path) as process:
        relay.wait_for_connections(1)
        said, errors = process.communicate("\n", timeout=PATIENCE_S)
    assert (process.returncode, said.strip(), errors) == (0, "OK", "")
    row = asyncio.run(only_row(settings))
    states = (row.inquiry.staff, row.reply.state if row.reply else None)
    sent = [states[0] is Staff.SENT, states[1] == "sent"].count(True)
    assert sent >= 1  # what had begun was ended, and what had not begun waits for the next process
    assert len(relay.mails) == sent
    assert states[1] in {"sent", "due"}
    assert not (tmp_path / "fw.db-wal").exists()  # the store was closed


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_g15_a_relay_that_hangs_before_rcpt_keeps_no_process_and_costs_no_reply(
    phase: Phase, relay: SmtpPeer, settings: dict[str, str], tmp_path: Path
) -> None:
    script = """
        verdict = judge("Do you repair violins?")
        print(warden.sync.reply(verdict).code, flush=True)
        sys.stdin.readline()
        """
    relay.hang_at(phase)
    with program(settings, script, tmp_path) as process:
        assert relay.fell_silent.wait(PATIENCE_S)
        begun = time.monotonic()
        said, errors = process.communicate("\n", timeout=PATIENCE_S)
        took = time.monotonic() - begun
    assert (process.returncode, said.strip(), errors) == (0, "OK", "")
    assert took < EXIT_S + 2  # an interpreter's own end on a busy machine included
    row = asyncio.run(only_row(settings))
    assert row.reply is not None
    assert (row.reply.state, row.reply.attempts) == ("due", 1)  # for the next process, at once

    relay.behave()
    form = GuardedForm("contact", reply=AutoReply())
    next_one = Warden(form, settings=Settings.only(**settings, work="cron"))  # no lease stands in its way
    next_one.sync.work_once()
    next_one.sync.close()
    assert [mail.rcpt_tos for mail in relay.mails] == [("hanako@gmail.com",)]


@pytest.mark.slow
def test_g15_what_hangs_after_rcpt_counts_as_sent(relay: SmtpPeer, settings: dict[str, str], tmp_path: Path) -> None:
    script = """
        verdict = judge("Do you repair violins?")
        warden.sync.reply(verdict)
        sys.stdin.readline()
        """
    relay.hang_at("end")
    with program(settings, script, tmp_path) as process:
        assert relay.fell_silent.wait(PATIENCE_S)
        _, errors = process.communicate("\n", timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, "")
    row = asyncio.run(only_row(settings))
    assert row.reply is not None
    assert row.reply.state == "taken"  # nobody knows: LOST when its lease is over, and never sent again


@pytest.mark.slow
def test_g19_a_child_of_a_process_that_worked_works_itself(
    relay: SmtpPeer, settings: dict[str, str], tmp_path: Path
) -> None:
    script = """
        import os
        from formwarden.clock import SystemClock
        from formwarden.work import LEASE_S

        class Clock(SystemClock):
            ahead = 0.0

            def now(self):
                return super().now() + self.ahead

            def monotonic(self):
                return super().monotonic() + self.ahead

        clock = Clock()
        warden = Warden(GuardedForm("contact", reply=AutoReply()), clock=clock)
        assert judge("Asked before the fork.").recorded  # the work has begun here
        told, tell = os.pipe()
        child = os.fork()
        if child:
            warden.sync.close()
            os.write(tell, b"closed")
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os.read(told, 6)
        clock.ahead = LEASE_S + 1.0  # the parent's leases are over
        warden.sync.reply(judge("Do you repair violins?"))
        sys.stdin.readline()
        """
    with program(settings, script, tmp_path) as process:
        relay.wait_for(1)
        _, errors = process.communicate("\n", timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, "")
