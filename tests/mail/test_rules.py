"""The rules of an auto-reply engine by number (R1 to R24): those that no single module keeps, and a count of all."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from formwarden.address.report import Flag
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.scoring import Action, Standing
from formwarden.stores.ports import Decision, Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.mail.gate_samples import OPEN, memory, replies, report, row_of, tight, verdict
from tests.mail.test_compose import reply
from tests.mail.test_replies import codes
from tests.stores.samples import send, spend

pytestmark = pytest.mark.anyio
MAIL: Final = Path(__file__).parent
DOCS: Final = MAIL.parents[1] / "docs" / "replies.md"
DAY: Final = 86_400.0
WEEK: Final = 7 * DAY
ADDRESSES: Final = 1_000  # R7
ONE_A_DAY: Final = tight(address_per_day_form=1, address_per_day=2, address_per_week=3)
RULES: Final = range(1, 25)
ROWS: Final = range(20)
RULINGS: Final = (*range(1, 21), 24, 25, 26, 29, 30)


@pytest.fixture
def store(clock: MovableClock) -> Store:
    return memory(clock)


@pytest.fixture
async def files(tmp_path: Path, clock: MovableClock) -> AsyncIterator[tuple[SqliteStore, SqliteStore]]:
    """Two processes' handles on one store, as far as it can tell."""
    pair = (opened(tmp_path, clock), opened(tmp_path, clock))
    yield pair
    for each in pair:
        await each.aclose()


def opened(folder: Path, clock: MovableClock) -> SqliteStore:
    path = str(folder / "site.db")
    return SqliteStore(path, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))


# -------------------------------------------------------------------------------------------- R1: not blindly
async def test_r01_not_every_input_is_answered(store: Store, clock: MovableClock) -> None:
    """Spam, loops, abuse and floods are refused, each by a row of its own."""
    refused = {
        "BOT": verdict(judged=Action.QUARANTINE),
        "OWN_DOMAIN": verdict("a@example.org"),
        "ROLE_SYSTEM": verdict("mailer-daemon@customer.com"),
        "SMS_GATEWAY": verdict(report=report("5551234@vtext.com", Flag.SMS_GATEWAY)),
        "HELD_SUSPECT": verdict(standing=Standing.DOUBTFUL),
    }
    gate = replies(store, clock, OPEN)
    assert await codes(gate, *refused.values()) == list(refused)
    assert await codes(replies(store, clock, tight(site_per_hour=1)), verdict(), verdict()) == ["OK", "SITE_RATE"]


# ------------------------------------------------------------------------------------- R2: no destination, no reply
@pytest.mark.parametrize("address", ["", "<>", "ann@", "@example.com", "nobody", "a@b.jp, c@d.jp", "x: a@b.jp;"])
async def test_r02_no_reply_to_a_destination_that_is_none(store: Store, clock: MovableClock, address: str) -> None:
    wanted = verdict(replace_none(address), report=report(address))
    assert await codes(replies(store, clock), replace(wanted, address=address)) == ["ADDR_SYNTAX"]


def replace_none(address: str) -> str:
    """Name somebody: an empty address would be made up."""
    return address or "nobody"


# --------------------------------------------------------------------------------------- R3, R4: daemons and lists
@pytest.mark.parametrize(
    "local",
    [
        "owner-list",
        "list-owner",
        "list-request",
        "MAILER-DAEMON",
        "Mailer-Daemon",
        "LISTSERV",
        "majordomo",
        "list-bounces",
        "bounce+abc",
        "noreply",
        "do-not-reply",
        "nobody",
    ],
)
async def test_r03_daemons_and_lists_get_none(store: Store, clock: MovableClock, local: str) -> None:
    assert await codes(replies(store, clock), verdict(f"{local}@customer.com")) == ["ROLE_SYSTEM"]


async def test_r04_postmaster_is_a_person_and_the_desks_that_floods_aim_at_are_not(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, OPEN)
    assert await codes(gate, verdict("postmaster@customer.com"), verdict("info@client.com")) == ["OK", "OK"]
    assert await codes(gate, verdict("abuse@customer.com"), verdict("noc@client.com")) == ["ROLE_SYSTEM"] * 2


# ------------------------------------------------------------------------------------------- R6, R7, R8: the ledger
async def test_r06_one_address_is_answered_once_a_day_and_thrice_a_week(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, ONE_A_DAY)
    ann = "ann@customer.com"
    assert await codes(gate, verdict(ann), verdict(ann)) == ["OK", "DUP_24H"]
    clock.move(DAY - 1)
    assert await codes(gate, verdict(ann)) == ["DUP_24H"]
    seen = []
    for _ in range(3):
        clock.move(DAY + 1)
        seen += await codes(gate, verdict(ann))
    assert seen == ["OK", "OK", "DUP_7D"]


async def test_r07_a_thousand_addresses_are_remembered_and_the_oldest_go_first(
    files: tuple[SqliteStore, SqliteStore], clock: MovableClock
) -> None:
    store, _ = files

    async def ask(number: int, turn: str) -> str:
        request = send(f"{turn} {number}", spend("DUP_7D", f"ann {number}", limit=1, window_s=WEEK))
        return (await store.ledger.reserve(request)).code

    assert await ask(0, "first") == "OK"
    clock.move(60.0)
    await asyncio.gather(*(ask(number, "first") for number in range(1, ADDRESSES + 1)))
    clock.move(WEEK - 30.0)  # the first one's week is over, nobody else's
    again = await asyncio.gather(*(ask(number, "again") for number in range(ADDRESSES + 1)))
    assert again[0] == "OK"
    assert set(again[1:]) == {"DUP_7D"}


async def test_r08_the_place_is_taken_before_anything_is_sent_and_two_workers_have_one(
    files: tuple[SqliteStore, SqliteStore], clock: MovableClock
) -> None:
    rounds = 5
    for turn in range(rounds):
        ann = f"ann@town{turn}.com"
        wanted = [verdict(ann), verdict(ann)]
        gates = [replies(each, clock, ONE_A_DAY) for each in files]
        results = await asyncio.gather(*(gate.reply(each) for gate, each in zip(gates, wanted, strict=True)))
        assert sorted(result.code for result in results) == ["DUP_24H", "OK"]
        won = wanted[[result.decision for result in results].index(Decision.SEND)]
        assert (await row_of(files[0], won)).state == "due"  # not sent, and the place is taken all the same
        assert await codes(gates[turn % 2], verdict(ann)) == ["DUP_24H"]


# ------------------------------------------------------------------------------------------ R9: no mail intake
def test_r09_nothing_that_was_mailed_triggers_a_reply_and_the_page_says_so() -> None:
    """A form is no mail: what R9 would look for has nowhere to stand, and no header of that name is read."""
    looked_for = re.compile(r"auto-submitted|list-id|precedence", re.IGNORECASE)
    sources = Path(__file__).parents[2] / "src" / "formwarden"
    reading = [path for room in ("signals", "facts.py", "reading.py") for path in modules(sources / room)]
    assert reading
    assert [path.name for path in reading if looked_for.search(path.read_text(encoding="utf-8"))] == []
    assert "(rule R9 " in DOCS.read_text(encoding="utf-8")


def modules(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


# ------------------------------------------------------------------------------------------- R20, R22: our own boxes
async def test_r20_our_return_path_is_never_answered(store: Store, clock: MovableClock) -> None:
    path = reply().envelope_from.partition("@")[0]
    assert path.startswith("bounce+")
    wanted = [
        verdict(f"{local}@{domain}")
        for local in (path, path.upper())
        for domain in ("example.org", "mail.example.org")
    ]
    assert await codes(replies(store, clock, OPEN), *wanted) == ["OWN_DOMAIN"] * 4
    assert await codes(replies(store, clock, OPEN), verdict(f"{path}@other.com")) == ["ROLE_SYSTEM"]


@pytest.mark.parametrize("local", ["abuse", "postmaster"])
async def test_r22_the_boxes_that_must_be_read_are_left_to_people(
    store: Store, clock: MovableClock, local: str
) -> None:
    assert await codes(replies(store, clock, OPEN), verdict(f"{local}@example.org")) == ["OWN_DOMAIN"]
    assert f"`{local}@`" in DOCS.read_text(encoding="utf-8")
    message = message_from_bytes(reply().data, policy=default)
    assert not str(message["From"]).lower().startswith(local)


# --------------------------------------------------------------------------------------------------- all of them
@cache
def names(place: Path) -> tuple[str, ...]:
    """Return the name of every test below a folder."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(place.rglob("test_*.py")))
    return tuple(re.findall(r"def (test_\w+)", text))


def numbers(pattern: str, place: Path = MAIL) -> set[int]:
    """Return what tests bear; `rows_5_to_9` bears five numbers, `r10_and_r11` two."""
    found = set[int]()
    for name in names(place):
        for first, last in re.findall(rf"(?<![a-z]){pattern}_?(\d+)(?:_to_(\d+))?(?=_|$)", name):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def test_every_rule_has_a_test_that_bears_its_number() -> None:
    assert [f"R{rule}" for rule in RULES if rule not in numbers("r")] == []


def test_every_row_of_the_table_has_a_test_that_bears_its_number() -> None:
    assert [f"row {row}" for row in ROWS if row not in numbers("rows?")] == []


def test_every_ruling_on_mail_has_a_test_that_bears_its_number() -> None:
    assert [f"G{ruling:02}" for ruling in RULINGS if ruling not in numbers("g", MAIL.parent)] == []


def test_no_name_of_a_test_is_taken_for_a_number_it_does_not_bear() -> None:
    assert numbers("r", MAIL) <= set(RULES)
    assert numbers("rows?", MAIL) <= set(ROWS)
