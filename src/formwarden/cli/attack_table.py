"""What an attack found: one line a persona, as a table and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from formwarden.testing.personas import Persona, Seen, Sent

ACCEPTED: Final = frozenset({"accepted", "done", "refused", "released", "releasing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the store knows of one receipt. `replied`: an auto-reply was granted."""

    state: str
    replied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One visit; `error`: it broke off, and why."""

    persona: Persona
    sent: tuple[Sent, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One persona. None: nobody can tell from outside (G29)."""

    name: str
    person: bool
    visits: int
    n: int  # posts
    accepted: int | None
    quarantined: int | None
    thanked: int
    rejected: int
    asked: int
    errors: int  # posts and visits that came to nothing
    lost: int  # posts after which what was typed had gone
    replies: int | None

    def as_plain(self) -> dict[str, object]:
        """Return it as values for JSON."""
        return {
            "persona": self.name,
            "person": self.person,
            "visits": self.visits,
            "n": self.n,
            "accepted": self.accepted,
            "quarantined": self.quarantined,
            "thanked": self.thanked,
            "rejected": self.rejected,
            "asked": self.asked,
            "errors": self.errors,
            "lost": self.lost,
            "auto_replies": self.replies,
        }


def line_of(persona: Persona, tried: Sequence[Tried], found: Mapping[str, Found] | None) -> Line:
    """Count the visits of one persona. `found`: by receipt; None: there is no store to look into."""
    sent = [each for visit in tried for each in visit.sent]
    kinds = {seen: sum(each.seen is seen for each in sent) for seen in Seen}
    inside = found or {}
    told = [(each, inside[each.receipt]) for each in sent if each.receipt is not None and each.receipt in inside]
    known = [said for _, said in told]
    thanked = [said for each, said in told if each.seen is Seen.THANKED]
    return Line(
        name=persona.name,
        person=persona.person,
        visits=len(tried),
        n=len(sent),
        accepted=None if found is None else sum(each.state in ACCEPTED for each in thanked),
        quarantined=None if found is None else sum(each.state not in ACCEPTED for each in thanked),
        thanked=kinds[Seen.THANKED],
        rejected=kinds[Seen.REJECTED],
        asked=kinds[Seen.ASKED],
        errors=kinds[Seen.ERROR] + sum(bool(visit.error) for visit in tried),
        lost=sum(not each.typed_kept for each in sent),
        replies=None if found is None else sum(each.replied for each in known),
    )


def lines_of(
    personas: Iterable[Persona], tried: Sequence[Tried], found: Mapping[str, Found] | None
) -> tuple[Line, ...]:
    """Count for each persona that made a visit."""
    visits = {each.name: [visit for visit in tried if visit.persona.name == each.name] for each in personas}
    return tuple(line_of(each, visits[each.name], found) for each in personas if visits[each.name])


def table(lines: Sequence[Line]) -> Sequence[str]:
    """Return aligned columns; without a store, accepted and quarantined are one column."""
    inside = all(line.accepted is not None for line in lines)
    heads = ("accepted", "quarantined") if inside else ("thanked",)
    rows = [("persona", "visits", "n", *heads, "rejected", "asked", "errors", "lost", "auto-replies")]
    for line in lines:
        seen = (line.accepted, line.quarantined) if inside else (line.thanked,)
        numbers = (line.visits, line.n, *seen, line.rejected, line.asked, line.errors, line.lost)
        replies = "?" if line.replies is None else str(line.replies)
        rows.append((line.name, *map(str, numbers), replies))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
