"""What a relay's answer means for the reply, and for the address it went to (auto-reply reference, section 4.3).

One table, read from the top; the first row that fits decides. `5.7.1` was never an unknown user, and only codes
that mean a dead mailbox suppress for ever: on the public bounce corpus their precision is .89, that of any 5.x .41.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from formwarden.mail.distrust import ours_of
from formwarden.mail.sender import REFUSAL_TEXT_LIMIT, SendResult, SendState
from formwarden.stores.ports import Ours, OutcomeKind

DAY_S: Final = 86_400.0
SUPPRESSED_S: Final[Mapping[OutcomeKind, float]] = {
    OutcomeKind.DOMAIN: 7 * DAY_S,  # then it is resolved again
    OutcomeKind.SOFT_LONG: 30 * DAY_S,
    OutcomeKind.SOFT_SHORT: DAY_S,
}

_ENHANCED: Final = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")  # RFC 3463, no IPv4 address
_UNKNOWN_USER: Final = re.compile(
    r"unknown user|user[ ]unknown|no such (?:user|mailbox|recipient|account|address)"
    r"|(?:user|mailbox|recipient|account|address) (?:does not|doesn.t) exist|user (?:not found|doesn.t have)"
    r"|(?:mailbox|recipient) (?:not found|unknown)|unknown (?:recipient|mailbox)|delivery error: dd ",
    re.IGNORECASE,
)
_POLICY: Final = re.compile(
    r"\bspam|block(?:ed|list)|black ?list|reputation|polic(?:y|ies)|\bden(?:y|ied)|not permitted|relay"
    r"|authenticat|\bdmarc\b|\bspf\b|\bdkim\b|\bptr\b|reverse dns|\[?TSS?\d\d|\bS31[45]\d|\[(?:CS|HM|PH|BL)\w*\]"
    r"|unsolicited|volume|rate limit",
    re.IGNORECASE,
)
_TOO_FAST: Final = re.compile(r"too (?:quickly|fast|many|much)|\brate\b|quota exceeded for", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What follows from one answer of a relay.

    `suppress` is for the address, for the whole domain where the kind is DOMAIN; `until` None is for ever.
    A reply that was not sent is due again when the outbox says so (G15).
    """

    kind: OutcomeKind
    reason: str
    until: float | None = None  # seconds since the epoch
    suppress: bool = False
    ours: Ours = Ours.OTHER  # for OURS: what the provider has against us


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row fits if everything it names fits: enhanced code, SMTP code, a phrase in the text."""

    kind: OutcomeKind
    enhanced: str = ""  # pattern of the enhanced code; "" fits all, "none" where there is none or an empty one
    code: str = ""  # pattern of the SMTP code
    phrase: re.Pattern[str] | None = None


UNSPECIFIC: Final = (
    r"none|5\.(?:0\.0|1\.0|3\.0|5\.0)"  # codes under which anything at all is said; 5.2.0 is docomo's filter
)

TABLE: Final = (
    # ours: policy, security, our sender, our syntax, our content; never the address's fault
    Row(kind=OutcomeKind.OURS, enhanced=r"[45]\.7\.\d+|[45]\.1\.[78]|[45]\.6\.\d+|[45]\.5\.[1-9]\d*"),
    Row(kind=OutcomeKind.SOFT_SHORT, enhanced=r"4\.2\.1|5\.2\.1", phrase=_TOO_FAST),  # Gmail: it is being bombed
    Row(kind=OutcomeKind.SOFT_SHORT, enhanced=r"4\.2\.\d+"),
    Row(kind=OutcomeKind.OURS, code="421"),  # about the connection, whatever else it says
    # the mailbox, for ever
    Row(kind=OutcomeKind.HARD, enhanced=r"5\.1\.(?:1|3|6|10|351)|5\.2\.1"),
    # the domain
    Row(kind=OutcomeKind.DOMAIN, enhanced=r"5\.1\.2|5\.4\.4"),
    Row(kind=OutcomeKind.DOMAIN, enhanced="none", code="521|556"),  # RFC 7504: it takes no mail
    # no code to go by: the text, policy first
    Row(kind=OutcomeKind.OURS, enhanced=UNSPECIFIC, phrase=_POLICY),
    Row(kind=OutcomeKind.HARD, enhanced=UNSPECIFIC, code=r"5\d\d", phrase=_UNKNOWN_USER),
    Row(kind=OutcomeKind.OURS, enhanced="none", code=r"50\d|53\d|555"),  # our command, our password
    # what is left passes, sooner or later
    Row(kind=OutcomeKind.SOFT_LONG, enhanced=r"4\.4\.7"),  # waited in vain for days
    Row(kind=OutcomeKind.SOFT_SHORT, enhanced=r"4\.\d+\.\d+"),
    Row(kind=OutcomeKind.SOFT_SHORT, enhanced="none", code=r"4\d\d"),
    Row(kind=OutcomeKind.SOFT_LONG),
)


def classify(result: SendResult, *, now: float, group: str = "") -> Effect:
    """Say what a relay's answer means; pure. `group`: the recipient's provider group, "" where it is not known."""
    if result.state is SendState.REFUSED:
        kind = kind_of(result.code, result.text)
        if kind is OutcomeKind.OURS:
            return against_us(result, group=group)
        lasts = SUPPRESSED_S.get(kind)
        return Effect(
            kind=kind,
            reason=_reason(result),
            until=None if lasts is None else now + lasts,
            suppress=True,
        )
    return Effect(kind=_PLAIN[result.state], reason=_reason(result))


def against_us(result: SendResult, *, group: str) -> Effect:
    """Say what a refusal means that is about us, whatever its code."""
    ours = ours_of(enhanced_code(result.code, result.text), result.text, group=group)
    return Effect(kind=OutcomeKind.OURS, reason=_reason(result), ours=ours)


def kind_of(code: int | None, text: str) -> OutcomeKind:
    """Look a refusal up in the table."""
    enhanced = enhanced_code(code, text) or "none"
    return next(row.kind for row in TABLE if _fits(row, enhanced, code, text))


def enhanced_code(code: int | None, text: str) -> str | None:
    """Find the enhanced status code (RFC 3463): the first one that agrees with the SMTP code, as it must."""
    for found in _ENHANCED.finditer(text):
        if code is None or found.group(1) == str(code)[0]:
            return found.group()
    return None


_PLAIN: Final[Mapping[SendState, OutcomeKind]] = {
    SendState.TAKEN: OutcomeKind.SENT,
    SendState.NOT_SENT: OutcomeKind.NOT_SENT,
    SendState.UNKNOWN: OutcomeKind.LOST,
}


def _fits(row: Row, enhanced: str, code: int | None, text: str) -> bool:
    if row.enhanced and not re.fullmatch(row.enhanced, enhanced):
        return False
    if row.code and not re.fullmatch(row.code, str(code)):
        return False
    return row.phrase is None or row.phrase.search(text) is not None


def _reason(result: SendResult) -> str:
    words = result.text if result.code is None else f"{result.code} {result.text}"
    return words[:REFUSAL_TEXT_LIMIT]
