"""`formwarden stats` looks at a store from outside and says what is not well (G19)."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import anyio
import pytest

from formwarden.cli import main
from formwarden.cli.figures import (
    JOURNAL_SHARE,
    LOW_DISK_BYTES,
    STAFF_WAITS_S,
    Stats,
    age,
    amount,
    as_lines,
    as_plain,
    findings,
)
from formwarden.clock import SystemClock
from formwarden.desk.periodic import IDLE_S
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.parts import PACES
from formwarden.stores.opening import open_store
from formwarden.stores.ports import REPLIES_OFF, Decision, Staff, State, Store
from formwarden.stores.runs import LastRun, Run, TaskState
from formwarden.stores.settings import Stores
from formwarden.stores.statistics import Figures, InquiryCount, ReplyCount
from tests.stores.files import names
from tests.stores.samples import inquiry, key, send

NOW: Final = 1_790_000_000.0


class Past(SystemClock):
    """The clock of this machine, some seconds slow."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return super().now() - self._seconds


def fill(path: Path, steps: Callable[[Store, float], Awaitable[None]], *, ago: float = 0.0) -> None:
    """Do something in the store as a site did it `ago` seconds ago."""

    async def fill() -> None:
        clock = Past(ago)
        url = f"sqlite:///{path}/site.db"
        store = open_store(url, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))
        try:
            await steps(store, clock.now())
        finally:
            await store.aclose()

    anyio.run(fill)


async def worked(store: Store, now: float) -> None:
    for task in PACES:
        assert await store.lease(task, "a-4711", seconds=10, run=Run(started_at=now, ended_at=now, done=0))
    await store.release("a-4711", {})


async def well(store: Store, now: float) -> None:
    await worked(store, now)
    await store.inquiries.keep(inquiry("a", state=State.HELD, received_at=now), lease_s=0)
    await store.inquiries.keep(inquiry("b", state=State.DONE, received_at=now, staff=Staff.DUE), lease_s=0)
    await store.ledger.reserve(send(1))
    await store.ledger.reserve(send(2, decision=Decision.SUPPRESS, code="OWN_DOMAIN"))
    await store.ledger.suppress(key("x"), cause="bounced", until=None)
    await store.ledger.suppress(REPLIES_OFF, cause="switch", until=None)


def stats(path: Path, *more: str) -> int:
    return main(["stats", "--store", f"sqlite:///{path}/site.db", *more])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_stands_there_is_counted_and_all_is_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(folder, well)
    (folder / "site.db.journal").write_bytes(b"x" * 5_000)
    assert stats(folder, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["warnings"] == []
    assert said["store"]["path"] == str(folder / "site.db")
    assert said["store"]["health"] is None
    assert said["store"]["schema"] >= 2
    assert said["store"]["files"]["site.db"] > 10_000
    assert said["inquiries"] == [
        {"form": "contact", "state": "done", "last_24h": 1, "last_7d": 1},
        {"form": "contact", "state": "held", "last_24h": 1, "last_7d": 1},
    ]
    assert said["replies"] == {
        "on": False,
        "counts": [
            {"state": "due", "code": "OK", "last_24h": 1, "last_7d": 1},
            {"state": "suppressed", "code": "OWN_DOMAIN", "last_24h": 1, "last_7d": 1},
        ],
    }
    assert said["staff_mail"]["waiting"] == 1
    assert said["suppressions"] == {"total": 1, "by_cause": {"bounced": 1}}
    assert said["journal"]["path"] == str(folder / "site.db.journal")
    assert said["journal"]["bytes"] == 5_000
    assert [each["task"] for each in said["tasks"]] == list(PACES)
    assert {each["last"]["holder"] for each in said["tasks"]} == {"a-4711"}


def test_the_table_says_the_same_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(folder, well)
    assert stats(folder) == 0
    said = capsys.readouterr().out
    for line in (
        "auto-replies  off",
        "journal       empty",
        "suppressed    1 (bounced 1)",
        "  form     state  24 h  7 d\n  contact  done      1    1\n  contact  held      1    1\n",
        "  suppressed  OWN_DOMAIN     1    1\n",
        "no warnings",
    ):
        assert line in said


def test_g19_a_store_where_nobody_worked_for_an_hour_is_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(folder, worked, ago=IDLE_S + 60)
    assert stats(folder) == 1
    said = capsys.readouterr().out
    assert "no periodic task has run for an hour, the last one 1 h ago: nothing is mailed" in said
    assert "outbox   1 h ago" in said


def test_g19_a_store_where_nobody_ever_worked_is_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def opened(store: Store, _: float) -> None:
        await store.health()

    fill(folder, opened)
    assert stats(folder, "--json") == 1
    said = json.loads(capsys.readouterr().out)
    (warning,) = said["warnings"]
    assert warning["code"] == "work_never"
    assert "formwarden work --once" in warning["text"]
    assert {each["last"] for each in said["tasks"]} == {None}
    stats(folder)
    assert "outbox   never     never" in capsys.readouterr().out


def test_where_there_is_no_store_none_is_made_and_it_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stats(folder) == 2
    assert stats(folder, "--json") == 2
    captured = capsys.readouterr()
    assert captured.err.count(f"there is no store at {folder}/site.db: run this in the site's working directory") == 2
    assert "there is no store" in json.loads(captured.out)["store"]["health"]
    assert names(folder) == set()


def test_a_damaged_store_is_told_with_the_remedy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site.db").write_bytes(b"no database at all" * 500)
    assert stats(folder) == 2
    assert "site.db is no database of ours or is damaged: move it away" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "said"),
    [("memory://", "holds nothing outside of the site's own process"), ("file:x", "no store for this")],
)
def test_a_store_that_cannot_be_seen_from_outside_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    assert main(["stats", "--store", url]) == 2
    assert said in capsys.readouterr().err
    assert names(folder) == set()


def test_a_sites_own_settings_are_used_and_its_store_is_not_opened(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(site, well)
    before = names(site)
    assert main(["stats", "--json", "--app", "guarded_site:warden"]) == 0
    assert json.loads(capsys.readouterr().out)["store"]["path"] == str(site / "site.db")
    assert names(site) - {"__pycache__"} == before


def test_the_settings_of_the_folder_are_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(folder, well)
    monkeypatch.setenv("FORMWARDEN_STORE_URL", f"sqlite:///{folder}/site.db")
    assert main(["stats"]) == 0
    assert str(folder / "site.db") in capsys.readouterr().out


# ------------------------------------------------------------------ what is not well
def figures(**values: object) -> Figures:
    run = LastRun(holder="a-1", started_at=NOW, ended_at=NOW, done=3, succeeded_at=NOW, failed_at=None, error="")
    plain = {
        "now": NOW,
        "inquiries": (),
        "replies": (),
        "replies_off": False,
        "staff_waiting": 0,
        "staff_oldest": None,
        "suppressions": {},
        "tasks": dict.fromkeys(PACES, TaskState(holder="a-1", last=run)),
    }
    return Figures(**(plain | values))  # type: ignore[arg-type]  # the names are those of Figures, as each test says


def codes(of: Figures, journal_share: float = 0.0) -> list[str]:
    return [each.code for each in findings(of, PACES, journal_share=journal_share)]


@pytest.mark.parametrize(
    ("of", "journal_share", "found"),
    [
        (figures(), 0.0, []),
        (figures(staff_oldest=NOW - STAFF_WAITS_S + 1), 0.0, []),
        (figures(staff_oldest=NOW - STAFF_WAITS_S), 0.0, ["staff_waits"]),
        (figures(), JOURNAL_SHARE - 0.01, []),
        (figures(), JOURNAL_SHARE, ["journal_full"]),
        (figures(free_bytes=LOW_DISK_BYTES), 0.0, []),
        (figures(free_bytes=LOW_DISK_BYTES - 1), 0.0, ["disk_full"]),
        (figures(tasks={}), 0.0, ["work_never"]),
    ],
)
def test_each_thing_that_is_not_well_has_a_bound_and_a_name(
    of: Figures, journal_share: float, found: list[str]
) -> None:
    assert codes(of, journal_share) == found


def test_a_task_that_hangs_and_one_that_fails_are_told_apart() -> None:
    good = figures().tasks["outbox"]
    assert good.last is not None
    tasks = dict.fromkeys(PACES, good) | {
        "staff": TaskState(),
        "purge": TaskState(
            last=LastRun(
                holder="a-1",
                started_at=NOW,
                ended_at=NOW,
                done=0,
                succeeded_at=NOW - 7_200,
                failed_at=NOW,
                error="disk full",
            )
        ),
    }
    found = {each.task: each.text for each in findings(figures(tasks=tasks), PACES, journal_share=0.0)}
    assert found == {
        "staff": "staff ran last: never, though others have: it hangs, so restart the process that has it",
        "purge": "purge fails (it last went well: 2 h ago): disk full",
    }


def test_columns_stand_below_each_other_and_json_has_the_names_of_its_table() -> None:
    of = figures(
        inquiries=(
            InquiryCount(form="a-long-name", state="done", day=1, week=12_345),
            InquiryCount(form="b", state="discarded", day=0, week=2),
        ),
        replies=(ReplyCount(state="sent", code="OK", day=1, week=2),),
        staff_waiting=2,
        staff_oldest=NOW - 120,
        tasks={"other": TaskState(holder="z-9")},
        schema=2,
        counted_up_to=12_345,
    )
    shown = Stats(
        store="/srv/site.db",
        figures=of,
        paces=PACES,
        journal=Path("/srv/site.db.journal"),
        journal_bytes=0,
        journal_limit=1,
        findings=(),
    )
    lines = list(as_lines(shown))
    at = lines.index("inquiries")
    assert lines[at + 1 : at + 4] == [
        "  form         state      24 h    7 d",
        "  a-long-name  done          1  12345",
        "  b            discarded     0      2",
    ]
    assert "staff mail    2 waiting, the oldest for 2 min" in lines
    assert any(line.startswith("  other ") for line in lines), "also a task of another release"
    assert "no warnings" in lines
    assert "  (at least: of each state, and of replies, the newest 12345 are counted)" in lines
    assert list(as_plain(shown)) == [
        "now",
        "counted_up_to",
        "store",
        "inquiries",
        "replies",
        "staff_mail",
        "suppressions",
        "journal",
        "tasks",
        "warnings",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_199, "1 h"), (172_800, "2 d")]
)
def test_an_age_is_said_in_its_largest_unit(seconds: float, said: str) -> None:
    assert age(seconds) == said


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (67_108_864, "64.0 MiB"), (2**50, "1024.0 TiB")],
)
def test_bytes_are_said_in_their_largest_unit(size: int, said: str) -> None:
    assert amount(size) == said
