"""What came back from a page: traps, and what our script counted. Nothing in here raises on any input."""

import hmac
import json
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final

from formwarden.facts import MarkerOutcome, PageFacts, ScriptFacts, TrapFacts
from formwarden.page.traps import Trap, TrapKind
from formwarden.submission import OWN_FIELDS, Fields

EVIDENCE_CHARACTERS: Final = 2_048  # the script writes below 1,600
BOUND_CHARACTERS: Final = 16  # of the token's signature: 96 bits
COUNT_LIMIT: Final = 100_000
SECONDS_LIMIT: Final = 604_800.0  # a week
NAMES_LIMIT: Final = 32
NAME_CHARACTERS: Final = 64


def typed_fields(fields: Fields, traps: Sequence[Trap]) -> Fields:
    """Return what the visitor typed: ours and the traps removed.

    A form may happen to have a field of a trap's name: then the name came filled and empty, and what is filled
    is the site's.
    """
    shared = {trap.name for trap in traps if "" in (values := fields.all(trap.name)) and any(values)}
    gone = OWN_FIELDS | ({trap.name for trap in traps} - shared)
    return Fields((name, value) for name, value in fields.pairs if name not in gone and (value or name not in shared))


def page_facts(fields: Fields, *, marker: MarkerOutcome, traps: Sequence[Trap], script: ScriptFacts) -> PageFacts:
    """Tell what became of the traps. `fields` is everything that was sent."""
    typed = {value.strip() for _, value in typed_fields(fields, traps).pairs} - {""}
    return PageFacts(marker=marker, traps=tuple(_trap_facts(fields, trap, typed, script) for trap in traps))


def _trap_facts(fields: Fields, trap: Trap, typed: set[str], script: ScriptFacts) -> TrapFacts:
    values = fields.all(trap.name)
    by_manager = trap.kind is TrapKind.TEXT  # browsers and password managers tick no boxes
    return TrapFacts(
        name=trap.name,
        present=bool(values),
        filled=bool(values) and all(values),
        echoes=by_manager and any(value.strip() in typed for value in values),
        autofilled=by_manager and script.bound and trap.name in script.autofilled,
    )


def script_facts(text: str | None, token_text: str | None) -> ScriptFacts:
    """Read what the script wrote; whatever is not as we write it counts as not there."""
    seen = _parse(text)
    if seen is None:
        return ScriptFacts()
    return ScriptFacts(
        present=True,
        bound=_is_bound(seen.get("t"), token_text or ""),
        keys=_count(seen.get("k")),
        pastes=_count(seen.get("p")),
        pointers=_count(seen.get("d")),
        focused=_count(seen.get("f")),
        inputs=_count(seen.get("i")),
        visible_s=_seconds(seen.get("s")),
        autofilled=_names(seen.get("a")),
        automated=_flag(seen.get("w")),
        traps_visible=_flag(seen.get("x")),
        answer=_answer(seen.get("n")),
    )


def _parse(text: str | None) -> Mapping[str, object] | None:
    if not text or len(text) > EVIDENCE_CHARACTERS:
        return None
    try:
        seen: object = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: a thousand brackets fit into two kilobytes
        return None
    return seen if isinstance(seen, dict) else None


def _is_bound(end: object, token_text: str) -> bool:
    if not isinstance(end, str) or len(end) != BOUND_CHARACTERS:
        return False
    expected = token_text[-BOUND_CHARACTERS:]
    return hmac.compare_digest(end.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


def _count(value: object) -> int:
    return int(_number(value, COUNT_LIMIT))


def _seconds(value: object) -> float:
    return _number(value, SECONDS_LIMIT)


def _number(value: object, limit: float) -> float:
    """Cut a number to what can be; everything else is 0, NaN too: Python's JSON knows it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and isnan(value)):
        return 0.0
    return float(min(max(value, 0), limit))


def _answer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool:
    return isinstance(value, int) and value == 1  # true, too


def _names(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(
        name for name in value[:NAMES_LIMIT] if isinstance(name, str) and 0 < len(name) <= NAME_CHARACTERS
    )
