"""Figures of one run: medians, spread, and ratios to the bare app of the same round."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

BARE: Final = "bare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound of DESIGN.md, on the ratio to bare or on the figure itself."""

    bound: float
    at_least: bool = False  # else: at most
    of_figure: bool = False  # else: of the ratio

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. Low and high are the extremes of all rounds."""

    what: str
    site: str
    unit: str
    figure: float
    low: float
    high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    goal: Goal | None = None
    note: str = ""

    @property
    def hit(self) -> bool | None:
        """Whether the goal is met; None: there is none."""
        if self.goal is None:
            return None
        value = self.figure if self.goal.of_figure else self.ratio
        return value >= self.goal.bound if self.goal.at_least else value <= self.goal.bound

    def as_json(self) -> dict[str, object]:
        """Return it for machines."""
        return asdict(self) | {"hit": self.hit}


def rows_of(
    what: str,
    unit: str,
    rounds: Sequence[Mapping[str, float]],
    *,
    goals: Mapping[str, Goal] | None = None,
    notes: Mapping[str, str] | None = None,
) -> list[Row]:
    """Make rows of rounds, each a figure by site; the first site is what the others are compared with."""
    first = next(iter(rounds[0]))
    rows = []
    for site in rounds[0]:
        figures = [each[site] for each in rounds]
        ratios = [each[site] / each[first] if each[first] else 0.0 for each in rounds]
        row = Row(
            what=what,
            site=site,
            unit=unit,
            figure=median(figures),
            low=min(figures),
            high=max(figures),
            ratio=median(ratios),
            ratio_low=min(ratios),
            ratio_high=max(ratios),
            goal=(goals or {}).get(site),
            note=(notes or {}).get(site, ""),
        )
        rows.append(row)
    return rows


def table(rows: Sequence[Row]) -> str:
    """Write the rows in Markdown."""
    lines = [
        "| what | site | median | spread | × bare | spread | goal | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        verdict = {True: "hit", False: "missed", None: ""}[row.hit]
        cells = (
            row.what,
            row.site,
            f"{_short(row.figure)} {row.unit}",
            f"{_short(row.low)}–{_short(row.high)}",
            f"{row.ratio:.2f}",
            f"{row.ratio_low:.2f}–{row.ratio_high:.2f}",
            str(row.goal or ""),
            "; ".join(filter(None, (verdict, row.note))),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits are all that is true
