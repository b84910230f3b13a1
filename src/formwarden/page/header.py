"""The `Formwarden` header: marker, token, evidence and traps of clients whose body is their own (RFC 9651)."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

from formwarden.page.traps import Trap, TrapKind
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD, Fields

HEADER: Final = "formwarden"
HEADER_CHARACTERS: Final = 4_096  # ours is below 3,000, with evidence
MEMBERS: Final = 16
# One letter each: no trap is named so.
NAMES: Final = {"m": MARKER_FIELD, "t": TOKEN_FIELD, "e": EVIDENCE_FIELD}
# One member of a dictionary (RFC 9651 section 4.2.2), of the three types that are used here: string, bytes, boolean.
_MEMBER: Final = re.compile(
    r"""(?P<key>[a-z*][a-z0-9_.*-]*)
        (?:=(?: "(?P<string>(?:[ !#-\[\]-~]|\\["\\])*)" | :(?P<bytes>[A-Za-z0-9+/=]*): | \?(?P<flag>[01]) ))?
        [ \t]* (?P<more>,[ \t]*(?!$))?""",
    re.VERBOSE | re.ASCII,
)


def render_header(*, marker: str, token: str | None, traps: Sequence[Trap], challenge: str | None = None) -> str:
    """Return the value a client sends: a trap of text is there and empty, a box is left out, as on a page."""
    ours = {"m": marker, "t": token or ""} | ({"w": challenge} if challenge else {})
    empty = {trap.name: "" for trap in traps if trap.kind is TrapKind.TEXT}
    return ", ".join(f'{name}="{value}"' for name, value in (ours | empty).items())


def read_header(text: str | None) -> Fields:
    """Read marker, token and evidence under the names of their fields, and traps under theirs.

    Nothing is raised: what is malformed or too long is as if it had not come, all of it (RFC 9651 section 4.2).
    """
    if not text or len(text) > HEADER_CHARACTERS:
        return Fields()
    text, at, found = text.strip(" "), 0, dict[str, str]()
    while at < len(text):
        member = _MEMBER.match(text, at)
        value = None if member is None else _value(member)
        if member is None or value is None or (member["more"] is None and member.end() < len(text)):
            return Fields()
        found[member["key"]] = value  # the last one of a name counts
        at = member.end()
    if len(found) > MEMBERS:
        return Fields()
    return Fields((NAMES.get(name, name), value) for name, value in found.items())


def own_field(name: str, fields: Fields, header: Fields, *, header_first: bool) -> str | None:
    """Return one of our own fields from where it was sent; of two places the likelier one counts."""
    first, second = (header, fields) if header_first else (fields, header)
    return first.get(name) or second.get(name)


def with_traps(fields: Fields, header: Fields, traps: Sequence[Trap]) -> Fields:
    """Add the traps that came in the header to the fields; whatever else stands there is nobody's."""
    names = {trap.name for trap in traps}
    return Fields((*fields.pairs, *(pair for pair in header.pairs if pair[0] in names)))


def _value(member: re.Match[str]) -> str | None:
    """Return a member as text; None: bytes that are none."""
    if (string := member["string"]) is not None:
        return re.sub(r"\\(.)", r"\1", string)
    if (data := member["bytes"]) is not None:
        return _decoded(data)
    return "" if member["flag"] == "0" else "1"  # a key alone is true


def _decoded(data: str) -> str | None:
    try:
        # without padding too, as RFC 9651 section 4.2.7 asks
        return base64.b64decode(data.rstrip("=") + "=" * (-len(data.rstrip("=")) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
