"""Points: what a signal saw, what it weighs, and what the sum means."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, FiniteFloat, field_validator

from formwarden.address.report import AddressReport
from formwarden.challenge import SETTLED, Click, OnQuarantine
from formwarden.groups import Group, Unit
from formwarden.submission import Fields, Submission, Upload

if TYPE_CHECKING:
    from formwarden.facts import Facts

EVIDENCE_LIMIT: Final = 120  # characters of evidence that are kept
GROUP_CAPS: Final[Mapping[str, float]] = {  # all below `reject`: cousins cannot convict by number
    "trap": 8.0,
    "token": 8.0,
    "timing": 4.0,
    "behaviour": 5.0,
    "headers": 7.0,
    "consistency": 4.0,  # below `quarantine`: no proxy and no rare browser is held for its headers alone
    "content": 7.0,
    "outside": 3.0,  # others' lists and services: evidence, never a gate
    "address": 5.0,
    "repeats": 7.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a signal saw: our own words or numbers, never an address or what was typed."""

    text: str
    strength: float = 1.0  # 0..1, multiplies the weight


Rule = Callable[[Submission, "Facts"], Evidence | None]
CLICK_WORDS: Final[Mapping[Click, str]] = {
    Click.OFFERED: "challenged: one click is asked for in place of quarantine",
    Click.MADE: "cleared by the click of a challenge; without it, this would be held",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One rule with its weight. `asks`: another click can settle it; `rejects`: alone enough (G27)."""

    name: str
    group: str
    weight: float
    rule: Rule
    summary: str  # the first line of the rule's docstring
    asks: bool = False
    rejects: bool = False


def signal(*, weight: float, group: str, asks: bool = False, rejects: bool = False) -> Callable[[Rule], Signal]:
    """Make a rule into a signal: the function's name names it, its docstring explains it."""
    if group not in GROUP_CAPS:
        raise ValueError(f"unknown group {group!r}: one of {', '.join(GROUP_CAPS)}")

    def wrap(rule: Rule) -> Signal:
        return Signal(
            name=getattr(rule, "__name__", ""),
            group=group,
            weight=weight,
            rule=rule,
            summary=(rule.__doc__ or "").partition("\n")[0],
            asks=asks,
            rejects=rejects,
        )

    return wrap


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """Where all of `when` fired, those of `silences` say the same thing again and count nothing."""

    when: frozenset[str]
    silences: frozenset[str]


class Action(StrEnum):
    """What is done with a submission."""

    ACCEPT = "accept"
    ASK = "ask"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class Standing(StrEnum):
    """How far we trust that a person is there (G01), best first."""

    KNOWN = "known"
    SHOWN = "shown"
    PLAIN = "plain"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From how many points on a submission is quarantined, and rejected."""

    quarantine: float = 5.0
    reject: float = 12.0

    def __post_init__(self) -> None:
        if not 0 < self.quarantine <= self.reject:
            raise ValueError("thresholds: 0 < quarantine <= reject")


class Scoring(Group):
    """Thresholds and weights."""

    quarantine: Annotated[float, Unit("points"), Field(gt=0, description="held for the owner from here on")] = 5.0
    reject: Annotated[float, Unit("points"), Field(gt=0, description="refused with a receipt from here on")] = 12.0
    on_quarantine: Annotated[
        OnQuarantine,
        Unit("word"),
        Field(description="in the range of quarantine: thank and hold, or challenge: one click more, then accept"),
    ] = "thank"
    weights: Annotated[
        Mapping[str, FiniteFloat],
        Unit("points by signal"),
        Field(description="`name=points`, instead of the default"),
    ] = {}

    @field_validator("weights", mode="before")
    @classmethod
    def _read_weights(cls, value: object) -> object:
        """Read `name=points name=points`."""
        if not isinstance(value, str):
            return value
        pairs = (word.partition("=") for word in value.replace(",", " ").split())
        return {name: points for name, _, points in pairs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A signal that fired, after weights, composites and caps."""

    signal: str
    group: str
    points: float
    strength: float
    evidence: str
    asks: bool = False  # only where it weighed something and was not silenced; a cap does not take it away
    rejects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The sum, its parts, and the signals that raised (they score nothing)."""

    score: float
    hits: tuple[Hit, ...]
    failed: tuple[tuple[str, str], ...] = ()  # (signal, kind of exception)
    early: Mapping[str, Evidence | None] = field(default_factory=dict[str, Evidence | None], compare=False)


def weigh(
    signals: Sequence[Signal],
    submission: Submission,
    facts: "Facts",
    *,
    weights: Mapping[str, float] | None = None,
    composites: Sequence[Composite] = (),
    early: Collection[str] = (),
    before: Weighed | None = None,
) -> Weighed:
    """Run every signal and add up: weights, then composites, then group caps.

    `early` names signals that never read what DNS says; `before` is of the same submission and facts, less that:
    they are not run again.
    """
    known = before.early if before is not None else {}
    seen: dict[str, Evidence | None] = {}
    hits: list[Hit] = []
    failed: list[tuple[str, str]] = []
    for each in signals:
        try:
            evidence = known[each.name] if each.name in known else each.rule(submission, facts)
        except Exception as error:  # noqa: BLE001 - a rule's own bug must lose nobody an inquiry; it is counted
            failed.append((each.name, type(error).__name__))
            continue
        if each.name in early:
            seen[each.name] = evidence
        if evidence is None:
            continue
        strength = min(max(0.0, evidence.strength), 1.0)  # in this order not-a-number is 0
        weight = (weights or {}).get(each.name, each.weight)
        hits.append(
            Hit(
                signal=each.name,
                group=each.group,
                points=weight * strength,
                strength=strength,
                evidence=evidence.text[:EVIDENCE_LIMIT],
                asks=each.asks and weight * strength > 0,
                rejects=each.rejects,
            )
        )
    capped = _cap(_silence(hits, composites))
    score = round(sum([hit.points for hit in capped]), 3)
    return Weighed(score=score, hits=tuple(capped), failed=tuple(failed), early=seen)


def worse(first: Weighed, second: Weighed) -> Weighed:
    """Return which of two is judged more severely; the first where they are alike."""
    return max(first, second, key=lambda each: (any(hit.rejects for hit in each.hits), each.score))


def decide(weighed: Weighed, thresholds: Thresholds, click: Click = Click.NONE) -> Action:
    """Name the action: by the score, or ask where a click can settle it and the rest stays below quarantine.

    The click of a challenge takes away what it can settle, and never from a score that rejects.
    """
    if any(hit.rejects for hit in weighed.hits):
        return Action.REJECT
    firm = [hit for hit in weighed.hits if not hit.asks]
    cleared = sum(hit.points for hit in firm if hit.group in SETTLED) if click is Click.MADE else 0.0
    total = round(sum(hit.points for hit in firm), 3)  # as the score is
    asks = len(firm) < len(weighed.hits)
    if asks and total < thresholds.reject and round(total - cleared, 3) < thresholds.quarantine:
        return Action.ASK
    if weighed.score >= thresholds.reject:
        return Action.REJECT
    if round(weighed.score - cleared, 3) < thresholds.quarantine:
        return Action.ACCEPT
    return Action.ASK if click is Click.OFFERED else Action.QUARANTINE


def _silence(hits: Sequence[Hit], composites: Sequence[Composite]) -> list[Hit]:
    fired = {hit.signal for hit in hits if hit.points > 0}
    silent = frozenset[str]().union(*(each.silences for each in composites if each.when <= fired))
    return [_with_points(hit, 0.0, asks=False) if hit.signal in silent else hit for hit in hits]


def _cap(hits: Sequence[Hit]) -> list[Hit]:
    """Cut each group at its cap, the heaviest hits first, those that ask last: they must not crowd out the others.

    So a hit more never makes the answer kinder: what no click can settle counts in full whatever asks beside it.
    """
    if not hits:
        return []
    left = dict(GROUP_CAPS)
    capped = []
    for hit in sorted(hits, key=lambda hit: (hit.asks, -hit.points)):
        points = min(hit.points, left[hit.group]) if hit.points > 0 else hit.points
        left[hit.group] -= max(points, 0.0)
        capped.append(_with_points(hit, round(points, 3), asks=hit.asks))
    return sorted(capped, key=lambda hit: -hit.points)


def _with_points(hit: Hit, points: float, *, asks: bool) -> Hit:
    return Hit(
        signal=hit.signal,
        group=hit.group,
        points=points,
        strength=hit.strength,
        evidence=hit.evidence,
        asks=asks,
        rejects=hit.rejects,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one submission, and why. `action` is what is done, `judged` what judgement said."""

    id: bytes
    receipt: str
    form: str
    action: Action
    judged: Action
    score: float
    hits: tuple[Hit, ...]
    standing: Standing
    fields: Fields  # ours removed
    uploads: tuple[Upload, ...] = ()
    address: str | None = None  # as typed, trimmed; None: none, or several different ones
    report: AddressReport | None = None
    staff_reply_to: str | None = None
    language: str = "en"
    lineage: bytes | None = None
    client: bytes | None = None  # identity of the network peer; None: unknown
    network: bytes | None = None
    received_at: float = 0.0
    again: str | None = None  # a token for the next try: the ask page's, or that of a form shown again
    click: Click = Click.NONE  # OFFERED: what asks is a challenge. MADE: without its click, this would be held
    recorded: bool = True  # False: the store did not answer; kept in the journal if that could be written
    released: bool = False
    repeated: bool = False  # a second click: this very submission was kept before, and has its reply and staff mail

    @property
    def accepted(self) -> bool:
        """True when the endpoint should see it."""
        return self.action is Action.ACCEPT

    def explain(self) -> str:
        """Say in a few lines what was decided and why; holds nothing that was typed."""
        lines = [f"{self.receipt} {self.action} (score {self.score:g}, standing {self.standing})"]
        if self.judged is not self.action:
            lines.append(f"  judged {self.judged}; the form only watches")
        if self.click is not Click.NONE:
            lines.append(f"  {CLICK_WORDS[self.click]}")
        lines += [f"  {hit.points:+6.2f}  {hit.signal}: {hit.evidence}" for hit in self.hits]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Return plain values ready for JSON; holds nothing that was typed."""
        return {
            "receipt": self.receipt,
            "form": self.form,
            "action": str(self.action),
            "judged": str(self.judged),
            "score": self.score,
            "standing": str(self.standing),
            "click": str(self.click),
            "hits": [
                {"signal": hit.signal, "group": hit.group, "points": hit.points, "evidence": hit.evidence}
                for hit in self.hits
            ],
        }
