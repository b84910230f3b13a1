"""Headers: consistency, and where the post came from."""

import pytest

from formwarden.facts import Facts, Origin, TokenFacts, TokenOutcome
from formwarden.scoring import Action, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_SIGNALS
from formwarden.signals.headers import (
    accept_language_missing,
    accept_missing,
    cross_site_post,
    cross_site_stale_page,
    fetch_metadata_missing,
    user_agent_missing,
)
from formwarden.submission import Submission
from tests.signals.cases import FRESH, see

CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{0}) Gecko/20100101 Firefox/{0}"
SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{} Safari/605.1.15"
WEB_VIEW = "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36"
CHROME_ON_IPHONE = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 CriOS/120.0.0.0 Mobile/15E148 Safari/604.1"
PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


def request(content_type: str = "application/x-www-form-urlencoded", **headers: str) -> Submission:
    """Make a request; header names are written with underscores."""
    sent = {"host": "example.com"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Submission("contact", {}, headers=sent, content_type=content_type)


def test_g32_a_post_from_another_site_without_a_fresh_token_asks() -> None:
    facts = Facts(origin=Origin.CROSS, token=TokenFacts(outcome=TokenOutcome.STALE))
    assert see(cross_site_stale_page, facts) is not None
    assert see(cross_site_post, facts) is None
    assert decide(weigh(DEFAULT_SIGNALS, Submission("contact", {}), facts), Thresholds()) is Action.ASK


def test_g32_a_post_from_another_site_with_a_fresh_token_is_a_trifle() -> None:
    facts = Facts(origin=Origin.CROSS, token=FRESH)
    assert see(cross_site_post, facts) is not None
    assert see(cross_site_stale_page, facts) is None


@pytest.mark.parametrize("origin", [Origin.OWN, Origin.ABSENT])
@pytest.mark.parametrize("outcome", TokenOutcome)
def test_g01_an_own_or_unstated_origin_is_no_evidence(origin: Origin, outcome: TokenOutcome) -> None:
    facts = Facts(origin=origin, token=TokenFacts(outcome=outcome))
    assert see(cross_site_stale_page, facts) is None
    assert see(cross_site_post, facts) is None


@pytest.mark.parametrize("user_agent", ["", "  "])
def test_a_sender_without_a_name_is_evidence(user_agent: str) -> None:
    assert see(user_agent_missing, submission=request(user_agent=user_agent)) is not None


def test_any_name_of_a_program_is_no_evidence_of_a_missing_one() -> None:
    assert see(user_agent_missing, submission=request(user_agent="anything")) is None


def test_a_sender_without_a_language_is_evidence() -> None:
    assert see(accept_language_missing, submission=request()) is not None
    assert see(accept_language_missing, submission=request(accept_language="ja")) is None


@pytest.mark.parametrize("signal", [user_agent_missing, accept_language_missing, accept_missing])
def test_a_submission_handed_over_without_headers_misses_none(signal: object) -> None:
    rule = next(each for each in DEFAULT_SIGNALS if each is signal)
    assert see(rule, submission=Submission("contact", {"name": "Ann"})) is None


@pytest.mark.parametrize("accept", [{}, {"accept": "*/*"}])
def test_a_browser_that_posts_a_form_asks_for_a_page(accept: dict[str, str]) -> None:
    told = {"user_agent": CHROMIUM.format("120.0.0.0"), **accept}
    assert see(accept_missing, submission=request(**told)) is not None
    assert see(accept_missing, submission=request("multipart/form-data; boundary=x", **told)) is not None


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("application/x-www-form-urlencoded", {"accept": PAGE}),
        ("application/json", {"accept": "*/*"}),
        ("application/x-www-form-urlencoded", {"accept": "*/*", "sec_fetch_mode": "cors"}),
        ("application/x-www-form-urlencoded", {"accept": "*/*", "hx_request": "true"}),
        ("application/x-www-form-urlencoded", {"accept": "*/*", "user_agent": "some-program/1.0"}),
    ],
    ids=["a page", "JSON", "fetch of a page", "htmx", "no browser claimed"],
)
def test_an_accept_header_that_fits_is_no_evidence(content_type: str, headers: dict[str, str]) -> None:
    told = {"user_agent": FIREFOX.format("130.0"), **headers}
    assert see(accept_missing, submission=request(content_type, **told)) is None


SECURE = {"origin": "https://example.com"}


@pytest.mark.parametrize(
    "user_agent",
    [
        CHROMIUM.format("80.0.1"),
        CHROMIUM.format("140.0.0.0"),
        FIREFOX.format("90.0"),
        SAFARI.format("16.4"),
        WEB_VIEW,
    ],
)
@pytest.mark.parametrize(
    "where",
    [
        SECURE,
        {"x_forwarded_proto": "https"},
        {"host": "localhost:8000"},
        {"host": "127.0.0.1:8000"},
        {"host": "[::1]:8000"},
        {"host": "shop.localhost"},
    ],
)
def test_a_browser_that_always_states_fetch_metadata_is_missed_without(
    user_agent: str, where: dict[str, str]
) -> None:
    assert see(fetch_metadata_missing, submission=request(user_agent=user_agent, **where)) is not None


@pytest.mark.parametrize(
    "user_agent",
    [
        CHROMIUM.format("79.0"),
        CHROMIUM.format("unheard"),
        FIREFOX.format("89.0"),
        SAFARI.format("16.3"),
        CHROME_ON_IPHONE,
        "some-program/80 Chrome/120",
    ],
)
def test_a_browser_that_may_not_know_fetch_metadata_is_no_evidence(user_agent: str) -> None:
    assert see(fetch_metadata_missing, submission=request(user_agent=user_agent, **SECURE)) is None


@pytest.mark.parametrize("where", [{}, {"origin": "http://example.com"}, {"host": "192.0.2.1"}, {"host": ""}])
def test_fetch_metadata_is_sent_to_secure_places_only(where: dict[str, str]) -> None:
    submission = request(user_agent=CHROMIUM.format("140.0"), **where)
    assert see(fetch_metadata_missing, submission=submission) is None


@pytest.mark.parametrize("name", ["sec_fetch_site", "sec_fetch_mode", "sec_fetch_dest"])
def test_any_fetch_metadata_is_enough(name: str) -> None:
    told = {"user_agent": CHROMIUM.format("140.0"), name: "same-origin", **SECURE}
    assert see(fetch_metadata_missing, submission=request(**told)) is None
