"""Whatever a bot types, in whatever field or header, the stranger's mail holds none of it: over HTTP, from SMTP."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from formwarden import AutoReply, GuardedForm, Settings, Warden, WardenMiddleware, verdict_of
from formwarden.demo.played_dns import PlayedDns
from formwarden.mail.settings import Mail
from formwarden.mail.wording import STOP
from formwarden.submission import EVIDENCE_FIELD, TOKEN_FIELD
from tests.clock import MovableClock
from tests.e2e.disguises import PLAIN_NAMES, corpus, drawn
from tests.servers.http import serving
from tests.servers.smtp import Delivery, SmtpPeer
from tests.sites import BROWSER, evidence, read_page
from tests.soak import runs

DOMAIN = "bow-makers.example"
PUBLIC = f"https://www.{DOMAIN}"
READING_S = 20.0
MOST_PASSES = 400
SUBMISSIONS = 50  # after which mails are sent: what was typed is erased an hour after it was taken
SPECIMEN = 40  # characters of a text by which it is looked for: a mail folds what is longer
FORMS = ("plain", "named")  # the name slot off, and on
LANGUAGES = ("en", "ja")
OTHERS = ("message", "subject", "company", "phone", "url", "reply_to", "language", "reference", "site", "stop")
NEW = {"To", "Message-ID", "Date", "Content-Transfer-Encoding"}  # in each mail


def boundless() -> dict[str, object]:
    """Every budget so high that it never speaks: this is about what a mail says, not whether it leaves."""
    counts = {name: 100_000 for name in Mail.model_fields if re.search(r"_per_(minute|hour|day|week)", name)}
    shares = {name: 1.0 for name in Mail.model_fields if name.endswith("_share") and "complaint" not in name}
    return {**counts, **shares, "tokens_per_10_min": 100_000}


class Reflecting:
    """A site whose forms answer everybody: no signal, no budget. `with` it."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovableClock()
        self.peer = SmtpPeer(dsn=True)
        self.dns = PlayedDns()
        self.folder = folder
        self.sent = 0

    def __enter__(self) -> Self:
        self.peer.__enter__()
        self.dns.start()
        settings = Settings.only(
            secret_keys="k" * 40,
            site_domain=DOMAIN,
            public_url=PUBLIC,
            smtp_url=self.peer.url,
            dns_servers=self.dns.address,
            store_url=f"sqlite:///{self.folder / 'formwarden.db'}",
            work="cron",
            **boundless(),
        )
        forms = [GuardedForm(name, f"/{name}", reply=AutoReply(name=name == "named")) for name in FORMS]
        self.warden = Warden(*forms, settings=settings, signals=(), composites=(), clock=self.clock)
        routes = [Route(f"/{name}", partial(self._page, name=name), methods=["GET", "POST"]) for name in FORMS]
        app = Starlette(routes=routes, middleware=[Middleware(WardenMiddleware, warden=self.warden)])
        self.server = serving(app)
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.server.__enter__()}", timeout=20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.server.__exit__(kind, error, trace)
        self.warden.sync.close()
        self.dns.stop()
        self.peer.__exit__(kind, error, trace)

    async def _page(self, request: Request, *, name: str) -> Response:
        if request.method == "GET":
            fields = "".join(f'<input type="text" name="{each}" value="">' for each in ("name", "email", "message"))
            return HTMLResponse(f"<form method='post'>{self.warden.markup(name)}{fields}</form>")
        verdict = verdict_of(request)
        await self.warden.reply(verdict)
        return RedirectResponse(self.warden.thanks_url(verdict), status_code=303)

    def submit(
        self, form: str, language: str, text: str, *, name: str | None = None, address: str | None = None
    ) -> str:
        """Type a text into every field and header of a form; return the address, which is a new one unless given."""
        self.sent += 1
        address = f"person{self.sent}@gmail.com" if address is None else address
        origin = {"origin": str(self.client.base_url).rstrip("/"), "accept-language": language}
        browser = {**BROWSER, **origin, "accept-encoding": "identity"}
        page = read_page(self.client.get(f"/{form}", headers=browser))
        self.clock.move(READING_S)
        typed = {**page.fields, **dict.fromkeys(OTHERS, text), text[:200]: text, "email": address}
        typed["name"] = text if name is None else name
        typed[EVIDENCE_FIELD] = evidence(page.fields[TOKEN_FIELD])
        clean = {as_sent(key): as_sent(value) for key, value in typed.items()}
        answer = self.client.post(
            f"/{form}?x={quote(as_sent(text)[:500])}",
            data=clean,
            files={"file": (as_sent(text)[:200] or "x", b"hello", "text/plain")},
            headers={**latin(browser), **hostile_headers(text, language)},
        )
        assert answer.status_code == 303, answer.text
        if self.sent % SUBMISSIONS == 0:
            self.mails()
        return address

    def mails(self) -> Mapping[str, Delivery]:
        """Send all that is due, and return every mail by its recipient."""
        for _ in range(MOST_PASSES):
            if not self.warden.sync.work_once():
                break
        return {mail.rcpt_tos[0]: mail for mail in self.peer.mails}


def as_sent(text: str) -> str:
    """Drop halves of characters, which no form can send."""
    return text.encode("utf-8", "ignore").decode()


def hostile_headers(text: str, language: str) -> dict[bytes, bytes]:
    """Put a text into every header that a client may choose and that is not about the body."""
    value = re.sub(rb"[\x00-\x1f\x7f]", b" ", as_sent(text)[:300].encode()).strip() or b"x"
    free = (b"user-agent", b"referer", b"x-requested-with", b"from", b"via")
    spoken = language.encode() + b", " + value
    return {**dict.fromkeys(free, value), b"cookie": b"x=" + value, b"accept-language": spoken}


def latin(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}


@dataclass(frozen=True, kw_only=True)
class Read:
    """A mail less what is new in each."""

    headers: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    envelope: str


def read(mail: Delivery) -> Read:
    """Read a mail as its recipient's program does; numbers, times and signed links become words."""
    assert len(mail.rcpt_tos) == 1
    message = message_from_bytes(mail.data, policy=default)
    assert isinstance(message, EmailMessage)
    assert message["To"] == mail.rcpt_tos[0]
    assert re.fullmatch(rf"<[0-9a-f]{{32}}@{DOMAIN}>", message["Message-ID"])
    own = {name: str(value) for name, value in message.items() if name not in NEW}
    text = str(message.get_content())
    return Read(
        headers=tuple(sorted((name, same(value)) for name, value in own.items())),
        lines=tuple(same(line) for line in text.splitlines()),
        envelope=re.sub(r"\+[a-z2-7]+@", "+ID@", mail.mail_from),
    )


def same(text: str) -> str:
    text = re.sub(r"\bFW-[0-9A-Z]{4}-[0-9A-Z]{4}\b", "NUMBER", text)
    text = re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d UTC|\d+年\d+月\d+日 \d\d:\d\d（日本時間）", "TIME", text)
    return re.sub(rf"^{PUBLIC}/_formwarden/stop/[a-z2-7]+$", "LINK", text)


def greeted(line: str, language: str) -> str | None:
    """Return the name in a first line; None where nobody is named."""
    found = re.fullmatch("(.+) 様" if language == "ja" else "Hello (.+),", line)
    return found.group(1) if found else None


def assert_plain(name: str, typed: str) -> None:
    """Judge a name that came through by other means than the filter's own."""
    assert name == unicodedata.normalize("NFKC", typed).strip(), "another name than was typed"
    assert len(name) <= 30
    assert all(each.isalpha() or unicodedata.category(each) == "Mn" or each in " '-.・·" for each in name), name
    assert not re.search(r"www|http|\.\S|[・·].*\.|\b(com|net|org|test|li)\b", name.casefold()), name


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reflecting]:
    with Reflecting(tmp_path_factory.mktemp("reflecting")) as site:
        yield site


@pytest.fixture(scope="module")
def usual(site: Reflecting) -> Mapping[tuple[str, str, str], Read]:
    """What is sent to people, by form, language and what they typed as a name: nothing, a name, more."""
    kinds = {"nothing": "", "name": "Taro Yamada", "more": "x1"}
    asked = {
        (form, language, kind): site.submit(form, language, "hello", name=name)
        for form in FORMS
        for language in LANGUAGES
        for kind, name in kinds.items()
    }
    mails = site.mails()
    return {key: read(mails[address]) for key, address in asked.items()}


def test_people_get_what_they_should(usual: Mapping[tuple[str, str, str], Read]) -> None:
    for language in LANGUAGES:
        assert len({usual["plain", language, kind] for kind in ("nothing", "name", "more")}) == 1
        named, minimal = usual["named", language, "name"], usual["named", language, "more"]
        assert greeted(named.lines[0], language) == "Taro Yamada"
        assert greeted(usual["named", language, "nothing"].lines[0], language) is None
        assert len(minimal.lines) < len(named.lines)
        assert named.headers == minimal.headers == usual["plain", language, "name"].headers
        assert all(each.lines[-1] == "LINK" for each in (named, minimal))
        assert all(STOP[language].splitlines()[0] in each.lines for each in (named, minimal))
        assert named.envelope == f"bounce+ID@{DOMAIN}"


@pytest.mark.soak
@pytest.mark.parametrize("form", FORMS)
def test_r17_nothing_that_was_typed_anywhere_reaches_the_stranger(
    form: str, site: Reflecting, usual: Mapping[tuple[str, str, str], Read], request: pytest.FixtureRequest
) -> None:
    texts = (*corpus(), *drawn(request.node.nodeid, runs(24, 2_000)))
    languages = [LANGUAGES[number % 2] for number in range(len(texts))]
    asked = [(text, tongue, site.submit(form, tongue, text)) for text, tongue in zip(texts, languages, strict=True)]
    mails = site.mails()
    names = set[str]()
    for text, language, address in asked:
        mail = mails[address]
        got = read(mail)
        name = greeted(got.lines[0], language)
        if form == "plain" or name is None:
            kinds = ("more",) if form == "plain" or text.strip() else ("nothing",)
            assert got in [usual[form, language, kind] for kind in kinds], text
        else:
            assert_plain(name, text)
            names.add(name)
            assert got.lines[1:] == usual[form, language, "name"].lines[1:]
        if name is None and len(text) > SPECIMEN:
            assert text[:SPECIMEN].encode("utf-8", "ignore") not in mail.data
        assert len(mail.data) <= 4_096
    assert len(mails) >= len(asked)
    assert len(names) <= len(asked) // 20, "the filter lets through what it should not"


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_a_name_with_every_other_field_hostile_is_all_that_is_echoed(
    name: str, site: Reflecting, usual: Mapping[tuple[str, str, str], Read]
) -> None:
    hostile = "ｈｔｔｐｓ：／／evil。test/\u202e"
    addresses = {language: site.submit("named", language, hostile, name=name) for language in LANGUAGES}
    mails = site.mails()
    for language, address in addresses.items():
        got = read(mails[address])
        assert greeted(got.lines[0], language) == name
        assert got.lines[1:] == usual["named", language, "name"].lines[1:]
        assert got.headers == usual["named", language, "name"].headers


@pytest.mark.soak
def test_r02_and_r05_what_is_typed_as_an_address_is_one_address_or_gets_no_mail(site: Reflecting) -> None:
    before = {mail.rcpt_tos for mail in site.mails().values()}
    for text in (each for each in corpus()[:: runs(3, 1)] if len(each) <= 300):
        for address in (text, f"{text}@gmail.com", f"bob@gmail.com, {text}"):
            site.submit("named", "en", "hello", name="", address=address)
    site.mails()
    for mail in site.peer.mails:
        if mail.rcpt_tos not in before:
            (address,) = mail.rcpt_tos
            assert re.fullmatch(r"[^\s@<>:\\,;]+@gmail\.com", address), address
            local = address.partition("@")[0]
            message = message_from_bytes(mail.data, policy=default)
            assert isinstance(message, EmailMessage)
            assert local not in str(message.get_content())
