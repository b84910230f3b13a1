"""What a provider has against us, where a refusal is not the address's fault (auto-reply reference, 4.3 and 4.5).

Reputation stops replies to the provider at once, and what we must mend in how we send stops them until it is mended.
So both are believed only of a host that speaks for the provider: else anybody's mail server could say it (G12).
"""

import re
from dataclasses import dataclass
from typing import Final

from formwarden.mail.watched import is_of_group
from formwarden.stores.ports import Ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row fits where its pattern is found; one of `codes` fits the whole enhanced code."""

    ours: Ours
    codes: str = ""
    words: str = ""

    def fits(self, enhanced: str | None, text: str) -> bool:
        """Tell whether this row says it of a refusal."""
        if self.codes:
            return enhanced is not None and re.fullmatch(self.codes, enhanced) is not None
        return re.search(self.words, text, re.IGNORECASE) is not None


TABLE: Final = (
    # codes that say one thing only
    Row(ours=Ours.REPUTATION, codes=r"[45]\.7\.28"),  # Google: unusual rate from an address, a network, a domain
    Row(ours=Ours.REPUTATION, codes=r"4\.7\.[56]\d\d|5\.7\.511|5\.7\.6(?:0[6-9]|[1-4]\d)"),  # Microsoft
    Row(ours=Ours.CONFIG, codes=r"[45]\.7\.(?:23|24|25|26|27|29|30|32)"),  # PTR, SPF, DMARC, TLS, DKIM, From
    Row(ours=Ours.CONFIG, codes=r"5\.7\.(?:9|509|512|515)"),  # not authenticated, or not as strictly as is asked for
    # tags of Yahoo, Microsoft, Apple
    Row(ours=Ours.CONFIG, words=r"\[HME1\]"),
    Row(ours=Ours.REPUTATION, words=r"\[?\bTSS?\d\d\b|\bS31[45]\d\b|\[(?:CS0[12]|HM08|BL2[13]|PH01)\]"),
    # words: what somebody says of us, then what we lack
    Row(
        ours=Ours.REPUTATION,
        words=r"spamhaus|\breputation\b|\b(?:block|black) ?list|(?:blocked|listed) (?:using|by|in|at|on)\b"
        r"|likely unsolicited|unusual (?:rate|volume|number)|(?:excessive|high) volume|\bbanned\b"
        r"|\bip ?check\.proofpoint\b",
    ),
    Row(
        ours=Ours.CONFIG,
        words=r"unauthenticated|not authenticated by"
        r"|\b(?:spf|dkim|dmarc)\b.{0,60}\b(?:fail|not pass|reject|polic|align)"
        r"|\bfail\w*\b.{0,20}\b(?:spf|dkim|dmarc)\b|not pass.{0,40}\b(?:spf|dkim|dmarc)\b"
        r"|\b(?:no|bad|missing|without|invalid|lacks|fix)\b.{0,20}\b(?:ptr|reverse dns|rdns)\b"
        r"|\b(?:ptr|reverse dns|rdns)\b.{0,40}\b(?:missing|not|fail|invalid|require)",
    ),
    Row(
        ours=Ours.CONFIG, words=r"^\W*5\.5\.4\b.*\b(?:helo|ehlo)\b|\b(?:helo|ehlo)\b.{0,40}\b(?:reject|invalid|refus)"
    ),
)

_SPOKE: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bhost (\S+?) ?\[[^\]]*\]:? (?:said|refused to talk)",  # Postfix
        r"\bhost (\S+) \[[^\]]*\]:?\s+(?:SMTP error|[45]\d\d[ -])",  # Exim, in its mail
        r"\bH=(\S+) \[[^\]]*\]",  # Exim, in its log
        r"while talking to (\S+?):",  # Sendmail
        r"\bRemote-MTA:\s*dns;\s*(\S+)",  # RFC 3464
        r"\b(?:Connected to )?(\d+\.\d+\.\d+\.\d+) (?:but|does not like|failed after)",  # qmail names no name
    )
)


def ours_of(enhanced: str | None, text: str, *, group: str) -> Ours:
    """Say what is held against us; `group` is the recipient's provider group, which must be who says so."""
    row = next((row for row in TABLE if row.fits(enhanced, text)), None)
    host = speaker(text)
    if row is None or (host is not None and not is_of_group(host, group)):
        return Ours.OTHER
    return row.ours


def speaker(text: str) -> str | None:
    """Return the host that a relay quotes; None: it speaks for itself.

    The first one: what stands behind it may be of that host's making.
    """
    found = [match for pattern in _SPOKE if (match := pattern.search(text)) is not None]
    first = min(found, key=lambda match: match.start(), default=None)
    return None if first is None else first.group(1).rstrip(".")
