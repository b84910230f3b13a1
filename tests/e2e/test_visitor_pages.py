"""The pages a visitor may meet, in a real browser: usable for everybody, and no trap is told of or led into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from formwarden.page.texts import AskCause, texts_for
from tests.e2e.demo_site import DemoSite
from tests.e2e.people import SENTENCE, person_browser, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LINKS = "[url=http://a.example]a[/url] <a href='http://b.example'>b</a> http://c.example"
POLL_MS, POLLS = 50, 400  # 20 s: far more than a busy machine needs for the work of one page
TABS = 40  # more than any of these pages has places to stop at
WRITTEN = {"name": "Hanako Sato", "email": "hanako.sato.cello@gmail.com"}
# Of each language three texts that have nothing in common: what repeats itself is judged by that.
TEXTS = {
    "en": (SENTENCE, "It is a cello of 1921.", "My grandfather's viola has a crack near the bridge."),
    "ja": (
        "チェロの開放弦が鳴るようになりました。",
        "三味線の皮の張り替えはいくらですか。",
        "駒の調整をお願いできますか。",
    ),
}


@pytest.fixture(scope="module")
def person() -> Iterator[Browser]:
    with person_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def site() -> Iterator[DemoSite]:
    # links alone lead to quarantine; and that one client and one address send all of this says nothing
    limits = {"client_per_10_min": "60", "address_per_day_seen": "60"}
    with DemoSite({"on_quarantine": "challenge", "weights": "urls=7 markup=7", **limits}) as site:
        yield site


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One tab at the demo."""

    page: Page
    url: str
    texts: tuple[str, ...]

    def contact(self) -> Page:
        self.page.goto(f"{self.url}/contact")
        return self.page

    def sent(self, *, trap: bool = False, **typed: str) -> Page:
        """Fill in the form faster than anybody can, and send it."""
        page = self.contact()
        for name, value in (WRITTEN | {"message": self.texts[0]} | typed).items():
            page.locator(f"#{name}").fill(value)
        if trap:
            page.locator(".fw-more input[type=text]").evaluate("field => { field.value = 'Acme' }")
        with page.expect_navigation():
            page.locator("main form button").click()
        return page

    def home(self) -> Page:
        self.page.goto(self.url)
        return self.page

    def asked(self) -> Page:
        return self.sent()

    def asked_for_the_address(self) -> Page:
        return self.sent(email="hanako@gmail", message=self.texts[1])

    def challenged(self) -> Page:
        return self.sent(message=f"{self.texts[1]} {LINKS}")

    def thanked(self) -> Page:
        page = self.sent(message=self.texts[2])
        with page.expect_navigation():
            page.get_by_role("button").click()
        return page

    def rejected(self) -> Page:
        return self.sent(trap=True, message=f"Buy this. {LINKS}", name="SEO http://e.example")


PAGES: dict[str, Callable[[Visit], Page]] = {
    "home": Visit.home,
    "contact": Visit.contact,
    "ask": Visit.asked,
    "address": Visit.asked_for_the_address,
    "challenge": Visit.challenged,
    "thanks": Visit.thanked,
    "reject": Visit.rejected,
}
ASKING = ("ask", "address", "challenge")


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found on one page."""

    title: str
    text: str
    complaints: list[str]
    told: str  # to those who listen to it
    stops: list[str]  # of the Tab key
    traps: list[str]


def look(page: Page) -> Looked:
    return Looked(
        title=page.title(),
        text=page.locator("main").inner_text(),
        complaints=complaints(page),
        told=told_to_readers(page),
        stops=stops(page),
        traps=page.locator(".fw-more input").evaluate_all("all => all.map(one => one.name)"),
    )


def complaints(page: Page) -> list[str]:
    """Ask axe-core. The browser's driver puts it into the page, past its strict policy."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    return [
        f"{each['id']} ({each['impact']}): {node['html']}" for each in found["violations"] for node in each["nodes"]
    ]


def told_to_readers(page: Page) -> str:
    """Return every name and value of the accessibility tree: what a screen reader may say."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    told = [node for node in nodes if not node.get("ignored")]
    parts = ("name", "description", "value")
    return "\n".join(str(node.get(part, {}).get("value", "")) for node in told for part in parts)


def stops(page: Page) -> list[str]:
    """Press Tab until it leaves the page or comes round, and name what had the focus."""
    page.evaluate("document.activeElement.blur()")
    seen: list[str] = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "(one => one === document.body ? '' : one.name || one.textContent.trim())(document.activeElement)"
        )
        if not here or here in seen:
            break
        seen.append(here)
    return seen


@pytest.fixture(scope="module", params=["en", "ja"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def looked(person: Browser, site: DemoSite, language: str) -> dict[str, Looked]:
    """Go once through all pages."""
    context = visit(person, language=language)
    tab = Visit(page=context.new_page(), url=site.url, texts=TEXTS[language])
    found = {name: look(reach(tab)) for name, reach in PAGES.items()}
    context.close()
    return found


def test_every_page_was_there(looked: dict[str, Looked], language: str) -> None:
    words = texts_for(language)
    titles = {**dict.fromkeys(ASKING, words.ask_title), "thanks": words.thanks_title, "reject": words.reject_title}
    assert {name: looked[name].title for name in titles} == titles
    assert words.reasons[AskCause.CHALLENGE] in looked["challenge"].text
    assert words.did_you_mean in looked["address"].text


def test_axe_finds_nothing_on_any_page(looked: dict[str, Looked]) -> None:
    assert {name: each.complaints for name, each in looked.items() if each.complaints} == {}


@pytest.mark.parametrize("where", ["contact", *ASKING])
def test_no_trap_is_announced(looked: dict[str, Looked], language: str, where: str) -> None:
    words, told = texts_for(language), looked[where].told
    assert len(set(looked[where].traps)) == 2
    assert looked[where].title in told
    for word in (words.leave_empty, words.leave_unticked, *looked[where].traps):
        assert word not in told


@pytest.mark.parametrize("where", ["contact", *ASKING])
def test_no_trap_is_on_the_way_of_the_tab_key(looked: dict[str, Looked], language: str, where: str) -> None:
    page = looked[where]
    assert not set(page.traps) & set(page.stops)
    expected = {"name", "email", "message"} if where == "contact" else {texts_for(language).send}
    assert expected <= set(page.stops)


VIOLA = f"My viola has a crack near the bridge, see: {LINKS}"
HARP = f"And my harp lacks two strings, as you see there: {LINKS}"


@pytest.mark.parametrize(("scripts", "message"), [(True, VIOLA), (False, HARP)], ids=["scripts", "no scripts"])
def test_g34_a_challenge_is_answered_with_work_where_scripts_run_and_stays_doubtful(
    *, person: Browser, site: DemoSite, scripts: bool, message: str
) -> None:
    context = visit(person, language="en", scripts=scripts)
    page = context.new_page()
    tab = Visit(page=page, url=site.url, texts=TEXTS["en"])
    tab.sent(message=message)
    for _ in range(POLLS if scripts else 0):
        # what a click would send now: the number that was found stands in it
        if '"n":' in str(page.evaluate("new FormData(document.forms[0]).get('_fw_seen')")):
            break
        page.wait_for_timeout(POLL_MS)
    assert texts_for("en").reasons[AskCause.CHALLENGE] in page.locator("main").inner_text()
    with page.expect_navigation():
        page.get_by_role("button").click()
    assert page.title() == texts_for("en").thanks_title
    context.close()
    answered = site.overview().inquiries[0]
    hits = answered["hits"]
    assert isinstance(hits, dict)
    assert (answered["state"], answered["standing"], answered["click"]) == ("done", "doubtful", "made")
    assert ("work_solved" in hits, "work_missing" in hits) == (scripts, not scripts)
