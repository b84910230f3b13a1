"""People with a real Chromium get through with what they typed, and a browser that nobody disguised does not."""

from collections.abc import Mapping, Sequence

import pytest

from detection.measuring import counted, visited
from detection.served import demo
from formwarden.cli.attack_site import REAL
from formwarden.cli.attack_table import Line
from formwarden.testing.browsers import Setting, browser_personas, chromium
from formwarden.testing.personas import Draw
from tests.browser import found_chromium
from tests.proof import Proof
from tests.soak import runs

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.slow]


def judged(lines: Sequence[Line], proof: Proof, how: str) -> None:
    """Hold the set to its bars."""
    for line in lines:
        proof(f"{line.name}, by Chromium, {how}", posts=line.n, accepted=line.accepted, held=line.quarantined)
        assert line.errors == 0
        if line.person:
            assert (line.rejected, line.lost) == (0, 0)
            assert (line.quarantined or 0) <= line.visits * 0.01
    by_name: Mapping[str, Line] = {line.name: line for line in lines}
    plain = by_name["plain-headless"]
    assert plain.n
    assert (plain.accepted or 0) <= plain.n * 0.02


def test_browser_people_get_through_and_a_plain_headless_browser_does_not(proof: Proof) -> None:
    found_chromium()
    times = runs(1, 8)  # six browsers, four seconds each
    with demo() as site:
        with chromium() as driven:
            personas = browser_personas(driven, Setting(url=site.url, moved=True, forwarded=True))
            # A round of them all, then the next: nobody is helped by coming first.
            tried = [
                visited(site, each, Draw(f"{each.name}/{number}", domains=REAL))
                for number in range(times)
                for each in personas
            ]
        lines = [counted(site, each, [one for one in tried if one.persona is each]) for each in personas]
    judged(lines, proof, "clocks moved")
