"""`formwarden suppress` beside a site that runs, over the store that it has."""

import asyncio
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from formwarden.cli import main
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.scoring import Standing
from formwarden.stores.opening import open_store
from formwarden.stores.ports import (
    REPLIES_OFF,
    Account,
    Decision,
    Inquiry,
    Key,
    Ours,
    Outcome,
    OutcomeKind,
    ReplyRequest,
    State,
    Store,
)
from formwarden.stores.settings import Stores
from formwarden.subjects import Subjects
from tests.stores.samples import inquiry

ANN = "ann@example.com"
DAY = 86_400.0
ENV = {
    "FORMWARDEN_STORE_URL": "sqlite:///site.db",
    "FORMWARDEN_SITE_DOMAIN": "bow-makers.jp",
    "FORMWARDEN_SMTP_URL": "smtp://127.0.0.1:1",
}
Ask = Callable[..., tuple[int, dict[str, object]]]


@dataclass(kw_only=True)
class Running:
    """A site's own handle on the store, open all the while."""

    store: Store
    keys: Subjects

    def key(self, kind: str, value: str) -> Key:
        return self.keys.keys(kind, value)[0]

    async def causes(self, *keys: Key) -> dict[Key, str]:
        return dict((await self.store.ledger.reputation(keys)).suppressed)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site's folder, with its settings."""
    monkeypatch.chdir(tmp_path)
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def running(folder: Path) -> Running:
    """A site that has opened its store, and keeps it open."""
    clock = SystemClock()
    url = f"sqlite:///{folder}/site.db"
    store = open_store(url, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))
    return Running(store=store, keys=Subjects(asyncio.run(store.recipient_keys())))


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run `formwarden suppress ... --json`; return code and object."""

    def run(*words: str) -> tuple[int, dict[str, object]]:
        capsys.readouterr()
        code = main(["suppress", *words, "--json"])
        told: dict[str, object] = json.loads(capsys.readouterr().out)
        return code, told

    return run


def say(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run it for people; return code, output and errors."""
    capsys.readouterr()
    code = main(["suppress", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


# ------------------------------------------------------------------------------------------------- the list
def test_added_while_the_site_runs_it_sees_it_at_once_in_every_spelling(running: Running, ask: Ask) -> None:
    key = running.key("address", "annb@gmail.com")
    assert asyncio.run(running.causes(key)) == {}
    assert ask("add", "Ann.B+forms@googlemail.com")[0] == 0
    assert asyncio.run(running.causes(key)) == {key: "manual"}
    assert ask("list", "a.n.n.b@gmail.com") == (
        1,
        {"listed": [listed("a.n.n.b@gmail.com", cause="manual", until=None, domain=False)], "wrong": []},
    )
    assert ask("remove", "annb@gmail.com")[0] == 0
    assert asyncio.run(running.causes(key)) == {}
    assert ask("list", "annb@gmail.com")[0] == 0


def listed(address: str, **values: object) -> dict[str, object]:
    return {"address": address, "listed": [values]}


def test_until_ends_after_so_many_days_and_the_later_end_holds(running: Running, ask: Ask) -> None:
    before = SystemClock().now()
    _, told = ask("add", "--until", "30", ANN)
    until = end_of(told["added"])
    assert before + 30 * DAY <= until <= SystemClock().now() + 30 * DAY
    ask("add", "--until", "1", ANN)
    about = asyncio.run(running.store.statistics.about([running.key("address", ANN)], limit=0))
    assert [each.until for each in about.listed] == [until]


def end_of(added: object) -> float:
    assert isinstance(added, list)
    until = added[0]["until"]
    assert isinstance(until, float)
    return until


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "36501", "soon"])
def test_an_end_that_is_none_is_refused(running: Running, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["suppress", "add", f"--until={days}", ANN])
    assert stopped.value.code == 2
    assert "give a number of days" in capsys.readouterr().err
    assert asyncio.run(running.store.statistics.read()).suppressions == {}


@pytest.mark.parametrize("domain", ["example.com", "@Example.com", " example.com "])
def test_a_whole_domain_is_listed_and_everybody_at_it_found_there(running: Running, ask: Ask, domain: str) -> None:
    assert ask("add", "--domain", domain)[0] == 0
    key = running.key("domain", "example.com")
    assert asyncio.run(running.causes(key)) == {key: "manual"}
    code, told = ask("list", ANN, "ann@below.example.com")
    assert code == 1
    assert told["listed"] == [
        listed(ANN, cause="manual", until=None, domain=True),
        {"address": "ann@below.example.com", "listed": []},
    ]
    assert ask("remove", "--domain", "example.com")[0] == 0
    assert asyncio.run(running.causes(key)) == {}


@pytest.mark.usefixtures("running")
def test_a_freemail_domain_is_listed_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert "many strangers" in say(capsys, "add", "--domain", "gmail.com")[1]
    assert "many strangers" not in say(capsys, "add", "--domain", "example.com")[1]


def test_g20_the_list_is_counted_by_cause_and_says_that_hashes_are_no_addresses(
    running: Running, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("list") == (0, {"counts": {}})
    assert say(capsys, "list")[1] == "nobody is on the list\n"
    ask("add", ANN, "bob@example.com")
    asyncio.run(running.store.ledger.suppress(running.key("address", "c@d.jp"), cause="hard", until=None))
    asyncio.run(running.store.ledger.suppress(REPLIES_OFF, cause="manual", until=None))  # the switch is no person
    assert ask("list") == (0, {"counts": {"hard": 1, "manual": 2}})
    code, out, _ = say(capsys, "list")
    assert code == 0
    assert "hashes, which nobody can turn into addresses" in out


def test_many_come_from_standard_input_and_the_wrong_ones_are_named_and_stop_nothing(
    running: Running, ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = f"# customers\n\n{ANN}\nno address\n\x1b[31m@evil\nbob@example.com\n".encode()

    def given() -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))

    given()
    code, told = ask("add", "--stdin")
    assert (code, told["wrong"]) == (2, ["no address", "\x1b[31m@evil"])
    assert asyncio.run(running.store.statistics.read()).suppressions == {"manual": 2}
    given()
    code, out, err = say(capsys, "list", "--stdin")
    assert code == 2
    assert [line.partition(":")[0] for line in out.splitlines()] == [ANN, "bob@example.com"]
    assert "no address" in err
    assert "\x1b" not in out + err


def test_removing_names_the_causes_and_says_what_was_not_there(
    running: Running, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    key = running.key("address", ANN)
    for cause in ("complaint", "hard"):
        asyncio.run(running.store.ledger.suppress(key, cause=cause, until=None))
    code, told = ask("remove", ANN)
    assert (code, told["removed"]) == (0, [{"address": ANN, "removed": True, "causes": ["complaint", "hard"]}])
    assert say(capsys, "remove", ANN)[:2] == (1, f"{ANN}: it was not on the list\n")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("action", ["add", "remove", "known"])
def test_nothing_given_is_no_success(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(capsys, action) == (2, "", "suppress: give an address, or --stdin\n")


# --------------------------------------------------------------------------------------------------- known
def test_g03_known_is_written_in_every_spelling_and_taken_back(running: Running, ask: Ask) -> None:
    async def known() -> bool:
        return (await running.store.ledger.reputation([running.key("address", "annb@gmail.com")])).known

    assert ask("known", "a.n.n.b+x@gmail.com") == (
        0,
        {"known": [{"address": "a.n.n.b+x@gmail.com", "known": True}], "wrong": []},
    )
    assert asyncio.run(known())
    assert ask("known", "--not", "annb@googlemail.com")[0] == 0
    assert not asyncio.run(known())
    assert ask("known", "nobody")[0] == 2


# ----------------------------------------------------------------------------------------------------- why
def reply(running: Running, number: int, code: str, *, decision: Decision = Decision.SUPPRESS) -> ReplyRequest:
    """One reply to Ann, as the gate decided it."""
    return ReplyRequest(
        reply_id=f"reply {number}".encode(),
        submission_id=f"submission {number}".encode(),
        decision=decision,
        code=code,
        subjects=(running.key("address", ANN), running.key("domain", "example.com")),
        account=account(running) if decision is Decision.SEND else None,
    )


def account(running: Running) -> Account:
    return Account(
        recipient=(running.key("address", ANN),),
        provider=running.key("provider", "example.com"),
        site=running.key("site", ""),
        standing=str(Standing.SHOWN),
    )


def test_why_tells_the_last_replies_with_their_codes_and_what_the_relay_said(running: Running, ask: Ask) -> None:
    async def history() -> None:
        ledger = running.store.ledger
        await ledger.reserve(reply(running, 1, "BOT"))
        await ledger.reserve(reply(running, 2, "OK", decision=Decision.SEND))
        await ledger.due(1, lease_s=60.0)
        refusal = Outcome(
            id=b"1",
            reply_id=b"reply 2",
            kind=OutcomeKind.HARD,
            reason="550 5.1.1 no such user",
            subject=running.key("address", ANN),
        )
        await ledger.settle(refusal)

    asyncio.run(history())
    code, told = ask("why", "--offline", ANN)
    replies = told["replies"]
    assert isinstance(replies, list)
    assert [(each["state"], each["code"], each["last"]) for each in replies] == [
        ("refused", "OK", "550 5.1.1 no such user"),
        ("suppressed", "BOT", ""),
    ]
    assert replies[1]["meaning"] == "Judged to be a bot's, and the owner has not released it."
    assert told["suppressed"] == [{"cause": "hard", "until": None, "domain": False}]
    assert code == 1
    now = told["now"]
    assert isinstance(now, dict)
    assert {standing: each["code"] for standing, each in now.items()} == dict.fromkeys(
        ("shown", "plain", "doubtful"), "SUPP_HARD"
    )


def test_why_says_that_nothing_stands_against_a_stranger_and_reserves_nothing(running: Running, ask: Ask) -> None:
    for _ in range(3):
        code, told = ask("why", "--offline", ANN)
        assert (code, told["known"], told["replies"], told["suppressed"]) == (0, False, [], [])
        now = told["now"]
        assert isinstance(now, dict)
        assert {standing: each["code"] for standing, each in now.items()} == {
            "shown": "OK",
            "plain": "OK",
            "doubtful": "HELD_SUSPECT",
        }
    assert asyncio.run(running.store.statistics.about([running.key("address", ANN)], limit=9)).replies == ()


@pytest.mark.usefixtures("running")
def test_g03_why_says_that_a_person_is_known_and_doubt_holds_nothing_back(ask: Ask) -> None:
    ask("known", ANN)
    _, told = ask("why", "--offline", ANN)
    now = told["now"]
    assert isinstance(now, dict)
    assert (told["known"], now["doubtful"]["code"]) == (True, "OK")


def test_why_tells_the_inquiries_of_it_that_wait_for_the_owner(
    running: Running, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    async def waiting() -> None:
        for each in (
            kept(1, State.HELD, ANN, 7.5),
            kept(2, State.REJECTED, "ANN@example.com", 15.0),
            kept(3, State.HELD, "bob@example.com", 7.5),
            kept(4, State.ACCEPTED, ANN, 1.0),
        ):
            await running.store.inquiries.keep(each, lease_s=60.0)

    asyncio.run(waiting())
    _, told = ask("why", "--offline", ANN)
    found = told["waiting"]
    assert isinstance(found, list)
    assert {(each["receipt"], each["state"], each["score"]) for each in found} == {
        ("R-1", "held", 7.5),
        ("R-2", "rejected", 15.0),
    }
    assert "R-1 held, 7.5 points" in say(capsys, "why", "--offline", ANN)[1]


def kept(number: int, state: State, recipient: str, score: float) -> Inquiry:
    return inquiry(number, state=state, recipient=recipient, score=score, received_at=SystemClock().now())


def test_g12_why_tells_the_breaker_that_stands_between(running: Running, ask: Ask) -> None:
    async def distrusted() -> None:
        ledger = running.store.ledger
        await ledger.reserve(reply(running, 1, "OK", decision=Decision.SEND))
        await ledger.due(1, lease_s=60.0)
        await ledger.settle(
            Outcome(
                id=b"1",
                reply_id=b"reply 1",
                kind=OutcomeKind.OURS,
                reason="421 4.7.28 unusual rate",
                ours=Ours.REPUTATION,
            )
        )

    asyncio.run(distrusted())
    code, told = ask("why", "--offline", "bob@example.com")
    breakers = told["breakers"]
    assert isinstance(breakers, list)
    assert [(each["of"], each["shut"]) for each in breakers] == [("provider", "open")]
    assert code == 1


def test_g18_why_says_that_all_replies_are_off(
    running: Running, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(running.store.ledger.suppress(REPLIES_OFF, cause="manual", until=None))
    assert ask("why", "--offline", ANN)[1]["replies_off"] is True
    assert "all auto-replies are off" in say(capsys, "why", "--offline", ANN)[1]


@pytest.mark.usefixtures("running")
def test_why_asks_the_dns_of_the_settings_for_the_provider(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    from formwarden.demo.played_dns import PlayedDns

    with PlayedDns().in_thread() as dns:
        monkeypatch.setenv("FORMWARDEN_DNS_SERVERS", dns.address)
        assert ask("why", "taro@gmail.com")[1]["provider"] == "google"


def test_why_for_people_names_every_part(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(running.store.ledger.reserve(reply(running, 1, "SITE_RATE")))
    ask_list = say(capsys, "add", "--until", "2", ANN)
    assert ask_list[0] == 0
    code, out, _ = say(capsys, "why", "--offline", ANN)
    assert code == 1
    for part in ("not asked (--offline)", "manual, until 20", "known:        no", "SITE_RATE: The site has", "--app"):
        assert part in out


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("address", ["nobody", "a@b.jp, c@d.jp", "", "=?utf-8?q?x?=@example.com\r\nBcc: v@x.jp"])
def test_why_refuses_what_is_no_address(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = say(capsys, "why", "--offline", address)
    assert (code, out) == (2, "")
    assert "no address that mail could go to" in err
    assert "\r" not in err


@pytest.mark.parametrize("action", ["add", "remove", "list", "why", "known"])
def test_every_action_tells_by_examples_how_it_is_used(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["suppress", action, "--help"])
    assert stopped.value.code == 0
    assert f"examples:\n  formwarden suppress {action}" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------- where it looks
@pytest.mark.parametrize("words", [("add", ANN), ("remove", ANN), ("list",), ("why", ANN), ("known", ANN)])
def test_a_store_that_is_not_there_is_never_made(
    folder: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = say(capsys, *words)
    assert (code, out) == (2, "")
    assert "there is no store at" in err
    assert list(folder.iterdir()) == []


def test_a_store_in_memory_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.is_dir()
    code, _, err = say(capsys, "add", "--store", "memory://", ANN)
    assert code == 2
    assert "memory://" in err


@pytest.mark.usefixtures("running")
def test_the_settings_may_be_those_of_the_sites_own_warden(
    site: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (site / "site.db").is_file()
    code, told = ask("why", "--offline", "--app", "guarded_site:warden", ANN)
    now = told["now"]
    assert isinstance(now, dict)
    assert (code, now["shown"]["code"]) == (1, "NO_REPLY")  # its form has none
    wrong = say(capsys, "why", "--offline", "--app", "guarded_site:warden", "--form", "other", ANN)
    assert (wrong[0], "--form: give one of contact" in wrong[2]) == (2, True)
