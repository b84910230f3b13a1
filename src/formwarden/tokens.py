"""Tokens, markers and seals: what we hand to a page and want to know again.

Every text is `<version>.<key id>.<payload>.<signature>`: the key id stands in clear, so that a text signed
by a key that is no longer ours is told from one that somebody altered (ruling G27).
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from itsdangerous import Signer
from itsdangerous.signer import SigningAlgorithm

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.facts import MarkerOutcome, TokenFacts, TokenOutcome

VERSION: Final = "1"
NONCE_BYTES: Final = 16
NETWORK_BYTES: Final = 17
NO_PARENT: Final = bytes(16)
NO_NETWORK: Final = bytes(NETWORK_BYTES)
TEXT_LIMIT: Final = 600  # characters; our own are below 300
FORM_IDS: Final = 64  # remembered: a site has a few forms
MAX_REISSUES: Final = 255  # one byte of the payload
DOUBTFUL: Final = 1  # flags of one byte of the payload
CHALLENGED: Final = 2
WORK_SHIFT: Final = 2  # the other bits of that byte: the level of work
MAX_WORK: Final = 63
_LAYOUT: Final = struct.Struct(f">8s{NONCE_BYTES}s{NONCE_BYTES}sB16sB{NETWORK_BYTES}sdd")
_MARKER: Final = struct.Struct(">8sI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The payload of a token. Times are seconds since the epoch by our clock."""

    form: bytes
    nonce: bytes
    lineage: bytes
    reissues: int
    parent: bytes | None
    doubtful: bool
    network: bytes | None
    first: float
    issued: float
    work: int = 0  # level of the proof of work that its page demanded; 0: none (G34)
    challenged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a marker says: the outcome, and how to name the traps of that page again."""

    outcome: MarkerOutcome
    key_id: str | None = None
    epoch: int = 0


class _HmacSha256(SigningAlgorithm):
    """What itsdangerous computes, from a state that has taken in the key already: a third of the time."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the HMAC; the key is the one given before."""
        del key
        mac = self._keyed.copy()
        mac.update(value)
        return mac.digest()


class Tokens:
    """Signs with the newest secret key and reads with all of them; a salt for each purpose."""

    def __init__(self, secret_keys: Sequence[str], *, clock: Clock, entropy: Entropy) -> None:
        if not secret_keys:
            raise ValueError("at least one secret key is needed")
        self._clock = clock
        self._entropy = entropy
        self._keys = {_key_id(key): key for key in reversed(secret_keys)}  # the first of two alike wins
        self._newest = _key_id(secret_keys[0])
        self._signers: dict[tuple[str, str], Signer] = {}  # by purpose and key id: a handful

    def issue(
        self,
        form: str,
        *,
        network: bytes | None = None,
        after: Token | None = None,
        parent: bytes | None = None,
        doubtful: bool = False,
        challenged: bool = False,
        asked: bool = True,
        work: int = 0,
    ) -> str:
        """Make a token. `after` continues a lineage and keeps its first issue time and its doubts (G28).

        `asked`: for a page of ours that asks again, and counted; a form that the site shows again is no re-issue.
        `work`: the level of `page/effort.py` that the page demands, at least that of the token before.
        """
        now = self._clock.now()
        payload = _LAYOUT.pack(
            form_id(form),
            self._entropy(NONCE_BYTES),
            after.lineage if after else self._entropy(NONCE_BYTES),
            min(after.reissues + asked, MAX_REISSUES) if after else 0,
            parent or NO_PARENT,
            _flags(after, doubtful=doubtful, challenged=challenged, work=work),
            network or NO_NETWORK,
            after.first if after else now,
            now,
        )
        return self.seal("token", payload)

    def read(self, text: str | None, form: str, *, stale_after_s: float) -> tuple[TokenOutcome, Token | None]:
        """Tell what a token is; replay is for the counters to say. The token is None where it cannot be trusted."""
        if not text:
            return TokenOutcome.MISSING, None
        outcome, payload = self.unseal("token", text)
        if payload is None:
            return outcome, None
        if len(payload) != _LAYOUT.size:
            return TokenOutcome.TAMPERED, None
        of, nonce, lineage, reissues, parent, flags, network, first, issued = _LAYOUT.unpack(payload)
        token = Token(
            form=of,
            nonce=nonce,
            lineage=lineage,
            reissues=reissues,
            parent=None if parent == NO_PARENT else parent,
            doubtful=bool(flags & DOUBTFUL),
            challenged=bool(flags & CHALLENGED),
            network=None if network == NO_NETWORK else network,
            first=first,
            issued=issued,
            work=flags >> WORK_SHIFT,
        )
        if of != form_id(form):
            return TokenOutcome.OTHER_FORM, token
        if self._clock.now() - issued > stale_after_s:
            return TokenOutcome.STALE, token
        return TokenOutcome.FRESH, token

    def facts(
        self, outcome: TokenOutcome, token: Token | None, *, networks: Sequence[bytes], uses: int | None = None
    ) -> TokenFacts:
        """Turn a reading into facts; `networks` are the client's, under every key that may have hashed it.

        `uses` is what the counters said; None: they did not answer.
        """
        if token is None:
            return TokenFacts(outcome=outcome)
        now = self._clock.now()
        comparable = token.network is not None and networks
        return TokenFacts(
            outcome=outcome,
            age_s=max(0.0, now - token.first),
            issued_s=max(0.0, now - token.issued),
            nonce=token.nonce,
            lineage=token.lineage,
            reissues=token.reissues,
            uses=uses,
            parent=token.parent,
            doubtful=token.doubtful,
            challenged=token.challenged,
            same_network=token.network in networks if comparable else None,
        )

    def mark(self, form: str, epoch: int) -> str:
        """Make the marker of a page: form and trap epoch, no time, so that it may be cached."""
        return self.seal("marker", _MARKER.pack(form_id(form), epoch))

    def read_marker(self, text: str | None, form: str) -> Marker:
        """Tell whether our markup was rendered into the page."""
        if not text:
            return Marker(outcome=MarkerOutcome.MISSING)
        outcome, payload = self.unseal("marker", text)
        if payload is None or len(payload) != _MARKER.size:
            rotated = outcome is TokenOutcome.ROTATED
            return Marker(outcome=MarkerOutcome.ROTATED if rotated else MarkerOutcome.TAMPERED)
        of, epoch = _MARKER.unpack(payload)
        key_id = text.split(".")[1]
        right = of == form_id(form)
        return Marker(outcome=MarkerOutcome.VALID if right else MarkerOutcome.OTHER_FORM, key_id=key_id, epoch=epoch)

    def seal(self, purpose: str, payload: bytes) -> str:
        """Sign bytes for one purpose; the text is safe in URLs and fields."""
        body = f"{VERSION}.{self._newest}.{_encode(payload)}"
        return self._signer(purpose, self._newest).sign(body).decode("ascii")

    def unseal(self, purpose: str, text: str) -> tuple[TokenOutcome, bytes | None]:
        """Verify a sealed text: FRESH with its bytes, else ROTATED or TAMPERED with None."""
        parts = text.split(".") if len(text) <= TEXT_LIMIT and text.isascii() else []
        if len(parts) != 4 or parts[0] != VERSION:  # noqa: PLR2004 - version, key id, payload, signature
            return TokenOutcome.TAMPERED, None
        if parts[1] not in self._keys:
            return TokenOutcome.ROTATED, None
        signed = self._signer(purpose, parts[1]).sign(text.rpartition(".")[0])
        # The text itself is compared: base64 has several spellings of one value.
        if not hmac.compare_digest(signed, text.encode()):
            return TokenOutcome.TAMPERED, None
        try:
            return TokenOutcome.FRESH, _decode(parts[2])
        except (binascii.Error, ValueError):
            return TokenOutcome.TAMPERED, None

    def derive(self, purpose: str, key_id: str | None = None) -> bytes:
        """Make a key for another purpose from a secret key, the newest unless named; KeyError if it is gone."""
        secret = self._keys[key_id or self._newest].encode()
        return hashlib.blake2b(purpose.encode(), key=hashlib.sha256(secret).digest(), digest_size=32).digest()

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """Make the keys of one purpose from all secret keys, newest first."""
        others = [key_id for key_id in reversed(self._keys) if key_id != self._newest]
        return tuple(self.derive(purpose, key_id) for key_id in (self._newest, *others))

    def _signer(self, purpose: str, key_id: str) -> Signer:
        """Return the signer of a purpose, whose own key is derived once."""
        signer = self._signers.get((purpose, key_id))
        if signer is None:
            salted = Signer(
                self._keys[key_id], salt=f"formwarden.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256
            )
            key = salted.derive_key()
            signer = Signer(key, key_derivation="none", algorithm=_HmacSha256(key))
            self._signers[purpose, key_id] = signer
        return signer


@lru_cache(maxsize=FORM_IDS)
def form_id(form: str) -> bytes:
    """Name a form in eight bytes."""
    return hashlib.blake2b(form.encode(), digest_size=8).digest()


def _flags(after: Token | None, *, doubtful: bool, challenged: bool, work: int) -> int:
    """Put doubts and work into one byte; what a lineage was asked for once stays with it."""
    if after is not None:
        doubtful, challenged = doubtful or after.doubtful, challenged or after.challenged
        work = max(work, after.work)
    level = min(max(work, 0), MAX_WORK) << WORK_SHIFT
    return (DOUBTFUL if doubtful else 0) | (CHALLENGED if challenged else 0) | level


def _key_id(secret: str) -> str:
    """Name a key without telling anything of it."""
    return _encode(hashlib.blake2b(secret.encode(), digest_size=6, person=b"fw key id").digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
