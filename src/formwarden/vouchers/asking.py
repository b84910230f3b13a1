"""Asks the vouchers: each response vouches for one page of ours, whoever else would accept it again."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from formwarden.facts import Deadline, Vouched, VoucherFacts, gather
from formwarden.faults import Faults, bug
from formwarden.stores.ports import Observed
from formwarden.submission import Fields
from formwarden.vouchers.port import Claim, Voucher, VoucherError

KEY_BYTES: Final = 16
RESPONSE_CHARS: Final = 8_192  # of a response; Turnstile's has 2,048 at most, ALTCHA's below 1,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """One response that came, and how it stands in the counters: everywhere, and on this very page."""

    response: str
    anywhere: bytes | None = None
    here: bytes | None = None


class Vouchers:
    """All vouchers of a warden. They are asked at once, and each may fail without harm."""

    def __init__(self, vouchers: Sequence[Voucher], *, key: bytes, faults: Faults) -> None:
        self._vouchers = tuple(vouchers)
        self._key = key
        self._faults = faults
        self.fields = frozenset(each.field for each in vouchers)

    def __bool__(self) -> bool:
        return bool(self._vouchers)

    def read(self, sent: Fields, nonce: bytes | None) -> tuple[Presented, ...]:
        """Take the responses out of what was sent, one for each voucher."""
        return tuple(self._read(each, sent.get(each.field, "").strip(), nonce) for each in self._vouchers)

    async def ask(
        self,
        presented: Sequence[Presented],
        observed: Observed | None,
        deadline: Deadline,
        *,
        form: str,
        host: str | None,
        client: IPv4Address | IPv6Address | None,
    ) -> tuple[VoucherFacts, ...]:
        """Ask about each response that came, all at once."""
        claims = [Claim(response=each.response, form=form, host=host, client=client) for each in presented]
        words = await asyncio.gather(
            *(
                self._ask(voucher, claim, each, observed, deadline)
                for voucher, claim, each in zip(self._vouchers, claims, presented, strict=True)
            )
        )
        return tuple(
            VoucherFacts(name=voucher.name, word=word) for voucher, word in zip(self._vouchers, words, strict=True)
        )

    def _read(self, voucher: Voucher, response: str, nonce: bytes | None) -> Presented:
        if not response or len(response) > RESPONSE_CHARS:
            return Presented(response=response)
        try:
            identity = voucher.identity(response)
        except Exception as error:  # noqa: BLE001 - a voucher's own bug must lose nobody an inquiry; it is counted
            self._faults.count(f"voucher {voucher.name}", bug(error))
            identity = None
        if identity is None:
            return Presented(response=response)
        anywhere = self._digest(voucher, identity)
        here = None if nonce is None else self._digest(voucher, identity, nonce)
        return Presented(response=response, anywhere=anywhere, here=here)

    async def _ask(
        self, voucher: Voucher, claim: Claim, presented: Presented, observed: Observed | None, deadline: Deadline
    ) -> Vouched:
        if not claim.response:
            return Vouched.ABSENT
        if len(claim.response) > RESPONSE_CHARS:
            return Vouched.FAILED
        if _is_used_elsewhere(presented, observed):
            return Vouched.REUSED
        try:
            checking = voucher.check(claim, timeout_s=deadline.left_s())
            word = await gather(f"voucher {voucher.name}", checking, deadline, self._faults)
        except VoucherError as error:
            self._faults.count(f"voucher {voucher.name}", str(error))
            return Vouched.UNKNOWN
        except Exception as error:  # noqa: BLE001 - as above
            self._faults.count(f"voucher {voucher.name}", bug(error))
            return Vouched.UNKNOWN
        if word is Vouched.SOLVED and observed is None:
            return Vouched.UNKNOWN  # whether it was used before is unknown, too
        return word or Vouched.UNKNOWN

    def _digest(self, voucher: Voucher, identity: bytes, nonce: bytes = b"") -> bytes:
        digest = hashlib.blake2b(key=self._key, digest_size=KEY_BYTES)
        for part in (voucher.name.encode(), identity, nonce):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()


def prints_of(presented: Sequence[Presented]) -> tuple[bytes, ...]:
    """Name what the counters are to remember of the responses."""
    keys = (key for each in presented for key in (each.anywhere, each.here))
    return tuple(key for key in keys if key is not None)


def _is_used_elsewhere(presented: Presented, observed: Observed | None) -> bool:
    """Tell whether it came before with another page: a correction of the same page brings it again."""
    if observed is None or presented.anywhere is None:
        return False
    here = 0 if presented.here is None else observed.seen.get(presented.here, 0)
    return observed.seen.get(presented.anywhere, 0) > here
