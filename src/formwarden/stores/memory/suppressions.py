"""The suppression list in memory."""

from formwarden.stores.outcomes import later, strongest
from formwarden.stores.ports import Key


class MemorySuppressions:
    """Causes and their ends by subject; the ledger holds the lock."""

    def __init__(self) -> None:
        self._causes: dict[Key, dict[str, float | None]] = {}

    def cause(self, subject: Key, now: float) -> str | None:
        """Return the strongest cause that stands against a subject now."""
        causes = self._causes.get(subject, {})
        standing = [cause for cause, until in causes.items() if until is None or until > now]
        return strongest(standing) if standing else None

    def causes(self, now: float) -> dict[Key, list[str]]:
        """Return every cause that stands now, by subject."""
        standing = {
            subject: [cause for cause, until in causes.items() if until is None or until > now]
            for subject, causes in self._causes.items()
        }
        return {subject: causes for subject, causes in standing.items() if causes}

    def add(self, subject: Key, cause: str, until: float | None) -> None:
        """Put a subject on the list, or keep it there longer."""
        causes = self._causes.setdefault(subject, {})
        causes[cause] = later(until, causes[cause]) if cause in causes else until

    def lift(self, subject: Key, now: float) -> bool:
        """Take a subject off the list; say whether it was on it."""
        stood = self.cause(subject, now) is not None
        self._causes.pop(subject, None)
        return stood

    def purge(self, now: float, limit: int) -> int:
        """Forget what is over; return how many, at most `limit`."""
        over = [
            (subject, cause)
            for subject, causes in self._causes.items()
            for cause, until in causes.items()
            if until is not None and until <= now
        ][: max(0, limit)]
        for subject, cause in over:
            del self._causes[subject][cause]
            if not self._causes[subject]:
                del self._causes[subject]
        return len(over)

    def standing(self) -> tuple[tuple[Key, str, float | None], ...]:
        """Return every cause, also those that are over."""
        return tuple((key, cause, until) for key, found in self._causes.items() for cause, until in found.items())

    def forget(self, subject: Key) -> int:
        """Forget all causes of a subject; return how many."""
        return len(self._causes.pop(subject, ()))
