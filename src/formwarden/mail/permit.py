"""A reply that the caller sends with a mailer of his own, under the same gate and budgets (G17)."""

import asyncio
import smtplib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from formwarden.address.syntax import check_syntax
from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.refusals import Effect, against_us, classify
from formwarden.mail.sender import SendResult, SendState
from formwarden.mail.settling import outcome_of
from formwarden.mail.smtp import masked
from formwarden.mail.watched import Watched
from formwarden.stores.breaking import DEFAULT, Breaking
from formwarden.stores.ports import Ledger, Outcome, OutcomeKind

PERMIT_LEASE_S: Final = 600.0  # a block that takes longer counts as lost: the slot stays spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What the gate gave; without a `reply_id` nothing."""

    code: str
    reply_id: bytes | None = None
    canonical: str | None = None  # of the one recipient it was given for
    group: str = ""  # the provider group that may speak of us
    watched: Watched = field(default_factory=Watched)


class Permit:
    """`async with` it: `granted` says whether one mail may be sent. Leaving by whatever way keeps the slot spent.

    A response exception of smtplib or aiosmtplib that passes through is settled as what the relay said, and goes on.
    """

    def __init__(
        self,
        take: Callable[[], Awaitable[Taken]],
        *,
        ledger: Ledger,
        clock: Clock,
        faults: Faults,
        breaking: Breaking = DEFAULT,
    ) -> None:
        self._take = take
        self._ledger = ledger
        self._clock = clock
        self._faults = faults
        self._breaking = breaking
        self._taken = Taken(code="NOT_ENTERED")
        self._refunded = False

    @property
    def granted(self) -> bool:
        """Whether one mail may be sent now."""
        return self._taken.reply_id is not None

    @property
    def code(self) -> str:
        """OK, or what stood against it."""
        return self._taken.code

    def refund(self) -> None:
        """Give the slot back when the block is left: only where nothing can have left (no connection)."""
        self._refunded = True

    async def __aenter__(self) -> Self:
        self._taken = await self._take()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        reply_id = self._taken.reply_id
        if reply_id is None:
            return
        # A task of its own: it goes on where the caller is cancelled, and cancelled again while it waits here.
        settling = asyncio.ensure_future(self._settle(self._outcome(reply_id, error)))
        await asyncio.shield(settling)

    def _outcome(self, reply_id: bytes, error: BaseException | None) -> Outcome:
        effect = self._effect(error)
        evidence = b"permit " + reply_id
        return outcome_of(
            effect,
            reply_id=reply_id,
            evidence=evidence,
            watched=self._taken.watched,
            breaking=self._breaking,
        )

    def _effect(self, error: BaseException | None) -> Effect:
        said = _said(error, self._taken.canonical) if error is not None else None
        if said is not None and not said.early:  # whatever the caller says, it went as far as RCPT
            return classify(said.refusal, now=self._clock.now(), group=self._taken.group)
        if self._refunded:
            return Effect(kind=OutcomeKind.REFUNDED, reason="refunded by the caller")
        if said is not None:  # about us, whatever the code
            return against_us(said.refusal, group=self._taken.group)
        if error is not None:
            return Effect(kind=OutcomeKind.LOST, reason=f"the block was left by {type(error).__name__}")
        return Effect(kind=OutcomeKind.SENT, reason="sent by the caller")

    async def _settle(self, outcome: Outcome) -> None:
        try:
            await self._ledger.settle(outcome)
        except StoreError as error:  # its lease runs out and it is LOST: spent all the same
            self._faults.count("ledger", str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    code: int
    text: str
    early: bool = False  # before RCPT

    @property
    def refusal(self) -> SendResult:
        """The answer as a sender of ours would tell it."""
        return SendResult(state=SendState.REFUSED, code=self.code, text=self.text)


def _said(error: BaseException, canonical: str | None) -> _Said | None:
    """Read the relay's answer to our recipient out of an exception; None where there is none in it."""
    answers = _smtplib_recipients(error) or _aiosmtplib_recipients(error)
    for address, code, text in answers:
        if (
            check_syntax(address).canonical == canonical
        ):  # a refused colleague's address must not suppress a stranger's
            return _Said(code=code, text=masked(text, address))
    return None if answers else _smtplib_said(error) or _aiosmtplib_said(error)


def _smtplib_recipients(error: BaseException) -> list[tuple[str, int, str]]:
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return []
    return [(address, code, _text(text)) for address, (code, text) in error.recipients.items()]


def _aiosmtplib_recipients(error: BaseException) -> list[tuple[str, int, str]]:
    import aiosmtplib

    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        return [(error.recipient, error.code, error.message)]
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return [(each.recipient, each.code, each.message) for each in error.recipients]
    return []


def _smtplib_said(error: BaseException) -> _Said | None:
    if not isinstance(error, smtplib.SMTPResponseException):
        return None
    early = (
        smtplib.SMTPConnectError,
        smtplib.SMTPHeloError,
        smtplib.SMTPAuthenticationError,
        smtplib.SMTPSenderRefused,
    )
    return _Said(code=error.smtp_code, text=masked(_text(error.smtp_error)), early=isinstance(error, early))


def _aiosmtplib_said(error: BaseException) -> _Said | None:
    import aiosmtplib

    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return None
    early = (
        aiosmtplib.SMTPConnectResponseError,
        aiosmtplib.SMTPHeloError,
        aiosmtplib.SMTPAuthenticationError,
        aiosmtplib.SMTPSenderRefused,
    )
    return _Said(code=error.code, text=masked(error.message), early=isinstance(error, early))


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
