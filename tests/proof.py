"""Figures that tests print at the end of a run, so that a document never holds one that no command shows."""

from collections.abc import Callable
from typing import Protocol

import pytest

ROWS = pytest.StashKey[list[tuple[str, str]]]()
WORKER_ROWS = "formwarden_figures"  # what a worker of pytest-xdist sends home at its end
Proof = Callable[..., None]


@pytest.fixture
def proof(pytestconfig: pytest.Config) -> Proof:
    """Note one line of the table: a claim and its figures."""

    def note(claim: str, **figures: object) -> None:
        line = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
        pytestconfig.stash.setdefault(ROWS, []).append((claim, line))

    return note


class Node(Protocol):
    """A worker, as the process that started it sees it."""

    @property
    def config(self) -> pytest.Config:
        """The configuration of the run."""

    @property
    def workeroutput(self) -> dict[str, object]:
        """What the worker left at its end."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the rows home from a worker."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[WORKER_ROWS] = session.config.stash.get(ROWS, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Node) -> None:
    """Take the rows of a worker; one that crashed has left none."""
    rows = getattr(node, "workeroutput", {}).get(WORKER_ROWS, [])
    node.config.stash.setdefault(ROWS, []).extend((claim, line) for claim, line in rows)


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
