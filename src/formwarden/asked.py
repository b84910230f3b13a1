"""The asked inquiry that a submission answers: replaced by it, its files brought along (G22)."""

import asyncio
from dataclasses import dataclass
from typing import Final

from formwarden.bodies import MULTIPART, ParsedBody
from formwarden.entropy import Entropy
from formwarden.errors import StoreError
from formwarden.facts import Deadline, TokenOutcome, gather
from formwarden.faults import Faults
from formwarden.kept_files import BOUNDARY_BYTES, ResentBody, chosen, kept_files, with_files
from formwarden.reading import Reading
from formwarden.stores.ports import Inquiries, Inquiry, Observed, State
from formwarden.submission import URLENCODED

UNANSWERED: Final = "asked for another click, not answered"
# The page that asked may have lain open for a day; one that was spent elsewhere brings nothing along.
TRUSTED: Final = frozenset({TokenOutcome.FRESH, TokenOutcome.STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An asked inquiry, and what became of it with this answer."""

    inquiry: Inquiry
    files: ParsedBody | None  # what it had; None: nobody chose any

    def replaced_by(self, reading: Reading) -> bytes | None:
        """Name it where this submission has all that it had; one whose files did not come again stays."""
        if self.files is not None:
            there = {upload.field for upload in chosen(reading.submission.uploads)}
            if not there.issuperset(upload.field for upload in chosen(self.files.uploads)):
                return None
        return self.inquiry.id


class Asked:
    """Reads asked inquiries back once, and closes those that are answered late."""

    def __init__(self, *, inquiries: Inquiries, entropy: Entropy, body_limit: int, faults: Faults) -> None:
        self._inquiries = inquiries
        self._entropy = entropy
        self._body_limit = body_limit
        self._faults = faults

    async def answered(
        self, reading: Reading, outcome: TokenOutcome, observed: Observed | None, deadline: Deadline
    ) -> Answered | None:
        """Return the asked inquiry whose page this came from; None: from no such page, or it cannot be read.

        A correction of an answer is one, too: the page it came from says that the files are kept.
        """
        token = reading.token
        if token is None or token.parent is None or outcome not in TRUSTED or observed is None:
            return None
        inquiry = await gather("inquiries", self._inquiries.get(token.parent), deadline, self._faults)
        if inquiry is None or inquiry.form != reading.form.name:
            return None
        files = await _files_of(inquiry)
        if files is None and inquiry.facts.get("uploads"):
            return None  # they cannot be read, or are gone: what has them stays as it is
        return Answered(inquiry=inquiry, files=files)

    def resent(self, reading: Reading, answered: Answered) -> ResentBody | None:
        """Make the body that has the kept files beside what came now; None: none are to be brought along."""
        sent = reading.submission
        if answered.files is None or chosen(sent.uploads) or not _is_form(sent.content_type):
            return None  # files that were chosen now win
        limit = reading.form.limits.body or self._body_limit
        boundary = f"formwarden-{self._entropy(BOUNDARY_BYTES).hex()}"
        return with_files(sent.fields, answered.files, boundary=boundary, limit=limit)

    async def close(self, answered: Answered, receipt: str) -> None:
        """Take an inquiry that was held because nobody had answered out of the owner's way: now somebody has."""
        held = answered.inquiry
        if held.state is not State.HELD or held.note != UNANSWERED:
            return
        note = f"answered by {receipt}"
        try:
            await self._inquiries.move(held.id, expect={State.HELD}, to=State.DISCARDED, note=note)
        except StoreError as error:
            self._faults.count("inquiries", str(error))


async def _files_of(inquiry: Inquiry) -> ParsedBody | None:
    if inquiry.body is None or not inquiry.facts.get("uploads"):
        return None
    files = await asyncio.to_thread(kept_files, inquiry.content_type, inquiry.body)  # megabytes are parsed
    return files if chosen(files.uploads) else None


def _is_form(content_type: str) -> bool:
    """Say whether it is a body that files can stand in; JSON is no such."""
    return content_type.strip().lower().startswith((URLENCODED, MULTIPART))
