"""A verdict made again from a kept inquiry, for its release."""

from dataclasses import dataclass
from typing import TypeVar

from formwarden.address.verify import AddressChecker
from formwarden.bodies import ParsedBody, TooManyFieldsError, UnreadableBodyError, UnsupportedBodyError, parse_body
from formwarden.scoring import Action, Hit, Standing, Verdict
from formwarden.stores.ports import Inquiry
from formwarden.submission import OWN_FIELDS, Fields

Word = TypeVar("Word", Action, Standing)


def parsed(inquiry: Inquiry) -> ParsedBody:
    """Read the kept body; empty where it is gone or cannot be read."""
    try:
        return parse_body(inquiry.content_type, inquiry.body or b"")
    except (UnreadableBodyError, UnsupportedBodyError, TooManyFieldsError):
        return ParsedBody(fields=Fields())


def typed_fields(inquiry: Inquiry) -> Fields:
    """Return what the visitor typed, ours and the traps removed; empty where the body is gone."""
    return _without_ours(inquiry, parsed(inquiry).fields)


def _without_ours(inquiry: Inquiry, fields: Fields) -> Fields:
    traps = inquiry.facts.get("traps")
    names = {str(name) for name in traps} if isinstance(traps, list) else set[str]()
    return fields.without(OWN_FIELDS | names)


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
            fields=_without_ours(inquiry, body.fields),
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
