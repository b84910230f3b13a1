"""People with a real Chromium get through with what they typed, and a browser that nobody disguised does not."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from detection.measuring import kept, visited
from detection.served import Measured, demo
from formwarden.cli.attack_site import REAL
from formwarden.cli.attack_table import Found, Line, Tried, lines_of
from formwarden.testing.browsers import Setting, browser_personas, chromium
from formwarden.testing.personas import Draw
from tests.browser import found_chromium
from tests.proof import Proof
from tests.soak import runs, whole

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.slow]
SITES = 2  # with moved clocks, each with visitors of its own: one a core
AT_ONCE = 10  # who really wait; each has a browser


def rounds(site: Measured, numbers: Sequence[int], wait: Callable[[float], None] | None = None) -> list[Tried]:
    """Let every one of the set visit, then all of them again: nobody is helped by coming first."""
    with chromium() as driven:
        personas = browser_personas(driven, Setting(url=site.url, moved=wait is None, forwarded=True))
        return [
            visited(site, each, Draw(f"{each.name}/{number}", domains=REAL), wait=wait)
            for number in numbers
            for each in personas
        ]


def alone(numbers: Sequence[int]) -> tuple[list[Tried], Mapping[str, Found]]:
    """Do so on a site of their own."""
    with demo() as site:
        tried = rounds(site, numbers)  # while its browser is open, a thread counts as one with a running loop
        return tried, kept(site)


def judged(tried: Sequence[Tried], found: Mapping[str, Found], proof: Proof, how: str) -> None:
    """Hold the set to its bars."""
    personas = {each.persona.name: each.persona for each in tried}
    lines = lines_of(personas.values(), tried, found)
    for line in lines:
        told = {"rejected": line.rejected, "lost": line.lost, "auto-replies": line.replies}
        proof(f"{line.name}, {how}", posts=line.n, accepted=line.accepted, held=line.quarantined, **told)
        assert line.errors == 0, [each.error for each in tried if each.error]
        if line.person:
            assert (line.rejected, line.lost) == (0, 0)
            assert (line.quarantined or 0) <= line.visits * 0.01
            assert line.accepted == line.thanked - (line.quarantined or 0)
    by_name: Mapping[str, Line] = {line.name: line for line in lines}
    plain = by_name["plain-headless"]
    assert plain.n
    assert (plain.accepted or 0) <= plain.n * 0.02


def test_browser_people_get_through_and_a_plain_headless_browser_does_not(proof: Proof) -> None:
    found_chromium()
    times = whole(runs(1, 20), 100)
    sites = min(SITES, times)
    begun = time.monotonic()
    with ThreadPoolExecutor(sites) as pool:
        parts = list(pool.map(alone, [range(first, times, sites) for first in range(sites)]))
    tried = [each for part, _ in parts for each in part]
    found = {receipt: each for _, part in parts for receipt, each in part.items()}
    judged(tried, found, proof, "by Chromium, clocks moved")
    proof("a visit by Chromium, clocks moved", seconds=f"{(time.monotonic() - begun) / len(tried):.2f}")


@pytest.mark.skipif(not whole(0, 1), reason="four minutes of waiting: make soak-browsers")
def test_browser_people_get_through_in_real_time_too(proof: Proof) -> None:
    found_chromium()
    with demo() as site:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(partial(rounds, site, [number], time.sleep)) for number in range(AT_ONCE)]
            tried = [each for job in jobs for each in job.result()]
        found = kept(site)
    judged(tried, found, proof, "by Chromium, in real time")
