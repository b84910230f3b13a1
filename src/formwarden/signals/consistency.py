"""Signals of what a program claims to be against what else it sent; low weights, for proxies do odd things.

All of them together stay below quarantine. A submission that was handed over without any header has *unknown*
headers, and they score nothing. Posts by a script of the page (`fetch`, JSON) are no navigations, and are read so.
"""

from ipaddress import ip_address
from typing import Final

from formwarden.facts import Facts
from formwarden.scoring import Evidence, signal
from formwarden.signals.browsers import (
    SENDS_HINTS,
    SENDS_METADATA,
    USER_AGENT_CHARS,
    Claim,
    Engine,
    claim_of,
    is_browser,
    is_obsolete,
    library_of,
)
from formwarden.submission import LANGUAGE_CHARS, URLENCODED, Submission

MULTIPART: Final = "multipart/form-data"
FORM_TYPES: Final = (URLENCODED, MULTIPART, "text/plain")  # all that a form element can send
FETCH_METADATA: Final = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
SITES: Final = frozenset({"cross-site", "same-origin", "same-site", "none"})
MODES: Final = frozenset({"cors", "navigate", "no-cors", "same-origin"})  # a web socket posts no form
DOCUMENTS: Final = frozenset({"document", "embed", "fencedframe", "frame", "iframe", "object"})
SCRIPTED: Final = ("x-requested-with", "hx-request")  # forms sent by a script of the page say so
BETWEEN: Final = (  # what proxies on either side add; they unpack and repack what is compressed
    "via",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
    "cdn-loop",
    "cf-ray",
    "x-varnish",
)
TOOL_HEADERS: Final = frozenset({"postman-token", "x-crawlera-profile", "x-scrapy-request", "x-phantomjs"})
HINTS_CHARS: Final = 512
PLATFORMS: Final = (("windows", "Windows"), ("macos", "Macintosh"))  # Sec-CH-UA-Platform, and the word it goes with
HEADLESS: Final = "HeadlessChrome"  # Chromium's own word for a window that nobody sees
LONGEST_SUBTAG: Final = 8  # characters (RFC 4647 section 2.1)


@signal(weight=1.5, group="consistency")
def user_agent_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The sender does not say which program it is."""
    if not submission.headers or _user_agent(submission):
        return None
    return Evidence(text="no User-Agent")


@signal(weight=1.0, group="consistency")
def accept_language_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The sender states no language; browsers always do."""
    if not submission.headers or submission.headers.get("accept-language", "").strip():
        return None
    return Evidence(text="no Accept-Language")


@signal(weight=0.5, group="consistency")
def accept_language_odd(submission: Submission, _facts: Facts) -> Evidence | None:
    """The languages are not written as browsers write them."""
    text = submission.headers.get("accept-language", "").strip()
    if not text or not is_browser(_user_agent(submission)):
        return None
    if text == "*":
        return Evidence(text="any language will do")
    ranges = text[:LANGUAGE_CHARS].split(",")
    if len(text) > LANGUAGE_CHARS:
        ranges = ranges[:-1]  # cut in the middle
    return None if all(map(_is_language, ranges)) else Evidence(text="Accept-Language holds no languages")


@signal(weight=1.0, group="consistency")
def accept_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """A program that calls itself a browser posts a form without asking for a page."""
    headers = submission.headers
    if not headers or not is_browser(_user_agent(submission)) or not _is_form_post(submission):
        return None
    accept = headers.get("accept", "").strip()
    if accept not in {"", "*/*"}:
        return None
    if accept and _sent_by_script(submission):
        return None
    return Evidence(text="Accept is */*" if accept else "no Accept")


@signal(weight=0.5, group="consistency")
def brotli_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The browser it claims to be unpacks Brotli, and this one does not; no proxy shows that could be the reason."""
    claim = _modern(submission)
    if claim is None or any(name in submission.headers for name in BETWEEN):
        return None
    accepted = submission.headers.get("accept-encoding", "").lower()
    return None if "br" in accepted else Evidence(text=f"no br from {_product(claim)}")


@signal(weight=1.0, group="consistency")
def fetch_metadata_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The browser it claims to be says where a request comes from; this one does not."""
    claim = _modern(submission)
    if claim is None or any(name in submission.headers for name in FETCH_METADATA):
        return None
    return Evidence(text=f"no Sec-Fetch-* from {_product(claim)}")


@signal(weight=1.0, group="consistency")
def fetch_metadata_contradicts(submission: Submission, _facts: Facts) -> Evidence | None:
    """What it says of this request fits no request that a browser makes."""
    text = _contradiction(submission)
    return None if text is None else Evidence(text=text)


@signal(weight=0.5, group="consistency")
def client_hints_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The Chromium it claims to be names itself twice; this one does not."""
    claim = _modern(submission)
    if claim is None or claim.engine is not Engine.CHROMIUM or claim.web_view or claim.version < SENDS_HINTS:
        return None
    return None if submission.headers.get("sec-ch-ua") else Evidence(text="no Sec-CH-UA from Chrome")


@signal(weight=1.0, group="consistency")
def client_hints_contradict(submission: Submission, _facts: Facts) -> Evidence | None:
    """The two names it gives itself belong to different browsers."""
    hints = submission.headers.get("sec-ch-ua", "")[:HINTS_CHARS]
    user_agent = _user_agent(submission)
    claim = claim_of(user_agent)
    if not hints or claim is None:
        return None
    if claim.engine is not Engine.CHROMIUM:
        return Evidence(text=f"Sec-CH-UA from {_product(claim)}")
    major = _chromium_in(hints)
    if major is not None and claim.version[0] and major != str(claim.version[0]):
        return Evidence(text="another version in Sec-CH-UA")
    platform = submission.headers.get("sec-ch-ua-platform", "").strip().strip('"').lower()
    for named, word in PLATFORMS:
        if platform and (platform == named) != (word in user_agent):
            return Evidence(text="another system in Sec-CH-UA-Platform")
    return None


@signal(weight=2.5, group="consistency")
def headless_named(submission: Submission, _facts: Facts) -> Evidence | None:
    """The browser says itself that it runs without a window."""
    brands = submission.headers.get("sec-ch-ua", "")[:HINTS_CHARS]  # older ones say it here, too, and still do there
    named = HEADLESS in _user_agent(submission) or HEADLESS in brands
    return Evidence(text="a headless browser") if named else None


@signal(weight=1.5, group="consistency")
def library_named(submission: Submission, _facts: Facts) -> Evidence | None:
    """A library for programs sent what only a form on a page sends; with JSON it may be an app."""
    if not _is_form_post(submission):
        return None
    library = library_of(_user_agent(submission))
    if library is not None:
        return Evidence(text="a library's own name")
    return None if TOOL_HEADERS.isdisjoint(submission.headers) else Evidence(text="a header that only tools send")


@signal(weight=1.0, group="consistency")
def obsolete_browser(submission: Submission, _facts: Facts) -> Evidence | None:
    """It claims a desktop browser so old that hardly a page opens in it any more."""
    return Evidence(text="a browser of long ago") if is_obsolete(_user_agent(submission)) else None


def _user_agent(submission: Submission) -> str:
    return submission.headers.get("user-agent", "")[:USER_AGENT_CHARS].strip()


def _product(claim: Claim) -> str:
    return "Safari" if claim.engine is Engine.SAFARI else str(claim.engine)


def _modern(submission: Submission) -> Claim | None:
    """Return the browser it claims to be where that one sends Sec-Fetch-* here, and all that came before those."""
    claim = claim_of(_user_agent(submission))
    if claim is None or claim.version < SENDS_METADATA[claim.engine] or not _is_trustworthy(submission):
        return None
    return claim


def _is_form_post(submission: Submission) -> bool:
    return submission.content_type.strip().lower().startswith((URLENCODED, MULTIPART))


def _sent_by_script(submission: Submission) -> bool:
    """Tell whether a script of the page sent the form: fetch and XMLHttpRequest accept anything."""
    mode = submission.headers.get("sec-fetch-mode", "navigate").strip().lower()
    return mode != "navigate" or any(name in submission.headers for name in SCRIPTED)


def _contradiction(submission: Submission) -> str | None:
    headers = submission.headers
    site, mode, dest = (headers.get(name, "").strip().lower() for name in FETCH_METADATA)
    if not (site or mode or dest):
        return None
    if not (site and mode and dest):
        return "some of Sec-Fetch-* and not all"
    if site not in SITES or mode not in MODES:
        return "a Sec-Fetch-* value of no browser"
    if mode != "navigate":
        if dest != "empty":
            return "a script's request for a document"
        return "a person's click and a script's request" if "sec-fetch-user" in headers else None
    if dest not in DOCUMENTS:
        return "a navigation to no document"
    if not submission.content_type.strip().lower().startswith(FORM_TYPES):
        return "a navigation that sends no form"
    if "text/html" not in headers.get("accept", "").lower():
        return "a navigation that accepts no page"
    by_script = headers.get("x-requested-with", "").strip().lower() == "xmlhttprequest"  # web views put an app here
    return "a navigation and a script's request at once" if by_script else None


def _chromium_in(hints: str) -> str | None:
    """Return the version behind Chromium's own name: `"Chromium";v="120", "Not A;Brand";v="99"` holds 120."""
    _, found, rest = hints.partition('"Chromium";v="')
    version = rest.partition('"')[0].partition(".")[0]
    return version if found and version.isascii() and version.isdigit() else None


def _is_language(text: str) -> bool:
    """Tell whether this is `de-CH`, `*` or nothing, with or without `;q=0.8` (RFC 9110 section 12.5.4)."""
    tag, _, weight = text.strip().partition(";")
    if weight and not weight.strip().lower().startswith("q="):
        return False
    subtags = tag.strip().replace("_", "-").split("-")  # some phones write en_US
    return all(each == "*" or (len(each) <= LONGEST_SUBTAG and each.isascii() and each.isalnum()) for each in subtags)


def _is_trustworthy(submission: Submission) -> bool:
    """Tell whether browsers see a secure context, the only one they send Sec-Fetch-* to (W3C Fetch Metadata)."""
    headers = submission.headers
    if headers.get("origin", "").startswith("https://"):
        return True
    if headers.get("x-forwarded-proto", "").strip().lower() == "https":
        return True
    return _is_loopback(submission.host or "")


def _is_loopback(host: str) -> bool:
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
