"""Proof of work: what a page demands of a browser, and whether the browser has done it (G34).

A page demands work when its token was issued with a level: `tokens.issue(form, work=level)`. Nothing else is to be
done: `Issuer` puts the challenge beside whatever token it renders (`data-work` of the token's field, the member `w`
of the header, the response header `Formwarden-Work` beside a fetched token), `guard.js` solves it in a worker, and
the number found comes back in the evidence. What was demanded and done is `Facts.work`.

The scheme is ALTCHA's first: the hexadecimal SHA-256 of salt and number is given, the number is looked for. Salt and
number are both made from the token: it is its own signature, and single use by its own nonce.
"""

import hashlib
from typing import Final

from formwarden.facts import TokenOutcome, WorkFacts
from formwarden.tokens import Token, Tokens

WORK_HEADER: Final = "formwarden-work"
SALT_CHARACTERS: Final = 16  # of the token's signature: 96 bits; salt and number fill one block of SHA-256
LEVELS: Final = 6  # each twice the work of the one before
# Numbers tried at most at the highest level, half of them on average. Our worker tries 500,000 a second in Chromium,
# on a server's core, and 120,000 with the processor slowed down four times, as middling phones are played: there it
# takes 2 s at most, and 1 s on average (docs/script.md). crypto.subtle tries 150,000 where it tries 500,000.
HARDEST: Final = 240_000
CHALLENGE_LEVEL: Final = LEVELS - 1  # of a page that asks: half of the most, for its reader waits for it


def most(level: int) -> int:
    """Return how many numbers a browser tries at most at a level; 0 where nothing is demanded."""
    return 0 if level <= 0 else HARDEST >> max(LEVELS - level, 0)


class Effort:
    """Sets and checks the work of tokens. Nothing is remembered: the token tells it all."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def challenge(self, form: str, token_text: str | None) -> str | None:
        """Return what a page carries beside this token, `<most numbers>.<hash>`; None: it demands nothing."""
        _, token = self._tokens.read(token_text, form, stale_after_s=float("inf"))
        if token_text is None or token is None or token.work <= 0:
            return None
        text = f"{_salt(token_text)}{self._number(token_text, token)}"
        return f"{most(token.work)}.{hashlib.sha256(text.encode()).hexdigest()}"

    def facts(
        self, outcome: TokenOutcome, token: Token | None, token_text: str | None, number: int | None
    ) -> WorkFacts:
        """Tell what the page demanded and whether this number is the answer; only a fresh token tells anything."""
        if outcome is not TokenOutcome.FRESH or token is None or token_text is None or token.work <= 0:
            return WorkFacts()
        solved = number is not None and number == self._number(token_text, token)
        asked = token.parent is not None or token.doubtful or token.challenged
        return WorkFacts(level=token.work, solved=solved, clears=solved and not asked)

    def _number(self, token_text: str, token: Token) -> int:
        key = self._tokens.derive("work", token_text.split(".")[1])  # a token that was read has a known key
        digest = hashlib.blake2b(token_text.encode(), key=key, digest_size=8).digest()
        return int.from_bytes(digest, "big") % (most(token.work) + 1)


def _salt(token_text: str) -> str:
    """Return the end of the token, and what parts it from the number: neither can be taken for the other."""
    return f"{token_text[-SALT_CHARACTERS:]}&"
