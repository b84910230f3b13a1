"""No stranger learns from pages, their shape or their time what the gate decided of a reply (G29)."""

import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from formwarden import Evidence, GuardedForm, Verdict, signal
from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.facts import Facts
from formwarden.faults import Faults
from formwarden.mail.autoreply import AutoReply
from formwarden.scoring import Signal
from formwarden.stores.ports import REPLIES_OFF, Key
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.subjects import Subjects
from formwarden.submission import Submission
from tests.clock import MovableClock
from tests.mail.own_mailer import own_site
from tests.mail.test_own_mailer import Postbox
from tests.proof import Proof
from tests.sites import ADDRESS, MESSAGE, Site
from tests.soak import runs

pytestmark = pytest.mark.anyio
CANONICAL = "taroyamada@gmail.com"
SEALED = re.compile(rb"(?<=receipt=).+")
REFERENCE = re.compile(rb"FW-[0-9A-Z]{4}-[0-9A-Z]{4}")
DOUBTED, QUARANTINED = 3.5, 6.0  # points
ROUNDS = 15
Before = Callable[[Site], Awaitable[None]]


def always(points: float) -> Signal:
    """Give every submission so many points."""

    @signal(weight=points, group="content")
    def suspicious(submission: Submission, facts: Facts) -> Evidence | None:  # noqa: ARG001 - a signal's shape
        """It is one of a test's."""
        return Evidence(text="always")

    return suspicious


async def nothing(_: Site) -> None:
    """Leave it as it is."""


async def listed(site: Site) -> None:
    """Put the person on the suppression list."""
    await site.store.well.ledger.suppress(await key(site, "address", CANONICAL), cause="hard", until=None)


async def whole_domain_listed(site: Site) -> None:
    """Put his domain there."""
    await site.store.well.ledger.suppress(await key(site, "domain", "gmail.com"), cause="domain", until=None)


async def off(site: Site) -> None:
    """Turn the switch."""
    await site.store.well.ledger.suppress(REPLIES_OFF, cause="manual", until=None)


async def silent(site: Site) -> None:
    """Let DNS say nothing."""
    site.resolver.silent.add("gmail.com")


async def down(site: Site) -> None:
    """Let the ledger be down."""
    site.store.fails("ledger.reserve", StoreError("disk full"))


async def key(site: Site, kind: str, value: str) -> Key:
    return Subjects(await site.store.well.recipient_keys()).keys(kind, value)[0]


DECIDED: Mapping[str, tuple[float, Before, str | None]] = {
    "OK": (0.0, nothing, "OK"),
    "held for the owner": (DOUBTED, nothing, "HELD_SUSPECT"),
    "held for DNS": (0.0, silent, "ADDR_DNS_TEMP"),
    "on the list": (0.0, listed, "SUPP_HARD"),
    "its domain on the list": (0.0, whole_domain_listed, "SUPP_DOMAIN"),
    "switched off": (0.0, off, "AR_OFF"),
    "the ledger down": (0.0, down, None),
    "quarantined": (QUARANTINED, nothing, None),
}
"""What the gate decided: points that each submission gets, what was done before, the reply's code."""
REACHED = tuple(name for name in DECIDED if name != "quarantined")


async def visited(tmp_path: Path, name: str, form: GuardedForm | None = None) -> tuple[Site, httpx2.Response]:
    """Let a person send the form once the stage is set; every site draws the same chance."""
    points, before, _ = DECIDED[name]
    folder = tmp_path / name
    folder.mkdir()
    site = Site(folder, form, signals=[always(points)] if points else [])
    if form is not None and form.thanks_json is not None:
        site.endpoint = answers_json(site)
    visitor = site.visitor()
    page = await visitor.open()
    await site.store.recipient_keys()
    await before(site)
    site.store.health_of.calls.clear()
    site.resolver.asked.clear()
    return site, await visitor.send(page)


def answers_json(site: Site) -> Callable[[Request, Verdict], Awaitable[Response]]:
    """Answer as `thanks_json` says, as an API of the site's own does."""

    async def answer(_: Request, verdict: Verdict) -> Response:
        await site.warden.notify(verdict)
        await site.warden.reply(verdict)
        headers = {"cache-control": "no-store"}
        return JSONResponse({"ok": True, "reference": verdict.receipt}, headers=headers)

    return answer


def told(response: httpx2.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Everything that went over the line."""
    headers = sorted((name.lower(), value) for name, value in response.headers.raw)
    return response.status_code, headers, response.content


async def test_g29_the_answer_is_the_same_to_the_byte_whatever_the_gate_decided(tmp_path: Path) -> None:
    answers, codes = {}, {}
    for name in DECIDED:
        site, response = await visited(tmp_path, name)
        inquiry = await site.inquiry()
        row = await site.row(inquiry.id)
        codes[name] = None if row is None else row.code
        answers[name] = told(response)
    assert codes == {name: code for name, (_, _, code) in DECIDED.items()}  # each was decided otherwise
    quarantined = answers.pop("quarantined")
    assert {name for name, answer in answers.items() if answer != answers["OK"]} == set()
    # The other path through the same site draws its chance in another order: the sealed receipt is another one.
    assert masked(quarantined) == masked(answers["OK"])


def masked(answer: tuple[int, list[tuple[bytes, bytes]], bytes]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Leave the sealed receipt out, but for its length."""
    status, headers, body = answer
    hidden = [
        (name, re.sub(rb"(?<=receipt=).+", lambda found: b"x" * len(found[0]), value)) for name, value in headers
    ]
    return status, hidden, body


async def test_g29_the_thanks_page_is_the_same_and_nobody_misses_his_copy(tmp_path: Path) -> None:
    pages = {}
    for name in DECIDED:
        site, response = await visited(tmp_path, name)
        page = await site.visitor().request("GET", response.headers["location"])
        assert (await site.inquiry()).receipt in page.text, name
        assert MESSAGE in page.text, name
        assert ADDRESS in page.text, name
        status, headers, body = told(page)
        pages[name] = (status, headers, REFERENCE.sub(b"FW-0000-0000", body))
    assert {name for name, page in pages.items() if page != pages["OK"]} == set()


async def test_g29_the_thanks_page_is_the_same_after_the_mail_has_left_or_not(tmp_path: Path) -> None:
    pages = set()
    for name in DECIDED:
        site, response = await visited(tmp_path, name)
        await site.later(60.0)
        assert bool(site.sender.to(ADDRESS)) == (name == "OK")
        page = await site.visitor().request("GET", response.headers["location"])
        pages.add(REFERENCE.sub(b"FW-0000-0000", page.content))
    assert len(pages) == 1


async def test_g29_an_api_answers_in_the_same_shape_whatever_the_gate_decided(tmp_path: Path) -> None:
    form = GuardedForm(
        "contact", path="/contact", reply=AutoReply(), thanks_json='{"ok":true,"reference":"$reference"}'
    )
    answers = set()
    for name in REACHED:
        _, response = await visited(tmp_path, name, form)
        assert json.loads(response.content)["ok"] is True
        status, headers, body = told(response)
        answers.add((status, tuple(headers), body))
    assert len(answers) == 1


async def test_g29_the_visitor_waits_for_the_same_steps_whatever_the_gate_decided(tmp_path: Path) -> None:
    """Writes are what an answer waits for; what is not sent may read once more what was read a moment ago."""
    writes, reads, questions = set(), set(), set()
    for name in (each for each in REACHED if each != "the ledger down"):
        site, _ = await visited(tmp_path, name)
        steps = Counter(site.store.health_of.calls)
        reads.add(steps.pop("ledger.reputation"))
        del steps["store.recipient_keys"]  # remembered for a second
        writes.add(tuple(sorted(steps.items())))
        questions.add(site.resolver.asked.total() if name != "held for DNS" else None)
        assert site.sender.mails == []  # nobody waits for a relay
    assert len(writes) == 1
    assert reads <= {1, 2}
    assert len(questions - {None}) == 1


async def test_g29_the_time_of_a_reply_hangs_on_the_disk_and_not_on_what_was_decided(
    tmp_path: Path, clock: MovableClock, proof: Proof
) -> None:
    path = str(tmp_path / "site.db")
    store = SqliteStore(path, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))
    site = own_site(Postbox(), clock, store=store)
    keys = Subjects(await store.recipient_keys())
    spans: dict[str, list[float]] = {"OK": [], "SUPP_HARD": []}
    for number in range(runs(ROUNDS, 40 * ROUNDS)):
        for code in sorted(spans, reverse=number % 2 == 0):  # neither is always the first
            verdict = await site.judged(f"ann@{code.lower().replace('_', '-')}-{number}.jp")
            if code == "SUPP_HARD":
                await store.ledger.suppress(keys.keys("address", str(verdict.address))[0], cause="hard", until=None)
            started = time.perf_counter()
            result = await site.warden.reply(verdict)
            spans[code].append(time.perf_counter() - started)
            assert result.code == code
    await store.aclose()
    sent, suppressed = (statistics.median(span) * 1_000 for span in spans.values())
    proof(
        "the answer's time tells nothing of the reply",
        sent_ms=f"{sent:.2f}",
        suppressed_ms=f"{suppressed:.2f}",
        spread_of_the_sent_ms=f"{spread(spans['OK']) * 1_000:.2f}",
    )
    # Less than two answers of one kind differ by, or less than half of what each takes: one look tells nothing.
    assert abs(sent - suppressed) <= max(sent / 2, *(spread(span) * 1_000 for span in spans.values()))


def spread(span: list[float]) -> float:
    """Return what lies between the quartiles."""
    low, _, high = statistics.quantiles(span, n=4)
    return high - low
