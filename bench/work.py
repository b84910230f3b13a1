"""Work: how fast a browser looks for the number of a proof of work, in our worker and with a slower processor."""

from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, Route

import formwarden
from bench.figures import Row, rows_of
from bench.inprocess import Say
from formwarden.page.effort import HARDEST
from formwarden.testing.browsers import NoBrowserError, chromium, chromium_path

ORIGIN: Final = "http://127.0.0.1"  # answered in the browser itself; nobody listens there
SALT: Final = "0123456789abcdef&"
SLOWER: Final = 4  # times, as middling phones are played (the browser's own tools call it so)
SCRIPT: Final = Path(formwarden.__file__).parent / "page" / "static" / "worker.js"
IN_WORKER: Final = """([salt, most, wanted]) => new Promise((done, failed) => {
  const worker = new Worker("/worker.js");
  worker.onerror = () => failed(new Error("the worker did not start"));
  const begun = performance.now();
  worker.onmessage = () => { worker.terminate(); done(performance.now() - begun); };
  worker.postMessage([salt, most, wanted]);
})"""
IN_PAGE: Final = """([salt, most, wanted]) => {
  const begun = performance.now();
  window.onmessage({ data: [salt, most, wanted] });
  return performance.now() - begun;
}"""


def available() -> str | None:
    """Return why it cannot be measured, if so."""
    try:
        chromium_path()
    except NoBrowserError as error:
        return str(error)
    return None


def work(rounds: int, say: Say) -> list[Row]:
    """Measure the hardest step at its worst: the number found is the last one tried."""
    found: list[dict[str, float]] = []
    wanted: list[str | int] = [SALT, HARDEST, sha256(f"{SALT}{HARDEST}".encode()).hexdigest()]
    with ExitStack() as stack:
        window = stack.enter_context(stack.enter_context(chromium()).window(hidden=True, headers={}))
        page = window.new_page()
        page.route("**/*", _answer)
        page.goto(ORIGIN)
        # Dedicated workers are not slowed down by the browser's tools, so the same script runs in the page for that.
        page.evaluate("window.postMessage = () => {}")
        page.add_script_tag(url="/worker.js")
        session = window.new_cdp_session(page)
        for each in range(rounds):
            say(f"work, round {each + 1}")
            figures = {"worker": _ms(page, IN_WORKER, wanted), "page": _ms(page, IN_PAGE, wanted)}
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            figures[f"page, processor {SLOWER} times slower"] = _ms(page, IN_PAGE, wanted)
            session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
            found.append(figures)
    rates = {site: f"{HARDEST / min(each[site] for each in found):,.0f} hashes in 1 ms at best" for site in found[0]}
    return rows_of(f"work, {HARDEST:,} hashes, the most there are", "ms", found, notes=rates)


def _answer(route: Route) -> None:
    if route.request.url.endswith("/worker.js"):
        route.fulfill(body=SCRIPT.read_text(encoding="utf-8"), content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>work</title>", content_type="text/html")


def _ms(page: Page, script: str, wanted: list[str | int]) -> float:
    return float(page.evaluate(script, wanted))
