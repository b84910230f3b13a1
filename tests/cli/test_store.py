"""`formwarden store` looks after real files, also beside a process that writes."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import anyio
import apsw
import pytest

from formwarden.cli import main
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.archive import KINDS
from formwarden.stores.journal_lines import Keep, line_of
from formwarden.stores.ports import OutcomeKind, Staff, State
from formwarden.stores.sqlite.archive import SqliteArchive
from formwarden.stores.sqlite.migrating import migrate, migrations
from formwarden.stores.sqlite.patience import Patience
from formwarden.subjects import Subjects
from tests.stores.files import holding, names
from tests.stores.samples import DAY, inquiry, observation, outcome, send, spend
from tests.stores.sqlite.programs import WAIT_S, new_store

ROOT = Path(__file__).parents[2]
ANN = b"email=Ann%2Bnews%40gmail.com&message=a+secret+of+hers"
BOB = b"email=bob%40example.com&message=please+ask+ann%40gmail.com"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's folder, whose store holds something of everything."""
    monkeypatch.chdir(tmp_path)
    anyio.run(fill, tmp_path / "formwarden.db")
    return tmp_path


async def fill(path: Path) -> None:
    store = new_store(str(path))
    ann = Subjects(await store.recipient_keys()).keys("address", "ann@gmail.com")[0]
    await store.inquiries.keep(inquiry(1, body=ANN, recipient="Ann+news@gmail.com", state=State.HELD), lease_s=60)
    await store.inquiries.keep(inquiry(2, body=ANN, recipient=None), lease_s=0)
    await store.inquiries.keep(inquiry(3, body=BOB, recipient="bob@example.com", staff=Staff.DUE), lease_s=0)
    await store.inquiries.keep(inquiry(4, body=None, recipient=None, state=State.DONE), lease_s=0)
    await store.inquiries.staff(b"submission 3", to=Staff.DUE, note="later", due_at=2_000_000_000.0)
    site = spend("SITE_RATE", "site", limit=10, window_s=DAY)
    for name in (3, 4):
        await store.ledger.reserve(send(name, site))
    taken = spend("DUP_24H", "x", limit=9, window_s=DAY)
    await store.ledger.reserve(send(2, site, taken))
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE spend SET key = ? WHERE key = ?", (ann, taken.keys[0]))
    connection.close()
    await store.ledger.settle(outcome(2, OutcomeKind.HARD, subject=ann))
    await store.counters.observe(observation())
    await store.aclose()


def said(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Mapping[str, object]:
    """Run one action and read its JSON."""
    assert main(["store", *argv, "--json"]) == code, capsys.readouterr()
    read: Mapping[str, object] = json.loads(capsys.readouterr().out)
    return read


def rows(path: Path, table: str) -> int:
    with closing(apsw.Connection(str(path))) as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").get  # noqa: S608 - ours
        return count


def set_number(path: Path, number: int) -> None:
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(f"PRAGMA user_version = {number}")


def everything(path: Path) -> list[str]:
    """What an archive of this store holds, as text, the place of leases left out."""
    archive = SqliteArchive(str(path), entropy=system_entropy, faults=Faults(SystemClock()))
    with closing(archive), archive.snapshot() as snapshot:
        return [repr(snapshot.keys), repr(snapshot.counts), *map(repr, snapshot.records())]


@pytest.mark.parametrize(
    "argv",
    [
        ["migrate"],
        ["migrate", "--dry-run"],
        ["check"],
        ["vacuum"],
        ["backup", "b.db"],
        ["export", "e"],
        ["erase", "--yes", "a@b.c"],
        ["import", "e"],
    ],
)
def test_a_store_that_is_not_there_is_said_and_not_made(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["store", *argv, "--store", "sqlite:///typo.db"]) == 2
    assert f"--store: there is no store at {tmp_path}/typo.db" in capsys.readouterr().err
    assert main(["store", *argv]) == 2
    assert f"default store_url: there is no store at {tmp_path}/formwarden.db" in capsys.readouterr().err
    assert main(["store", *argv, "--store", "memory://"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["store", *argv, "--store", "mysql://u:hunter2@h/"]) == 2
    assert "hunter2" not in capsys.readouterr().err
    assert names(tmp_path) == set()


@pytest.mark.parametrize("action", ["migrate", "check", "vacuum", "backup", "export", "import", "erase"])
def test_the_help_of_every_action_has_examples(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["store", action, "--help"])
    assert left.value.code == 0
    assert f"examples:\n  formwarden store {action}" in capsys.readouterr().out


def test_migrate_says_from_which_number_to_which(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = said(capsys, "migrate")["durable"]
    assert isinstance(newest, dict)
    for name in names(site):
        (site / name).unlink()
    with closing(apsw.Connection(str(site / "formwarden.db"))) as connection:
        migrate(connection, migrations("durable")[:1], Patience(WAIT_S, system_entropy))
    assert main(["store", "migrate", "--dry-run"]) == 0
    assert f"formwarden.db would go from schema 1 to {newest['to']}\n" in capsys.readouterr().out
    assert said(capsys, "check", code=1)["well"] is False
    assert main(["store", "migrate"]) == 0
    assert f"formwarden.db went from schema 1 to {newest['to']}\n" in capsys.readouterr().out
    assert main(["store", "migrate"]) == 0
    assert "stands at schema" in capsys.readouterr().out
    assert said(capsys, "check")["well"] is True
    set_number(site / "formwarden.db", 99)
    assert main(["store", "migrate"]) == 2
    assert "newer formwarden" in capsys.readouterr().err


def test_check_counts_and_says_what_is_ill_with_its_remedy(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "check"]) == 0
    out = capsys.readouterr().out
    assert "inquiry 4" in out
    assert "oldest: inquiry 2026-09-21" in out
    assert out.endswith("well\n")
    (site / "formwarden-volatile.db").write_bytes(b"garbage" * 1000)
    assert main(["store", "check"]) == 1
    assert "remedy: delete it: the counters begin at nothing" in capsys.readouterr().out
    whole = (site / "formwarden.db").read_bytes()
    (site / "formwarden.db").write_bytes(whole[:4096] + b"\xff" * 20_000 + whole[24_096:])
    assert main(["store", "check"]) == 1
    assert "remedy: stop the site, and put a backup in its place" in capsys.readouterr().out


def test_vacuum_gives_back_what_is_free_and_says_what_it_takes(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site / "formwarden.db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("UPDATE body SET content = zeroblob(2000000) WHERE inquiry = 1")
        connection.execute("UPDATE body SET content = x'' WHERE inquiry = 1")
    before = path.stat().st_size
    assert main(["store", "vacuum"]) == 0
    captured = capsys.readouterr()
    assert "MiB of free disk meanwhile" in captured.err
    assert "MiB given back" in captured.out
    assert path.stat().st_size < before - 1_900_000
    assert said(capsys, "check")["well"] is True


def test_a_backup_is_whole_while_another_process_writes(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "tests.stores.sqlite.programs", "keep", str(site / "formwarden.db")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            for _ in range(10):
                promised = int(writer.stdout.readline())
            assert said(capsys, "backup", "copy.db")["file"] == str(site / "copy.db")
            after = int(writer.stdout.readline())
        finally:
            writer.kill()
    assert after > promised, "it went on writing"
    assert said(capsys, "check", "--store", "sqlite:///copy.db")["well"] is True
    with closing(apsw.Connection(str(site / "copy.db"))) as copy:
        kept = {row[0] for row in copy.execute("SELECT id FROM inquiry")}
        assert {f"submission {name}".encode() for name in range(promised)} <= kept
        spends, replies = (copy.execute(f"SELECT count(*) FROM {table}").get for table in ("spend", "reply"))  # noqa: S608
        assert spends - 1 == replies, "one moment: no reply without its slot, nor a slot without its reply"
    assert (site / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_writes_over_nothing(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "copy.db").write_text("mine")
    assert main(["store", "backup", "copy.db"]) == 2
    assert "stands already: nothing was copied" in capsys.readouterr().err
    assert (site / "copy.db").read_text() == "mine"
    assert main(["store", "backup", "nowhere/copy.db"]) == 2
    assert "nowhere cannot be written" in capsys.readouterr().err
    (site / "other.db.part").touch()
    assert main(["store", "backup", "other.db"]) == 2
    assert "another backup runs, or one was broken off" in capsys.readouterr().err
    assert (site / "other.db.part").exists()


def test_what_is_exported_and_imported_is_the_same_and_twice_changes_nothing(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, "export", "all.jsonl")
    counts = told["counts"]
    assert isinstance(counts, dict)
    stand = {"inquiry": 4, "reply": 3, "spend": 4, "outcome": 1, "suppression": 1, "mark": 1, "day": 1}
    assert counts == {**dict.fromkeys(KINDS, 0), **stand}
    assert (site / "all.jsonl").stat().st_mode & 0o777 == 0o600
    new = ("--store", "sqlite:///new.db")
    assert said(capsys, "import", *new, "--create", "all.jsonl")["new"] == 11
    assert everything(site / "new.db") == everything(site / "formwarden.db")
    assert main(["store", "import", *new, "all.jsonl"]) == 2
    assert "the store is not empty (inquiry 4" in capsys.readouterr().err
    again = said(capsys, "import", *new, "--merge", "all.jsonl")
    assert (again["new"], again["standing"]) == (0, 11)
    assert everything(site / "new.db") == everything(site / "formwarden.db")


def test_an_export_to_the_output_is_all_that_stands_there(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["store", "export"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "exported: inquiry 4, reply 3, spend 4, outcome 1, suppression 1, mark 1, day 1\n"
    assert len(captured.out.splitlines()) == 12
    monkeypatch.setattr("sys.stdin", io.StringIO(captured.out))
    assert said(capsys, "import", "-", "--create", "--store", "sqlite:///new.db")["new"] == 11
    assert everything(site / "new.db") == everything(site / "formwarden.db")


def test_an_export_writes_over_nothing(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "all.jsonl").write_text("mine")
    assert main(["store", "export", "all.jsonl"]) == 2
    assert "all.jsonl cannot be made" in capsys.readouterr().err
    assert (site / "all.jsonl").read_text() == "mine"


def test_a_bad_line_is_named_and_what_came_with_it_is_not_half_done(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", "export", "all.jsonl"]) == 0
    lines = (site / "all.jsonl").read_text().splitlines()
    new = ("--store", "sqlite:///new.db")
    (site / "torn.jsonl").write_text("\n".join([*lines[:3], lines[3][:50], *lines[4:]]))
    assert main(["store", "import", *new, "--create", "torn.jsonl"]) == 2
    assert "line 4: it is no JSON, or torn. 0 new before it are in" in capsys.readouterr().err
    assert rows(site / "new.db", "inquiry") == 0
    (site / "short.jsonl").write_text("\n".join(lines[:-1]))
    assert main(["store", "import", *new, "short.jsonl"]) == 2
    assert "the export is not whole: day 0 of 1" in capsys.readouterr().err
    (site / "other.txt").write_text("hello\n")
    assert main(["store", "import", *new, "--merge", "other.txt"]) == 2
    assert "line 1: it is no JSON, or torn; nothing was imported" in capsys.readouterr().err
    assert said(capsys, "import", *new, "--merge", "all.jsonl")["new"] == 1
    assert main(["store", "import", *new, "--merge", "nowhere.jsonl"]) == 2


def test_g20_stores_of_different_recipient_keys_are_not_merged(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anyio.run(fill, site / "other.db")
    assert main(["store", "export", "all.jsonl"]) == 0
    assert main(["store", "import", "--store", "sqlite:///other.db", "--merge", "all.jsonl"]) == 2
    assert "its suppressions would stand against nobody" in capsys.readouterr().err
    assert rows(site / "other.db", "inquiry") == 4


def test_g20_erase_leaves_nothing_of_the_person_but_the_hash_of_its_suppression(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spooled = inquiry(9, body=ANN, recipient=None)
    others = inquiry(8, body=BOB, recipient=None)
    journal = site / "formwarden.db.journal"
    journal.write_bytes(b"".join(line_of(Keep(inquiry=each), entry="0", at=1.0) for each in (others, spooled)))
    told = said(capsys, "erase", "--yes", "ann@GMAIL.com")
    assert {name: told[name] for name in ("inquiries", "bodies", "recipients", "replies", "outcomes", "journal")} == {
        "inquiries": 2,
        "bodies": 2,
        "recipients": 1,
        "replies": 1,
        "outcomes": 1,
        "journal": 1,
    }
    assert told["mentions"] == ["R-3"]
    assert holding(site, b"secret+of+hers") == set()
    assert b'"R-8"' in journal.read_bytes()
    assert rows(site / "formwarden.db", "suppression") == 1
    assert rows(site / "formwarden.db", "spend") == 4, "no budget is exceeded by it"
    with closing(apsw.Connection(str(site / "formwarden.db"))) as connection:
        state, note, facts = connection.execute(
            "SELECT state, note, facts FROM inquiry WHERE receipt = 'R-1'"
        ).fetchone() or ("", "", "")
        assert (state, note) == ("discarded", "erased at the person's request")
        assert connection.execute("SELECT count(*) FROM reply WHERE id = ?", (b"reply 2",)).get == 0
        assert connection.execute("SELECT count(*) FROM outcome WHERE reason <> ''").get == 0
        assert connection.execute("SELECT count(*) FROM body").get == 1, "of whom only named her nothing is lost"
        assert "age_s" in str(facts)
    assert said(capsys, "erase", "--yes", "ann@gmail.com")["bodies"] == 0
    assert said(capsys, "check")["well"] is True


def test_what_is_erased_is_gone_from_the_log_too_while_a_site_has_it_open(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(apsw.Connection(str(site / "formwarden.db"))) as open_elsewhere:
        open_elsewhere.execute("PRAGMA wal_autocheckpoint = 0")
        open_elsewhere.execute("UPDATE inquiry SET note = 'a secret of hers' WHERE receipt = 'R-1'")
        assert holding(site, b"a secret of hers") == {"formwarden.db-wal"}
        assert "log_stays" not in said(capsys, "erase", "--yes", "ann@gmail.com")
        assert holding(site, b"a secret of hers") == holding(site, b"secret+of+hers") == set()


def test_g20_forget_suppression_removes_that_too_and_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "erase", "--yes", "ann@gmail.com"]) == 0
    assert "kept: the hash of its suppression" in capsys.readouterr().out
    assert main(["store", "erase", "--yes", "--forget-suppression", "ann@gmail.com"]) == 0
    assert "it may be mailed again" in capsys.readouterr().out
    assert rows(site / "formwarden.db", "suppression") == 0
    assert rows(site / "formwarden.db", "spend") == 3, "the site's own budget still counts it"


@pytest.mark.parametrize(("answer", "left"), [("no\n", 3), ("\n", 3), ("yes\n", 1)])
def test_whoever_sits_there_is_asked_before_anything_is_erased(
    answer: str, left: int, site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "r") as terminal, os.fdopen(master, "w") as hand:
        hand.write(answer)
        hand.flush()
        monkeypatch.setattr("sys.stdin", terminal)
        main(["store", "erase", "ann@gmail.com"])
    assert "for good? [yes/no]" in capsys.readouterr().err
    assert rows(site / "formwarden.db", "body") == left


@pytest.mark.parametrize("address", ["", " ", "ann"])
def test_what_is_no_address_erases_nobody(address: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "erase", "--yes", address]) == 2
    assert "is no address: nothing was erased" in capsys.readouterr().err
    assert rows(site / "formwarden.db", "body") == 3
