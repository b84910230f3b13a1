"""The pages as a real browser shows them and posts them back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from formwarden.facts import MarkerOutcome
from formwarden.forms import AskPage, GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.evidence import page_facts, script_facts, typed_fields
from formwarden.page.markup import render
from formwarden.page.pages import OurPages
from formwarden.page.texts import AskCause, ask_reason
from formwarden.page.traps import Traps
from formwarden.submission import EVIDENCE_FIELD, TOKEN_FIELD, Fields
from formwarden.tokens import Tokens
from tests.page.served import Site, served

pytestmark = pytest.mark.browser
EPOCH = 2958
TYPED = Fields(
    [
        ("name", '青葉 "花子" <b>&amp;'),
        ("email", "hanako@exmaple.com"),
        ("message", "\r\n一行目\r\n\r\n二行目  " + "長い" * 400 + "x" * 400),
        ("topic", "a"),
        ("topic", "b"),
    ]
)


@pytest.fixture
def site(form: GuardedForm, tokens: Tokens, traps: Traps, assets: Assets) -> Iterator[Site]:
    pages = OurPages(assets, site_name="あおば工房")
    markup = render(
        form,
        marker=tokens.mark(form.name, EPOCH),
        token=tokens.issue(form.name),
        traps=traps.of(form, epoch=EPOCH),
        assets=assets,
        language="ja",
    )
    ask = AskPage(
        form=form.name,
        reason=ask_reason(AskCause.ADDRESS, "ja", address=TYPED["email"]),
        shown=TYPED,
        hidden=TYPED,
        files=("図面.pdf",),
        markup=markup,
        language="ja",
    )
    with served(assets, lambda _marker: None) as site:
        site.pages["/contact"] = pages.ask(ask, form)
        site.pages["/correct"] = pages.ask(ask, form, correct_address=True)
        site.pages["/thanks"] = pages.thanks("FW-7K3M-9QXD", TYPED, form, "ja")
        site.pages["/stop"] = pages.stop("ja")
        site.pages["/stopped"] = pages.stopped("ja")
        yield site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def press(page: Page, site: Site) -> Fields:
    with page.expect_navigation():
        page.get_by_role("button").click()
    return site.posts[-1]


def test_one_click_posts_what_was_typed_to_the_same_address(
    site: Site, page: Page, form: GuardedForm, traps: Traps
) -> None:
    page.goto(f"{site.url}/contact?from=top")
    posted = press(page, site)
    assert page.url == f"{site.url}/contact?from=top"
    made = traps.of(form, epoch=EPOCH)
    assert typed_fields(posted, made) == TYPED
    script = script_facts(posted[EVIDENCE_FIELD], posted[TOKEN_FIELD])
    assert (script.bound, script.pointers) == (True, 1)
    facts = page_facts(posted, marker=MarkerOutcome.VALID, traps=made, script=script)
    assert not [trap for trap in facts.traps if trap.filled]


def test_a_mistyped_address_is_corrected_where_it_stands(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/correct")
    page.get_by_label("メールアドレス").fill("hanako@example.com")
    assert press(page, site).all("email") == ("hanako@example.com",)


def test_r23_one_click_stops_such_mails(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/stop")
    assert site.posts == []
    assert press(page, site) == Fields()


def test_pages_fit_the_narrowest_phone_and_show_their_button_at_once(site: Site, page: Page) -> None:
    for path in site.pages:
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    page.goto(f"{site.url}/correct")
    box = page.get_by_role("button").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] <= 640


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(browser: Browser, site: Site, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(f"{site.url}/thanks")
    ground = page.locator("main").evaluate("main => getComputedStyle(main).backgroundColor")
    colors = page.locator("main *").evaluate_all("all => [...new Set(all.map(one => getComputedStyle(one).color))]")
    context.close()
    assert len(colors) == 2
    assert min(contrast(color, ground) for color in colors) >= 4.5  # WCAG 2.2, success criterion 1.4.3


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
