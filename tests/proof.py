"""Figures that tests print at the end of a run, so that a document never holds one that no command shows."""

from collections.abc import Callable

import pytest

ROWS = pytest.StashKey[list[tuple[str, str]]]()
Proof = Callable[..., None]


@pytest.fixture
def proof(pytestconfig: pytest.Config) -> Proof:
    """Note one line of the table: a claim and its figures."""

    def note(claim: str, **figures: object) -> None:
        line = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
        pytestconfig.stash.setdefault(ROWS, []).append((claim, line))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    terminalreporter.write_sep("=", "figures")
    terminalreporter.write_line("| claim | figures |")
    terminalreporter.write_line("| --- | --- |")
    for claim, figures in sorted(rows):
        terminalreporter.write_line(f"| {claim} | {figures} |")
