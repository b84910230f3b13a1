"""What a program claims to be, against what else it sent."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from formwarden.facts import Facts
from formwarden.scoring import GROUP_CAPS, Scoring, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.signals.consistency import (
    accept_language_missing,
    accept_missing,
    fetch_metadata_missing,
    user_agent_missing,
)
from formwarden.submission import Submission
from tests.proof import Proof
from tests.signals.cases import see

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


CONSISTENCY = [each for each in DEFAULT_SIGNALS if each.group == "consistency"]
CHROME = {
    "user-agent": CHROMIUM.format("140.0.0.0"),
    "accept": PAGE,
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-GB,en;q=0.9",
    "origin": "https://example.com",
    "sec-ch-ua": '"Chromium";v="140", "Google Chrome";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "sec-fetch-user": "?1",
}
FORM = "application/x-www-form-urlencoded"


def sent(changes: Mapping[str, str | None], base: Mapping[str, str] = CHROME) -> dict[str, str]:
    """Change headers; None takes one away."""
    merged = {**base, **changes}
    return {"host": "example.com"} | {name: value for name, value in merged.items() if value is not None}


def points(headers: Mapping[str, str], content_type: str = FORM) -> float:
    """Return what the headers weigh by themselves, whatever group counts them."""
    submission = Submission("contact", {}, headers=headers, content_type=content_type)
    return weigh(CONSISTENCY, submission, Facts(), composites=DEFAULT_COMPOSITES).score


def fired(headers: Mapping[str, str], content_type: str = FORM) -> set[str]:
    submission = Submission("contact", {}, headers=headers, content_type=content_type)
    return {hit.signal for hit in weigh(CONSISTENCY, submission, Facts(), composites=DEFAULT_COMPOSITES).hits}


FETCHED = {
    "accept": "*/*",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "sec-fetch-user": None,
}
ORDINARY = {
    "Chrome": (CHROME, FORM),
    "Chrome, with a file": (CHROME, "multipart/form-data; boundary=x"),
    "fetch of a form": (sent(FETCHED), FORM),
    "fetch with JSON": (sent({**FETCHED, "accept": "application/json"}), "application/json"),
    "Firefox": (
        sent(
            {
                "user-agent": FIREFOX.format("140.0"),
                "sec-ch-ua": None,
                "sec-ch-ua-mobile": None,
                "sec-ch-ua-platform": None,
                "accept-language": "de,en-US;q=0.7,en;q=0.3",
            }
        ),
        FORM,
    ),
    "a program with JSON": ({"user-agent": "okhttp/5.0", "accept-language": "ja"}, "application/json"),
}


@pytest.mark.parametrize(("headers", "content_type"), ORDINARY.values(), ids=list(ORDINARY))
def test_what_browsers_send_is_no_evidence(headers: Mapping[str, str], content_type: str) -> None:
    assert fired(headers, content_type) == set()


ON_WINDOWS = CHROMIUM.format("140.0").replace("X11; Linux", "Windows NT 10.0")
NO_HINTS: dict[str, str | None] = {"sec-ch-ua": None, "sec-ch-ua-mobile": None, "sec-ch-ua-platform": None}
NO_METADATA: dict[str, str | None] = dict.fromkeys(
    ("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user")
)
BARE: dict[str, str | None] = NO_HINTS | NO_METADATA
PEOPLE = {
    "a proxy that strips what it does not know": sent(BARE | {"accept-encoding": None}),
    "the same, naming itself": sent(BARE | {"accept-encoding": "identity", "via": "1.1 proxy"}),
    "a proxy that hides the program": sent(BARE | {"user-agent": None, "accept-encoding": None}),
    "Tor Browser": sent(
        BARE
        | {
            "user-agent": "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0",
            "accept-language": "en-US,en;q=0.5",
            "origin": "null",
        }
    ),
    "a User-Agent switcher": sent({"user-agent": FIREFOX.format("130.0")}),
    "an add-on that removes client hints": sent(NO_HINTS),
    "an old phone": {
        "user-agent": "Mozilla/5.0 (Linux; U; Android 2.3.6; en-us; GT-S5830i Build/GINGERBREAD) AppleWebKit/533.1 "
        "(KHTML, like Gecko) Version/4.0 Mobile Safari/533.1",
        "accept": "application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,image/png,*/*;q=0.5",
        "accept-language": "en-US",
        "accept-encoding": "gzip",
        "origin": "https://example.com",
    },
    "Windows XP": {
        "user-agent": "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)",
        "accept": "image/gif, image/jpeg, */*",
        "accept-language": "de",
    },
    "Lynx": {
        "user-agent": "Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.5.0",
        "accept": "text/html, text/plain, */*;q=0.01",
        "accept-language": "en",
        "accept-encoding": "gzip, bzip2",
    },
    "w3m": {"user-agent": "w3m/0.5.3", "accept": "text/html, text/*;q=0.5", "accept-language": "ja;q=1.0, en;q=0.5"},
    "Dillo, which has no language": {"user-agent": "Dillo/3.2.0", "accept": "text/html,*/*;q=0.8"},
    "a web view": sent(NO_HINTS | {"user-agent": WEB_VIEW, "x-requested-with": "com.example.app"}),
    "a service worker": sent({"sec-fetch-dest": "empty"}),
}


@pytest.mark.parametrize("headers", PEOPLE.values(), ids=list(PEOPLE))
def test_rare_browsers_old_phones_and_proxies_stay_below_two_points(headers: Mapping[str, str]) -> None:
    assert points(headers) < 2.0


CONTRADICTIONS = {
    "Sec-Fetch-Mode alone, as Node sends it": {"sec-fetch-dest": None, "sec-fetch-site": None},
    "a value of no browser": {"sec-fetch-site": "same"},
    "a script that fetches a document": {"sec-fetch-mode": "cors"},
    "a navigation to nothing": {"sec-fetch-dest": "empty"},
    "a person's click in a script's request": {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
    "a navigation that accepts anything": {"accept": "*/*"},
    "a navigation and XMLHttpRequest": {"x-requested-with": "XMLHttpRequest"},
}


@pytest.mark.parametrize("changes", CONTRADICTIONS.values(), ids=list(CONTRADICTIONS))
def test_fetch_metadata_that_contradict_each_other_are_evidence(changes: Mapping[str, str | None]) -> None:
    assert "fetch_metadata_contradicts" in fired(sent(changes))


def test_a_navigation_sends_no_json() -> None:
    assert "fetch_metadata_contradicts" in fired(sent({}), "application/json")
    assert "fetch_metadata_contradicts" not in fired(sent({}), "text/plain")


@pytest.mark.parametrize(
    ("signal", "changes"),
    [
        ("accept_language_odd", {"accept-language": "*"}),
        ("accept_language_odd", {"accept-language": "english language"}),
        ("accept_language_odd", {"accept-language": "en;level=1"}),
        ("brotli_missing", {"accept-encoding": "gzip, deflate"}),
        ("brotli_missing", {"accept-encoding": None}),
        ("client_hints_missing", NO_HINTS),
        ("client_hints_contradict", {"user-agent": FIREFOX.format("130.0")}),
        ("client_hints_contradict", {"user-agent": SAFARI.format("17.5")}),
        ("client_hints_contradict", {"sec-ch-ua": '"Chromium";v="91"'}),
        ("client_hints_contradict", {"sec-ch-ua-platform": '"Windows"'}),
        (
            "client_hints_contradict",
            {"user-agent": CHROMIUM.format("140.0").replace("X11; Linux", "Windows NT 10.0")},
        ),
        ("headless_named", {"user-agent": CHROMIUM.format("140.0").replace("Chrome/", "HeadlessChrome/")}),
        ("headless_named", {"sec-ch-ua": '"HeadlessChrome";v="140", "Chromium";v="140"'}),
        ("library_named", {"user-agent": "python-requests/2.32.3"}),
        ("library_named", {"user-agent": "curl/8.5.0"}),
        ("library_named", {"postman-token": "1"}),
        ("obsolete_browser", {"user-agent": "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)"}),
        ("obsolete_browser", {"user-agent": FIREFOX.format("3.6")}),
        ("obsolete_browser", {"user-agent": CHROMIUM.format("41.0.2228.0")}),
    ],
)
def test_what_does_not_fit_the_claim_is_evidence(signal: str, changes: Mapping[str, str | None]) -> None:
    assert signal in fired(sent(changes))


@pytest.mark.parametrize(
    ("signal", "changes"),
    [
        ("accept_language_odd", {"accept-language": "en_US, *;q=0.1"}),
        ("accept_language_odd", {"accept-language": ",".join(["en-GB;q=0.5"] * 40)}),
        ("brotli_missing", {"accept-encoding": "gzip", "x-forwarded-for": "192.0.2.1"}),
        ("brotli_missing", {"accept-encoding": "gzip", "origin": "http://example.com"}),
        ("client_hints_missing", NO_HINTS | {"user-agent": CHROMIUM.format("88.0")}),
        ("client_hints_contradict", {"sec-ch-ua": '"Not=A?Brand";v="24"'}),
        ("obsolete_browser", {"user-agent": CHROMIUM.format("49.0")}),
        ("obsolete_browser", {"user-agent": CHROMIUM.format("41.0").replace("X11", "X11; Android TV")}),
        ("obsolete_browser", {"user-agent": "Mozilla/5.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0)"}),
    ],
)
def test_what_may_well_be_is_no_evidence(signal: str, changes: Mapping[str, str | None]) -> None:
    assert signal not in fired(sent(changes))


def test_headers_alone_never_reach_quarantine() -> None:
    assert GROUP_CAPS["consistency"] < Scoring().quarantine
    worst = {
        "host": "localhost",
        "user-agent": "Mozilla/5.0 (X11; x) HeadlessChrome/140 Firefox/3",
        "postman-token": "1",
    }
    assert points(worst) == GROUP_CAPS["consistency"]


DATA = Path(__file__).parents[2] / "../shared/data/lists-ua"


def listed(name: str) -> list[str]:
    """Read the User-Agents of a fixture; every one stands behind a dash."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not here: User-Agents of browsers and of bots, collected by isbot")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip()[2:].strip("\"'") for line in lines if line.strip().startswith("- ")]


def test_every_known_browser_stays_below_two_points_by_its_name_alone(proof: Proof) -> None:
    people, bots = listed("isbot_browsers.yml"), listed("isbot_crawlers.yml")
    assert len(people) > 500
    rest = {"accept": PAGE, "accept-language": "en", "host": "example.com"}
    assert [each for each in people if points({**rest, "user-agent": each}) >= 2.0] == []
    old = [each for each in people if fired({**rest, "user-agent": each})]
    assert [
        each for each in old if fired({**rest, "user-agent": each}) != {"obsolete_browser"}
    ] == []  # no tool's name
    found = sum(points({**rest, "user-agent": each}) > 0 for each in bots)
    proof("User-Agents alone, of isbot's lists", browsers=len(people), obsolete=len(old), bots=len(bots), found=found)
