"""What a User-Agent claims to be: the browser and its version, a library for programs, or a browser of long ago."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

USER_AGENT_CHARS: Final = 512  # of the header that are read; in-app browsers fill 400
REMEMBERED: Final = 256  # User-Agents: a site sees a few of them again and again
BROWSER_PREFIX: Final = "Mozilla/"  # every browser's User-Agent begins so
VERSION_CHARS: Final = 16


class Engine(StrEnum):
    """The families that share what they send."""

    CHROMIUM = "Chrome"
    FIREFOX = "Firefox"
    SAFARI = "Version"  # Safari's own number stands behind this word


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The browser a User-Agent names. `web_view`: part of an app, which sends less."""

    engine: Engine
    version: tuple[int, int]
    web_view: bool = False


SENDS_METADATA: Final = {  # first versions that send Sec-Fetch-* with every request (W3C Fetch Metadata)
    Engine.CHROMIUM: (80, 0),
    Engine.FIREFOX: (90, 0),
    Engine.SAFARI: (16, 4),
}
SENDS_HINTS: Final = (100, 0)  # Chromium sends Sec-CH-UA since 89, what is built on it since a little later
# The last versions for systems that nobody mends any more are newer than these: Chrome 49 and Firefox 52 for
# Windows XP. Whoever claims less on a desktop was written down long ago.
OBSOLETE_BELOW: Final = {Engine.CHROMIUM: (49, 0), Engine.FIREFOX: (45, 0), Engine.SAFARI: (8, 0)}
OBSOLETE_IE_BELOW: Final = (9, 0)  # Internet Explorer 8 is the last for Windows XP, and speaks no TLS of today
DESKTOPS: Final = ("Windows NT", "Windows 98", "Windows 95", "Macintosh", "X11;")
NO_DESKTOP: Final = ("Mobile", "Android", "Tablet", "TV", "Xbox", "PLAYSTATION", "PlayStation", "Nintendo", "Silk")
_LIBRARY_WORDS: Final = (  # first words by which libraries and command lines name themselves
    "aiohttp akka-http apache-httpclient axios cpp-httplib curl dart electron-fetch faraday fasthttp git go- "
    "http-client got guzzlehttp http_request2 httpie httpx httpx2 httpclient hyper insomnia java java-http- "
    "client jakarta jersey jodd lua-resty-http lwp-request lwp::simple libcurl-agent libwww-perl mechanize "
    "node node-fetch node-superagent okhttp pear pecl::http perl php phantomjs postmanruntime pycurl python "
    "python-httpx python-requests python-urllib python-urllib3 reqwest rest-client restsharp ruby scrapy "
    "selenium superagent symfony typhoeus undici unirest urlgrabber wget winhttp winhttp.winhttprequest.5 "
    "zend_http_client"
)
LIBRARIES: Final = frozenset(_LIBRARY_WORDS.split())


@lru_cache(maxsize=REMEMBERED)
def claim_of(user_agent: str) -> Claim | None:
    """Read the browser a User-Agent names; None where it names none of the families."""
    text = user_agent[:USER_AGENT_CHARS]
    if not text.startswith(BROWSER_PREFIX):
        return None
    for engine in Engine:  # Chromium first: its web view says Version/ too
        _, found, rest = text.partition(f"{engine}/")
        if found:
            return Claim(engine=engine, version=_version(rest), web_view="; wv)" in text)
    return None


def is_browser(user_agent: str) -> bool:
    """Tell whether this is written as browsers write it."""
    return user_agent.startswith(BROWSER_PREFIX)


def library_of(user_agent: str) -> str | None:
    """Return the library or command line that names itself, where it is one we know."""
    word = user_agent[:USER_AGENT_CHARS].strip().partition("/")[0].partition(" ")[0].lower()
    return word if word in LIBRARIES else None


def is_obsolete(user_agent: str) -> bool:
    """Tell whether it claims a desktop browser of fifteen years ago; phones and televisions keep theirs for ever."""
    text = user_agent[:USER_AGENT_CHARS]
    if not any(each in text for each in DESKTOPS) or any(each in text for each in NO_DESKTOP):
        return False
    _, found, rest = text.partition("MSIE ")
    if found:
        return _version(rest) < OBSOLETE_IE_BELOW and "Trident/" not in text  # newer ones hide behind an old number
    claim = claim_of(user_agent)
    return claim is not None and (0, 0) < claim.version < OBSOLETE_BELOW[claim.engine]


def _version(text: str) -> tuple[int, int]:
    """Read `16.4.1 Safari` as (16, 4); what is no number is 0."""
    major, _, rest = text[:VERSION_CHARS].partition(" ")[0].partition(";")[0].partition(".")
    return _number(major), _number(rest.partition(".")[0])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
