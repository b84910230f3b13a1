"""Reservations as the gate asks for them: each another person's, over one budget a scope."""

from itertools import count
from typing import Final

from formwarden.stores.ports import Decision, Key, ReplyRequest, Spend

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
APART_S: Final = 72.0  # fifty replies an hour: as many as the shared budgets have to count each time
SHARED: Final = 60  # the limit of what everybody draws on: never spent at this pace
DOMAINS: Final = 5_000


class Requests:
    """Gives one request after another, and the time it is made at."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._numbers = count()
        self._start = start

    def next(self) -> tuple[ReplyRequest, float]:
        """Return the next person's reservation."""
        number = next(self._numbers)
        own = b"%016d" % (number * 7_919 % 10_000_000_019)  # spread over the tables, as hashes are
        scopes = (
            Spend(budget="DUP_24H", keys=(Key(b"\x01a" + own),), window_s=DAY_S, limit=1),
            Spend(budget="IP_RATE", keys=(Key(b"\x01c" + own),), window_s=HOUR_S, limit=6),
            Spend(budget="NETWORK_RATE", keys=(Key(b"\x01n" + own),), window_s=HOUR_S, limit=10),
            Spend(budget="DOMAIN_RATE", keys=(Key(b"\x01d%016d" % (number % DOMAINS)),), window_s=HOUR_S, limit=3),
            Spend(budget="PROVIDER_RATE", keys=(Key(b"\x01p" + bytes(16)),), window_s=HOUR_S, limit=SHARED),
            Spend(budget="FORM_RATE", keys=(Key(b"\x01f" + bytes(16)),), window_s=HOUR_S, limit=SHARED),
            Spend(budget="SITE_RATE", keys=(Key(b"\x01s" + bytes(16)),), window_s=HOUR_S, limit=SHARED),
        )
        request = ReplyRequest(
            reply_id=own[::-1] + b"r",
            submission_id=own[::-1],
            decision=Decision.SEND,
            code="OK",
            spends=scopes,
            subjects=tuple(spend.keys[0] for spend in scopes[:2]),
        )
        return request, self._start + number * APART_S
