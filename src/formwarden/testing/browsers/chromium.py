"""Chromium as people run it, and as programs do."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

DEBIAN: Final = Path("/usr/bin/chromium")
REMEDY: Final = "there is no Chromium: apt-get install chromium, or set CHROMIUM to the path of one"
ARGUMENTS: Final = ("--no-sandbox", "--disable-background-networking")
HIDDEN: Final = "--disable-blink-features=AutomationControlled"  # without it `navigator.webdriver` says who drives
PERSON: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36"
)
PATIENCE_MS: Final = 30_000.0
SCREEN: Final = {"width": 1280, "height": 900}


class NoBrowserError(RuntimeError):
    """There is no Chromium here; the message says what to do."""


def chromium_path() -> Path:
    """Find the browser: CHROMIUM in the environment, Debian's place, or the search path. Raises NoBrowserError."""
    for candidate in (os.environ.get("CHROMIUM"), DEBIAN, which("chromium"), which("chromium-browser")):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise NoBrowserError(REMEDY)


class Chromium:
    """Opens windows, each a visitor of its own; belongs to the thread that started it."""

    def __init__(self, playwright: Playwright, path: Path) -> None:
        self._playwright = playwright
        self._path = path
        self._running: dict[bool, Browser] = {}

    @contextmanager
    def window(self, *, hidden: bool, headers: Mapping[str, str]) -> Iterator[BrowserContext]:
        """Open one. `hidden`: the flags of automation are off and the User-Agent is an ordinary one.

        `headers` are added to every request: who the client is, and nothing that the browser says of itself.
        """
        browser = self._browser(hidden=hidden)
        agent = PERSON.format(browser.version.partition(".")[0]) if hidden else None
        context = browser.new_context(
            user_agent=agent,
            locale="en-GB",
            viewport={"width": SCREEN["width"], "height": SCREEN["height"]},
            extra_http_headers=dict(headers),
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            yield context
        finally:
            context.close()

    def close(self) -> None:
        """End every browser that was started."""
        while self._running:
            _, browser = self._running.popitem()
            browser.close()

    def _browser(self, *, hidden: bool) -> Browser:
        if hidden not in self._running:
            arguments = [*ARGUMENTS, HIDDEN] if hidden else [*ARGUMENTS]
            self._running[hidden] = self._playwright.chromium.launch(executable_path=self._path, args=arguments)
        return self._running[hidden]


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Have browsers for this thread until the block is left. Raises NoBrowserError where there is none."""
    path = chromium_path()
    with sync_playwright() as playwright:
        driven = Chromium(playwright, path)
        try:
            yield driven
        finally:
            driven.close()
