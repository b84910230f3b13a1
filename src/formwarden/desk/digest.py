"""The digest: what is held and nobody was told of, one line a campaign, the likeliest to be a person first (G23)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from formwarden.desk.bulletins import Language, Letter, Moments, spoken
from formwarden.desk.digest_words import WORDS
from formwarden.desk.rebuild import typed_fields
from formwarden.forms import GuardedForm
from formwarden.mail.likeness import in_groups
from formwarden.mail.staff_mail import shown_name, typed_address
from formwarden.stores.ports import Inquiries, Inquiry, State
from formwarden.stores.statistics import Statistics
from formwarden.stores.telling import Telling
from formwarden.submission import Fields

LINES: Final = 30  # G23
CANDIDATES: Final = 300  # of the lowest scores: their campaigns fill the lines
STEP: Final = 500  # inquiries in one transaction
STEPS: Final = 400  # 200,000 a day; what is beyond stands in the next one
WORDS_SHOWN: Final = 60  # characters of a text
ADDRESS_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One campaign, by the one of it with the lowest score."""

    inquiry: Inquiry
    alike: int  # others among those that were looked at

    def text(self, form: GuardedForm | None, fields: Fields) -> str:
        """Return it on one line, whatever was typed."""
        address = typed_address(form, fields) or "-"
        said = " ".join(_message(form, fields).split())[:WORDS_SHOWN]
        more = f"  (+{self.alike})" if self.alike else ""
        parts = (self.inquiry.form, self.inquiry.receipt, address[:ADDRESS_SHOWN], said)
        return f"{self.inquiry.score:5.1f}  " + "  ".join(shown_name(each) for each in parts) + more


class Digest:
    """One kind of bulletin."""

    name = "digest"

    def __init__(
        self,
        *,
        inquiries: Inquiries,
        telling: Telling,
        statistics: Statistics,
        forms: Mapping[str, GuardedForm],
        hour: int,
        language: Language,
        public_url: str | None,
    ) -> None:
        self._inquiries = inquiries
        self._telling = telling
        self._statistics = statistics
        self._forms = forms
        self._language = language
        self._public_url = public_url
        self.moments = Moments(hour=hour)

    async def write(self, until: float, /) -> Letter | None:  # noqa: ARG002 - whatever waits by now
        """Write the digest; None: nothing is held that was not told."""
        for _ in range(STEPS):
            if await self._telling.open_digest(STEP) < STEP:
                break
        held = await self._telling.digest(CANDIDATES)
        total = sum(held.by_form.values())
        if not total:
            return None
        lines = [await self._text(each) for each in campaigns(held.lowest)[:LINES]]
        rejected = sum(each.day for each in (await self._statistics.read()).inquiries if each.state == State.REJECTED)
        words = [WORDS[each] for each in spoken(self._language)]
        counts = ", ".join(f"{shown_name(form)} {number}" for form, number in held.by_form.items())
        parts = (
            *(each.head.format(total=total, lines=len(lines)) for each in words),
            "\n".join(lines),
            *(
                each.foot.format(total=total, counts=counts, rejected=rejected)
                + (f"\n{self._public_url}" if self._public_url else "")
                for each in words
            ),
        )
        return Letter(subject=words[0].subject.format(total=total), text="\n\n".join(parts))

    async def sent(self) -> None:
        """Note that everything in it was told."""
        for _ in range(STEPS):
            if await self._telling.close_digest(STEP) < STEP:
                break

    async def _text(self, line: Line) -> str:
        whole = await self._inquiries.get(line.inquiry.id)
        return line.text(self._forms.get(line.inquiry.form), typed_fields(whole or line.inquiry))


def campaigns(lowest: Sequence[Inquiry]) -> list[Line]:
    """Put together what is alike; the lowest score first."""
    lines = [Line(inquiry=group[0], alike=len(group) - 1) for group in in_groups(lowest)]
    return sorted(lines, key=lambda line: (line.inquiry.score, line.inquiry.received_at))


def _message(form: GuardedForm | None, fields: Fields) -> str:
    names = form.message if form is not None else ()
    return next((text for name in names for text in fields.all(name) if text.strip()), "")
