"""docs/signals.md names every signal as it is. `python -m tests.signals.test_reference` writes its table anew."""

from pathlib import Path
from typing import Final

import pytest

from formwarden.scoring import GROUP_CAPS, Signal
from formwarden.signals import DEFAULT_SIGNALS

PAGE: Final = Path(__file__).parents[2] / "docs" / "signals.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
RENEW: Final = "docs/signals.md is not of this version: python -m tests.signals.test_reference"


def row(signal: Signal) -> str:
    kinds = [word for word, is_so in (("asks", signal.asks), ("rejects", signal.rejects)) if is_so]
    weight = f"{signal.weight:g}" if signal.weight else "0 (watches)"
    return f"| `{signal.name}` | {weight} | {', '.join(kinds)} | {signal.summary} |"


def table() -> str:
    """Write one table a group, in the order of the groups."""
    parts = []
    for group, cap in GROUP_CAPS.items():
        rows = [row(signal) for signal in DEFAULT_SIGNALS if signal.group == group]
        head = [
            f"### {group} (at most {cap:g} points)",
            "",
            "| signal | points | | what it saw |",
            "| --- | --- | --- | --- |",
        ]
        parts.append("\n".join([*head, *rows, "", ""]))
    return "".join(parts)


@pytest.mark.parametrize("signal", DEFAULT_SIGNALS, ids=[signal.name for signal in DEFAULT_SIGNALS])
def test_every_signal_stands_in_the_reference_with_its_weight_and_its_sentence(signal: Signal) -> None:
    assert row(signal) in PAGE.read_text(encoding="utf-8").splitlines(), RENEW


def test_the_reference_holds_every_group_with_its_cap_and_nothing_that_is_gone() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == table(), RENEW


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
