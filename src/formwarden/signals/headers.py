"""Signals of the request's headers; low weights, for proxies and rare browsers do odd things.

A submission that was handed over without any header has *unknown* headers, and they score nothing.
"""

from ipaddress import ip_address
from typing import Final

from formwarden.facts import Facts, Origin, TokenOutcome
from formwarden.scoring import Evidence, signal
from formwarden.submission import URLENCODED, Submission

MULTIPART: Final = "multipart/form-data"
BROWSER_PREFIX: Final = "Mozilla/"  # every browser's User-Agent begins so
SENDS_METADATA: Final = (  # first versions that send Sec-Fetch-* with every request
    ("Chrome/", (80, 0)),  # Chromium and all that is built on it; first: its web view says Version/ too
    ("Firefox/", (90, 0)),
    ("Version/", (16, 4)),  # Safari
)
FETCH_METADATA: Final = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
SCRIPTED: Final = ("x-requested-with", "hx-request")  # forms sent by a script of the page say so


@signal(weight=6.0, group="headers", asks=True)
def cross_site_stale_page(_submission: Submission, facts: Facts) -> Evidence | None:
    """Another site sent this, without a fresh token of ours (G32)."""
    if facts.origin is not Origin.CROSS or facts.token.outcome is TokenOutcome.FRESH:
        return None
    return Evidence(text=f"cross-site, token {facts.token.outcome}")


@signal(weight=1.0, group="headers")
def cross_site_post(_submission: Submission, facts: Facts) -> Evidence | None:
    """A page of another site sent this, with a fresh token of ours."""
    if facts.origin is not Origin.CROSS or facts.token.outcome is not TokenOutcome.FRESH:
        return None
    return Evidence(text="cross-site, token fresh")


@signal(weight=2.0, group="headers")
def user_agent_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The sender does not say which program it is."""
    if not submission.headers or submission.headers.get("user-agent", "").strip():
        return None
    return Evidence(text="no User-Agent")


@signal(weight=1.0, group="headers")
def accept_language_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The sender states no language; browsers always do."""
    if not submission.headers or submission.headers.get("accept-language", "").strip():
        return None
    return Evidence(text="no Accept-Language")


@signal(weight=1.0, group="headers")
def accept_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """A program that calls itself a browser posts a form without asking for a page."""
    headers = submission.headers
    if not headers or not _claims_browser(submission) or not _is_form_post(submission):
        return None
    accept = headers.get("accept", "").strip()
    if accept not in {"", "*/*"}:
        return None
    if accept and _sent_by_script(submission):
        return None
    return Evidence(text="Accept is */*" if accept else "no Accept")


@signal(weight=1.0, group="headers")
def fetch_metadata_missing(submission: Submission, _facts: Facts) -> Evidence | None:
    """The browser it claims to be says where a request comes from; this one does not."""
    if not _claims_browser(submission) or not _is_trustworthy(submission):
        return None
    if any(name in submission.headers for name in FETCH_METADATA):
        return None
    product = _product_with_metadata(submission.headers["user-agent"])
    return Evidence(text=f"no Sec-Fetch-* from {product}") if product else None


def _claims_browser(submission: Submission) -> bool:
    return submission.headers.get("user-agent", "").startswith(BROWSER_PREFIX)


def _is_form_post(submission: Submission) -> bool:
    return submission.content_type.strip().lower().startswith((URLENCODED, MULTIPART))


def _sent_by_script(submission: Submission) -> bool:
    """Tell whether a script of the page sent the form: fetch and XMLHttpRequest accept anything."""
    mode = submission.headers.get("sec-fetch-mode", "navigate").strip().lower()
    return mode != "navigate" or any(name in submission.headers for name in SCRIPTED)


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


def _product_with_metadata(user_agent: str) -> str | None:
    """Return the kind of browser if the version it states sends Sec-Fetch-*."""
    for product, since in SENDS_METADATA:
        _, found, rest = user_agent.partition(product)
        if found:
            return product.rstrip("/") if _version(rest) >= since else None
    return None


def _version(text: str) -> tuple[int, int]:
    """Read `16.4.1 Safari` as (16, 4); what is no number is 0."""
    major, _, rest = text[:16].partition(" ")[0].partition(".")
    return _number(major), _number(rest.partition(".")[0])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
