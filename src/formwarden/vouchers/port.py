"""A voucher, as a port: one response of one visitor, one word about it."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from formwarden.facts import Vouched

__all__ = ["Claim", "Vouched", "Voucher", "VoucherError"]


class VoucherError(Exception):
    """No word came, and why: counted, *unknown*, held against nobody. The text must hold nothing of the visitor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a visitor's browser brought, and with what it came."""

    response: str  # the value of the voucher's field
    form: str
    host: str | None = None  # that was asked for
    client: IPv4Address | IPv6Address | None = None  # None: unknown


class Voucher(Protocol):
    """What is needed of one. It belongs to no event loop: tests and `warden.sync` ask from several."""

    @property
    def name(self) -> str:
        """What the owner reads, such as `turnstile`."""

    @property
    def field(self) -> str:
        """The field its widget adds to the form; it is taken out of what was typed."""

    def identity(self, response: str, /) -> bytes | None:
        """Return what is the same in every spelling of this response: it vouches for one form page only.

        None: unreadable; then it is asked about all the same, and nothing is remembered.
        """

    async def check(self, claim: Claim, /, *, timeout_s: float) -> Vouched:
        """Say what the response is worth; raises VoucherError where that cannot be found out."""
