from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from formwarden.clock import SystemClock
from formwarden.demo import create_app
from formwarden.demo.letters import VARIABLE
from formwarden.demo.played_dns import PlayedDns
from formwarden.demo.sink import MailSink
from formwarden.entropy import system_entropy
from formwarden.submission import TOKEN_FIELD
from formwarden.tokens import Tokens
from tests.e2e.demo_site import eventually

KEY = "k" * 40
PAGES = ("/", "/contact", "/thanks", "/mailbox")
BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-GB,en;q=0.9",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "sec-fetch-user": "?1",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
}
OWN = {**BROWSER, "origin": "http://testserver", "referer": "http://testserver/contact"}
HANAKO = {"name": "Hanako <Sato>", "email": "hanako@gmail.com", "message": 'Strings "for" a violin & a viola?'}


class Page(HTMLParser):
    """Reads a page as a browser does: fields with their values, labels, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.ids: set[str] = set()
        self.labelled: set[str] = set()
        self.loads: list[str] = []
        self.language = ""
        self._area: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.loads += [given[name] for name in ("src", "href") if name in given and tag != "a"]
        if tag == "html":
            self.language = given["lang"]
        if tag == "label" and "for" in given:
            self.labelled.add(given["for"])
        if tag == "input" and given.get("type") != "checkbox":
            self.fields[given["name"]] = given.get("value", "")
        if tag == "textarea":
            self._area = given["name"]
            self.fields[self._area] = ""
        if tag in {"input", "textarea"} and "id" in given:
            self.ids.add(given["id"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.fields[self._area] += data


def lineage(fields: dict[str, str]) -> bytes:
    """Read what ties the pages of one visit together."""
    tokens = Tokens([KEY], clock=SystemClock(), entropy=system_entropy)
    _, token = tokens.read(fields[TOKEN_FIELD], "contact", stale_after_s=3_600)
    assert token is not None
    return token.lineage


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    with MailSink(tmp_path / "mail").running() as sink, PlayedDns().in_thread() as dns:
        values = {
            "SECRET_KEYS": KEY,
            "STORE_URL": f"sqlite:///{tmp_path / 'site.db'}",
            "SITE_DOMAIN": "tsukimizaka.played",
            "STAFF_ADDRESS": "workshop@tsukimizaka.played",
            "SMTP_URL": sink.url,
            "DNS_SERVERS": dns.address,
            "CONSOLE_PASSWORD": "geheim",
            "WEIGHTS": "too_young=0",  # a test client reads and types in no time
        }
        for name, value in values.items():
            monkeypatch.setenv(f"FORMWARDEN_{name}", value)
        monkeypatch.setenv(VARIABLE, str(tmp_path / "mail"))
        yield monkeypatch


@pytest.fixture
def site(surroundings: pytest.MonkeyPatch) -> Iterator[TestClient]:
    surroundings.delenv("FORMWARDEN_MODE", raising=False)
    with TestClient(create_app(), headers=BROWSER, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("header", "language"), [("ja-JP,ja;q=0.9", "ja"), ("en-US", "en")])
def test_every_page_speaks_the_browsers_language(site: TestClient, path: str, header: str, language: str) -> None:
    response = site.get(path, headers={"accept-language": header})
    assert response.status_code == 200
    assert Page(response.text).language == language
    assert ("月見坂弦楽器工房" in response.text) is (language == "ja")
    assert "accept-language" in response.headers["vary"].lower()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_to_a_policy_without_inline_parts_or_foreign_hosts(site: TestClient, path: str) -> None:
    response = site.get(path)
    assert response.headers["content-security-policy"].startswith("default-src 'self';")
    assert "style=" not in response.text
    assert "<style" not in response.text
    assert "<script>" not in response.text
    loads = Page(response.text).loads
    assert loads
    assert all(each.startswith("/") and not each.startswith("//") for each in loads)
    assert [site.get(each).status_code for each in loads] == [200] * len(loads)


def test_the_form_has_exactly_its_three_fields_and_each_a_label(site: TestClient) -> None:
    page = Page(site.get("/contact").text)
    assert page.ids == {"name", "email", "message"}
    assert page.ids <= page.labelled
    assert page.ids <= page.fields.keys()


def test_a_page_that_is_not_there_is_a_page_of_the_site(site: TestClient) -> None:
    response = site.get("/nowhere", headers={"accept-language": "ja"})
    assert response.status_code == 404
    assert "このページはありません" in response.text
    assert site.get("/mailbox/nothing").status_code == 404


def test_without_the_sink_there_is_no_mailbox(surroundings: pytest.MonkeyPatch) -> None:
    surroundings.delenv(VARIABLE)
    site = TestClient(create_app(), headers=BROWSER)
    assert site.get("/mailbox").status_code == 404
    assert site.get("/mailbox/1").status_code == 404
    assert "/mailbox" not in site.get("/").text


def test_the_owners_page_is_closed_to_others(site: TestClient) -> None:
    assert site.get("/warden/").status_code == 401
    assert site.get("/warden").headers["location"].endswith("/warden/")


@pytest.mark.parametrize("field", ["name", "email", "message"])
def test_a_missing_field_asks_again_and_keeps_what_was_typed(site: TestClient, field: str) -> None:
    form = Page(site.get("/contact").text).fields
    response = site.post("/contact", data={**form, **HANAKO, field: " \t"}, headers=OWN)
    assert response.status_code == 422
    again = Page(response.text).fields
    assert {name: again[name].strip() for name in HANAKO} == {**HANAKO, field: ""}
    assert f'aria-describedby="{field}-error' in response.text
    assert response.text.count('aria-invalid="true"') == 1
    assert lineage(again) == lineage(form)  # the correction belongs to the first attempt: neither too fast nor a copy
    corrected = site.post("/contact", data={**again, **HANAKO}, headers=OWN)
    assert corrected.status_code == 303


def test_g18_the_owners_switch_stops_replies_and_the_page_says_so(site: TestClient) -> None:
    owner = ("owner", "geheim")
    for switch, off in (("off", True), ("on", False)):
        answer = site.post(f"/warden/replies/{switch}", headers=OWN, auth=owner)
        assert answer.status_code == 303
        assert site.get("/warden/?json", auth=owner).json()["replies_off"] is off


def test_an_inquiry_that_is_held_goes_out_when_its_owner_releases_it(site: TestClient) -> None:
    owner = ("owner", "geheim")
    assert site.post("/contact", data=HANAKO, headers={"host": "testserver"}).status_code < 500
    (held,) = site.get("/warden/?json", auth=owner).json()["inquiries"]
    assert held["state"] in {"held", "asked", "rejected"}
    page = site.get("/warden/?state=" + held["state"], auth=owner).text
    action = page.partition(f'action="inquiries/{held["id"]}/release')[2].partition('"')[0]
    released = site.post(f"/warden/inquiries/{held['id']}/release{action}", headers=OWN, auth=owner)
    assert released.headers["location"].startswith("../../?done=release")
    assert site.get("/warden/?json", auth=owner).json()["inquiries"][0]["state"] == "released"


@pytest.mark.slow
def test_a_person_writes_and_both_mails_stand_in_the_mailbox(site: TestClient) -> None:
    form = Page(site.get("/contact").text).fields
    answer = site.post("/contact", data={**form, **HANAKO}, headers=OWN)
    assert answer.status_code == 303
    thanks = site.get(answer.headers["location"])
    assert "Hanako &lt;Sato&gt;" in thanks.text
    inquiry = site.get("/warden/?json", auth=("owner", "geheim")).json()["inquiries"][0]
    assert inquiry["receipt"] in thanks.text
    assert inquiry["typed"] == [[name, text] for name, text in HANAKO.items()]
    eventually("two mails", lambda: site.get("/mailbox").text.count('href="/mailbox/') == 2)
    listed = site.get("/mailbox").text
    assert "workshop@tsukimizaka.played" in listed
    assert "hanako@gmail.com" in listed
    letters = [line.partition('href="')[2].partition('"')[0] for line in listed.splitlines() if "/mailbox/" in line]
    texts = [site.get(each).text for each in letters]
    assert sum(inquiry["receipt"] in text for text in texts) == 2
    assert all("auto-generated" in text for text in texts)
    assert sum("Hanako &lt;Sato&gt;" in text for text in texts) == 1
