"""Which kept inquiries came from one person, and which only name it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from formwarden.address.syntax import check_syntax
from formwarden.desk.rebuild import parsed
from formwarden.stores.archive import KeptInquiry, Record
from formwarden.stores.ports import Inquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An address in every spelling that reaches the same mailbox."""

    text: str
    canonical: str | None  # None: it is no address that mail could go to, so nothing was ever hashed for it

    @staticmethod
    def of(address: str) -> "Person":
        """Read an address as it was typed."""
        return Person(text=address.strip().casefold(), canonical=check_syntax(address).canonical)

    def is_it(self, text: str) -> bool:
        """Say whether a text is this address, and nothing else."""
        text = text.strip()
        if text.casefold() == self.text:
            return True
        return self.canonical is not None and "@" in text and check_syntax(text).canonical == self.canonical

    def sent(self, inquiry: Inquiry, fields: Collection[str]) -> bool:
        """Say whether an inquiry came from this address: by its recipient, or by what stands in these fields."""
        if inquiry.recipient is not None and self.is_it(inquiry.recipient):
            return True
        body = parsed(inquiry)
        readings = [body.fields, *([body.alternative] if body.alternative is not None else [])]
        return any(self.is_it(text) for read in readings for name in fields for text in read.all(name))

    def named_in(self, inquiry: Inquiry) -> bool:
        """Say whether the address stands anywhere in an inquiry, also where its body cannot be read."""
        body = (inquiry.body or b"").lower()
        return any(text.encode("utf-8", "replace") in body for text in (self.text, quote(self.text).lower()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Ids of inquiries that a person sent, and receipts of others that name it."""

    sent: frozenset[bytes]
    mentions: tuple[str, ...]


def find(records: Iterable[Record], person: Person, fields: Collection[str]) -> Found:
    """Look through everything that is kept in clear."""
    sent, mentions = set[bytes](), []
    for record in records:
        if not isinstance(record, KeptInquiry):
            break  # inquiries come first
        if person.sent(record.inquiry, fields):
            sent.add(record.inquiry.id)
        elif person.named_in(record.inquiry):
            mentions.append(record.inquiry.receipt)
    return Found(sent=frozenset(sent), mentions=tuple(mentions))
