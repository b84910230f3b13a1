"""What others say of the visitor: lists of abusive networks, and vouchers. Asked last, at once, in one deadline."""

import asyncio
from dataclasses import dataclass
from typing import Final

from formwarden.blocklists import Blocklists
from formwarden.facts import BlocklistFacts, Deadline, VoucherFacts, gather
from formwarden.faults import Faults
from formwarden.reading import Reading
from formwarden.stores.ports import Observed
from formwarden.vouchers.asking import Vouchers


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What they said; nothing where nobody was asked."""

    blocklists: BlocklistFacts | None = None
    vouchers: tuple[VoucherFacts, ...] = ()


NOBODY_ASKED: Final = Told()


class Outside:
    """Asks all of them; `dns_s` is how long a list may take."""

    def __init__(self, blocklists: Blocklists, vouchers: Vouchers, *, dns_s: float, faults: Faults) -> None:
        self._blocklists = blocklists
        self._vouchers = vouchers
        self._dns_s = dns_s
        self._faults = faults

    async def ask(self, reading: Reading, observed: Observed | None, deadline: Deadline) -> Told:
        """Ask about one submission."""
        if not self._blocklists and not self._vouchers:
            return NOBODY_ASKED
        ip = reading.client.ip
        asking = self._blocklists.ask(ip, timeout_s=min(self._dns_s, deadline.left_s()))
        lists, vouchers = await asyncio.gather(
            gather("blocklists", asking, deadline, self._faults),
            self._vouchers.ask(
                reading.presented,
                observed,
                deadline,
                form=reading.form.name,
                host=reading.submission.host,
                client=ip,
            ),
        )
        return Told(blocklists=lists, vouchers=vouchers)
