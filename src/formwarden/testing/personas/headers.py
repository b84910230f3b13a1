"""What browsers say of themselves, request by request; bots borrow the same lines.

Pages are asked for in what the client itself can decode; a post says what browsers say. Where a site compresses its
answers with Brotli or Zstandard, give the client the packages for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_CHROME_PAGE: Final = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
_PLAIN_PAGE: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {  # what browsers send for their user's languages
    "en": ("en-US,en;q=0.9", "en-GB,en;q=0.9", "en-US,en;q=0.5", "en-GB,en-US;q=0.9,en;q=0.8", "en-AU,en;q=0.9"),
    "ja": ("ja,en-US;q=0.9,en;q=0.8", "ja-JP,ja;q=0.9", "ja,en-US;q=0.7,en;q=0.3", "ja"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """One browser on one machine."""

    name: str
    agent: str
    languages: str = LANGUAGES["en"][0]  # its Accept-Language
    accept: str = _PLAIN_PAGE
    hints: Mapping[str, str] | None = None  # Sec-CH-UA and its like: Chromium only
    metadata: bool = True  # sends Sec-Fetch-*
    marks_user: bool = True  # sends Sec-Fetch-User
    encodings: str = "gzip, deflate, br, zstd"  # in secure contexts

    def opening(self, url: str) -> dict[str, str]:
        """Return the headers of a request for a page that was typed or picked from bookmarks."""
        return self._page() | self._secure(url, "none")

    def following(self, page: str, url: str) -> dict[str, str]:
        """Return the headers of a request that a page led to: a link, or where a form was redirected."""
        return self._page() | {"referer": page} | self._secure(url, "same-origin")

    def posting(self, page: str, url: str) -> dict[str, str]:
        """Return the headers of a form that is sent from a page of the same site."""
        own = {"content-type": "application/x-www-form-urlencoded", "origin": origin_of(page), "referer": page}
        fresh = {"cache-control": "max-age=0"} if self.hints is not None else {}
        decodes = {"accept-encoding": self.encodings if _is_secure(url) else "gzip, deflate"}
        return self._page() | own | fresh | decodes | self._secure(url, "same-origin")

    def fetching(self, page: str, url: str) -> dict[str, str]:
        """Return the headers of a script's own request; it accepts anything."""
        shown = {"user-agent": self.agent, "accept": "*/*", "accept-language": self.languages, "referer": page}
        if not _is_secure(url):
            return shown
        modes = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
        return shown | dict(self.hints or {}) | (modes if self.metadata else {})

    def _page(self) -> dict[str, str]:
        return {
            "user-agent": self.agent,
            "accept": self.accept,
            "accept-language": self.languages,
            "upgrade-insecure-requests": "1",
        }

    def _secure(self, url: str, site: str) -> dict[str, str]:
        """Return what browsers say to secure contexts only."""
        if not _is_secure(url):
            return {}
        if not self.metadata:
            return dict(self.hints or {})
        modes = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        return dict(self.hints or {}) | modes | ({"sec-fetch-user": "?1"} if self.marks_user else {})


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, as `Origin` has them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_secure(url: str) -> bool:
    parts = urlsplit(url)
    return (
        parts.scheme == "https" or (parts.hostname or "") in _LOCAL or (parts.hostname or "").endswith(".localhost")
    )


def _hints(brand: str, version: int, system: str, *, phone: bool = False) -> dict[str, str]:
    return {
        "sec-ch-ua": f'"{brand}";v="{version}", "Not?A_Brand";v="8", "Chromium";v="{version}"',
        "sec-ch-ua-mobile": "?1" if phone else "?0",
        "sec-ch-ua-platform": f'"{system}"',
    }


def _chromium(
    name: str, system: str, platform: str, version: int, brand: str = "Google Chrome", *, phone: bool = False
) -> Browser:
    edge = f" Edg/{version}.0.0.0" if brand == "Microsoft Edge" else ""
    mobile = " Mobile" if phone else ""
    agent = (
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{version}.0.0.0{mobile} Safari/537.36{edge}"
    )
    return Browser(name=name, agent=agent, accept=_CHROME_PAGE, hints=_hints(brand, version, platform, phone=phone))


def _firefox(name: str, system: str, version: int) -> Browser:
    agent = f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    return Browser(name=name, agent=agent)


def _safari(name: str, system: str, version: str, rest: str = "Safari/605.1.15") -> Browser:
    agent = f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} {rest}"
    return Browser(name=name, agent=agent, marks_user=False, encodings="gzip, deflate, br")


BROWSERS: Final = (
    _chromium("Chrome on Windows", "Windows NT 10.0; Win64; x64", "Windows", 141),
    _chromium("Chrome on Windows, a version older", "Windows NT 10.0; Win64; x64", "Windows", 140),
    _chromium("Chrome on macOS", "Macintosh; Intel Mac OS X 10_15_7", "macOS", 141),
    _chromium("Chrome on Linux", "X11; Linux x86_64", "Linux", 141),
    _chromium("Chrome on Android", "Linux; Android 10; K", "Android", 141, phone=True),
    _chromium("Edge on Windows", "Windows NT 10.0; Win64; x64", "Windows", 141, "Microsoft Edge"),
    _firefox("Firefox on Windows", "Windows NT 10.0; Win64; x64", 143),
    _firefox("Firefox on Linux", "X11; Linux x86_64", 144),
    _firefox("Firefox on macOS", "Macintosh; Intel Mac OS X 10.15", 144),
    _safari("Safari on macOS", "Macintosh; Intel Mac OS X 10_15_7", "18.6"),
    _safari("Safari on an iPhone", "iPhone; CPU iPhone OS 18_6 like Mac OS X", "18.6", "Mobile/15E148 Safari/604.1"),
)
