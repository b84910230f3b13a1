"""A verdict made again from a kept inquiry, for its release."""

from dataclasses import dataclass
from typing import TypeVar

from formwarden.address.verify import AddressChecker
from formwarden.bodies import ParsedBody, TooManyFieldsError, UnreadableBodyError, UnsupportedBodyError
from formwarden.json_bodies import read_body
from formwarden.kept_files import chosen
from formwarden.scoring import Action, Hit, Standing, Verdict
from formwarden.stores.ports import Inquiry
from formwarden.submission import OWN_FIELDS, Fields

Word = TypeVar("Word", Action, Standing)


def parsed(inquiry: Inquiry) -> ParsedBody:
    """Read the kept body; empty where it is gone or cannot be read."""
    try:
        return read_body(inquiry.content_type, inquiry.body or b"")
    except (UnreadableBodyError, UnsupportedBodyError, TooManyFieldsError):
        return ParsedBody(fields=Fields())


def typed_fields(inquiry: Inquiry) -> Fields:
    """Return what the visitor typed, ours and the traps removed; empty where the body is gone."""
    return parsed(inquiry).fields.without(own_names(inquiry))


def typed(inquiry: Inquiry) -> tuple[Fields, tuple[str, ...]]:
    """Return what the visitor typed, and the names of the files that came with it."""
    body = parsed(inquiry)
    return body.fields.without(own_names(inquiry)), tuple(each.filename for each in chosen(body.uploads))


def own_names(inquiry: Inquiry) -> frozenset[str]:
    """Name the fields that are ours: the hidden ones, and the traps of the page that was sent."""
    traps = inquiry.facts.get("traps")
    return OWN_FIELDS.union(str(name) for name in traps) if isinstance(traps, list) else OWN_FIELDS


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Makes verdicts of kept inquiries; the address is looked up anew."""

    checker: AddressChecker

    async def verdict(self, inquiry: Inquiry, *, released: bool) -> Verdict:
        """Return the verdict the endpoint gets at a release; `released`: by the owner's hand."""
        body = parsed(inquiry)
        facts = inquiry.facts
        return Verdict(
            id=inquiry.id,
            receipt=inquiry.receipt,
            form=inquiry.form,
            action=Action.ACCEPT,
            judged=_read(Action, facts.get("judged", Action.ACCEPT), Action.REJECT),
            score=inquiry.score,
            hits=tuple(
                Hit(signal=name, group="", points=points, strength=1.0, evidence=inquiry.evidence.get(name, ""))
                for name, points in inquiry.hits.items()
            ),
            standing=_read(Standing, facts.get("standing"), Standing.DOUBTFUL) if released else Standing.DOUBTFUL,
            fields=body.fields.without(own_names(inquiry)),
            uploads=body.uploads,
            address=inquiry.recipient,
            report=await self.checker.verify(inquiry.recipient) if inquiry.recipient else None,
            language=str(facts.get("language", "en")),
            lineage=inquiry.lineage,
            received_at=inquiry.received_at,
            released=released,
        )


def _read(kind: type[Word], value: object, worst: Word) -> Word:
    """Read a word that was written down, the worst where another release wrote another."""
    try:
        return kind(str(value))
    except ValueError:
        return worst
