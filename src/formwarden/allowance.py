"""Bytes of bodies that one process holds: a bound for all of them together, and room left for who comes next."""

from typing import Final

from formwarden import forks

UNKNOWN: Final = b""  # clients whose network cannot be known count as one


class NoRoomError(Exception):
    """There is no room for this body now: the budget is spent, or the disk full."""


class Allowance:
    """Bytes of bodies that this process holds while their clients are still sending, and in files.

    The first body of a network may grow as long as there is room. With more than one, a network holds no more than
    what is still free: alone it gets half, and n of them leave one part in n + 1 to whoever comes next (dynamic
    thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998, with a factor of one).
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = forks.Lock()
        self._held = 0
        self._by_network: dict[bytes, int] = {}

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    @property
    def networks(self) -> int:
        """Networks that have bodies here now."""
        return len(self._by_network)

    def share(self, network: bytes | None = None) -> "Share":
        """Begin to count for one body of this network (None: it cannot be known)."""
        return Share(self, UNKNOWN if network is None else network)

    def _add(self, size: int, share: "Share", *, within: bool) -> bool:
        with self._lock:
            ours, free = self._by_network.get(share.network, 0), self.limit - self._held
            if within and (size > free or (ours > share.size and ours + size > free - size)):
                return False
            self._held += size
            self._by_network[share.network] = ours + size
            share.size += size
            return True

    def _free(self, share: "Share") -> None:
        with self._lock:
            self._held -= share.size
            left = self._by_network.pop(share.network, 0) - share.size
            if left > 0:
                self._by_network[share.network] = left
            share.size = 0


class Share:
    """What one body has of the allowance."""

    __slots__ = ("_allowance", "network", "size")

    def __init__(self, allowance: Allowance, network: bytes) -> None:
        self._allowance = allowance
        self.network = network
        self.size = 0

    def grow(self, size: int, *, within: bool) -> None:
        """Take more. `within`: no more than there is. Raises NoRoomError."""
        if not self._allowance._add(size, self, within=within):  # noqa: SLF001 - two halves of one thing
            raise NoRoomError(f"{self._allowance.limit} bytes are held for other bodies (FORMWARDEN_SPOOL_BUDGET)")

    def release(self) -> None:
        """Give all back."""
        self._allowance._free(self)  # noqa: SLF001 - as above
