"""The page behind the link in a mail: who reads that mailbox stops our mail to it, and no other (R23, G13)."""

from typing import Final

from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.stop_links import STOP_PATH, StopLinks
from formwarden.page.issuing import IssueLimit
from formwarden.page.pages import OurPages
from formwarden.stores.ports import Ledger
from formwarden.submission import Answer, Client

CAUSE: Final = "stop"  # on the suppression list; stands until the owner takes it off
CLICKS: Final = 30  # of one network in ten minutes: a company whose staff got one mail each
SHOWING: Final = frozenset({"GET", "HEAD"})
DOWN: Final = 503
TOO_MANY: Final = 429
NOBODY: Final = b""  # all whose network is unknown share one limit


class Stopping:
    """Shows the page, and suppresses an address when its button is pressed; `links` is None without a public URL.

    Only the button counts: programs that look at links before people do change nothing. A link that is altered, old
    or somebody else's gets the same pages, so they tell nothing. No breaker hears of it (G13).
    """

    def __init__(
        self,
        links: StopLinks | None,
        *,
        ledger: Ledger,
        pages: OurPages,
        limit: IssueLimit,
        prefix: str,
        contact: str | None,
        faults: Faults,
    ) -> None:
        self._links = links
        self._ledger = ledger
        self._pages = pages
        self._limit = limit
        self._path = prefix + STOP_PATH
        self._contact = contact
        self._faults = faults

    def is_ours(self, path: str) -> bool:
        """Tell whether this is the path of such a link."""
        return self._links is not None and path.startswith(self._path)

    async def answer(self, path: str, method: str, client: Client, language: str) -> Answer | None:
        """Answer a request for the path of a link; None: it is not ours."""
        if self._links is None or not path.startswith(self._path):
            return None
        if method in SHOWING:
            return self._pages.stop(language)
        return await self._stop(self._links, path, client, language) if method == "POST" else None

    async def _stop(self, links: StopLinks, path: str, client: Client, language: str) -> Answer:
        network = client.network or NOBODY
        if not self._limit.take(network):
            answer = self._pages.error(TOO_MANY, language, self._contact)
            answer.headers["retry-after"] = self._limit.refusal(network).headers()["retry-after"]
            return answer
        recipient = links.read(path.removeprefix(self._path))
        try:
            if recipient is not None:
                await self._ledger.suppress(recipient, cause=CAUSE, until=None)
        except StoreError as error:
            self._faults.count("ledger", str(error))
            return self._pages.error(DOWN, language, self._contact)
        return self._pages.stopped(language)
