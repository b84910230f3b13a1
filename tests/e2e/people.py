"""People: a browser that no program seems to drive, and hands that type."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser import ARGUMENTS, found_chromium

# What Debian's Chromium says when a person starts it: the headless one names itself, and a person's does not.
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
TYPING_MS = 45  # between two keys: about 130 words a minute, a fast person
SENTENCE = "Hello, my cello buzzes on the open G since last week. Could you have a look at it?"


@contextmanager
def person_browser() -> Iterator[Browser]:
    """Start Chromium as a person's: automation flags off."""
    with sync_playwright() as playwright:
        arguments = [*ARGUMENTS, "--disable-blink-features=AutomationControlled"]
        browser = playwright.chromium.launch(executable_path=found_chromium(), args=arguments)
        yield browser
        browser.close()


def visit(browser: Browser, *, language: str, scripts: bool = True) -> BrowserContext:
    """Open a window with an ordinary User-Agent."""
    version = browser.version.partition(".")[0]
    return browser.new_context(
        user_agent=PERSON.format(version=version), locale=language, java_script_enabled=scripts
    )


def fill_in(context: BrowserContext, url: str, *, name: str, address: str, message: str) -> str:
    """Type into the form as a person does, send it, and return the text of the page that answers."""
    page = context.new_page()
    page.goto(f"{url}/contact")
    page.locator("#name").press_sequentially(name, delay=TYPING_MS)
    page.locator("#email").press_sequentially(address, delay=TYPING_MS)
    page.locator("#message").press_sequentially(message, delay=TYPING_MS)
    with page.expect_navigation():
        page.locator("main form").get_by_role("button").click()
    text = page.locator("body").inner_text()
    page.close()
    return text
