"""A real Chromium, for tests marked `browser`."""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
REMEDY = "no Chromium: `apt-get install chromium`, or set CHROMIUM to the path of one"
ARGUMENTS = ("--no-sandbox", "--disable-background-networking")


def chromium_path() -> Path | None:
    """Find the browser: CHROMIUM in the environment, Debian's place, or the search path."""
    for candidate in (os.environ.get("CHROMIUM"), CHROMIUM, which("chromium"), which("chromium-browser")):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    return None


def found_chromium() -> Path:
    """Return the browser's path; skip with the remedy where there is none, and fail with CI=true."""
    path = chromium_path()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(REMEDY)
    if path is None:
        pytest.skip(REMEDY)
    return path


# One browser a module, not a session: while Playwright's blocking API is open, its thread counts as one with a
# running event loop, and no asynchronous test could run there.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()
