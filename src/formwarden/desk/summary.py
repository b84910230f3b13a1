"""The weekly summary, also where nothing was held: what changes slowly shows here only (G10, G25)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from formwarden.clock import Clock
from formwarden.desk.bulletins import DAY_S, FIRST_MONDAY, WEEK_DAYS, Language, Letter, Moments, spoken
from formwarden.desk.summary_words import WORDS, SummaryWords
from formwarden.mail.compose import received_text
from formwarden.mail.smtp import masked
from formwarden.mail.staff_mail import shown_name
from formwarden.stores.ports import Breaker, Day, Newcomers, State, Store
from formwarden.stores.statistics import Figures
from formwarden.stores.telling import Mailed

CODES_SHOWN: Final = 3
SAID: Final = 300  # characters of a refusal that are quoted
REPLIED: Final = frozenset({"sent"})
ACCEPTED: Final = frozenset({State.ACCEPTED, State.DONE, State.REFUSED})
"""Refused by the site's own validation is accepted by us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The figures of one summary."""

    until: float
    figures: Figures
    days: tuple[Day, ...]
    newcomers: Newcomers
    mailed: Mailed
    refusal: str | None
    breakers: tuple[Breaker, ...]

    def text(self, language: str, words: SummaryWords) -> str:
        """Write it in one language."""
        known = sum(day.known for day in self.days)
        lines = (
            words.head.format(until=received_text(self.until, language)),
            "",
            words.inquiries.format(**self.inquiries),
            *((words.off,) if self.figures.replies_off else ()),
            words.replies.format(**self.replies(words)),
            words.newcomers.format(week=self.newcomers.week, before=_mean(self.newcomers.before, words)),
            words.domains.format(
                domains=self.mailed.domains, new=self.mailed.new, before=f"{self.mailed.before:.1f}"
            ),
            words.bounces.format(
                known=known,
                hard=sum(day.hard for day in self.days),
                complaints=sum(day.complaints for day in self.days),
                alarms=sum(day.alarms for day in self.days),
            ),
            words.refusal.format(said=quoted(self.refusal)) if self.refusal else words.no_refusal,
            self._stopped(language, words),
            words.staff.format(waiting=self.figures.staff_waiting),
            "",
            words.foot,
        )
        return "\n".join(lines)

    @property
    def inquiries(self) -> Mapping[str, int]:
        """What came, by where it stands now."""
        by_state = Counter[str]()
        for each in self.figures.inquiries:
            by_state[each.state] += each.week
        return {
            "came": sum(by_state.values()),
            "accepted": sum(by_state[state] for state in ACCEPTED),
            "held": by_state[State.HELD] + by_state[State.ASKED],
            "rejected": by_state[State.REJECTED],
            "released": by_state[State.RELEASED] + by_state[State.RELEASING],
            "discarded": by_state[State.DISCARDED],
        }

    def replies(self, words: SummaryWords) -> Mapping[str, object]:
        """What became of the auto-replies; `codes` are the commonest reasons for none."""
        by_state, codes = Counter[str](), Counter[str]()
        for each in self.figures.replies:
            by_state[each.state] += each.week
            if each.state in {"suppressed", "dropped"}:
                codes[each.code] += each.week
        common = ", ".join(f"{code} {times}" for code, times in codes.most_common(CODES_SHOWN))
        return {
            "sent": by_state["sent"],
            "waiting": by_state["held"],
            "refused": by_state["refused"],
            "without": sum(codes.values()),
            "codes": common or words.unknown if codes else "-",
        }

    def _stopped(self, language: str, words: SummaryWords) -> str:
        if not self.breakers:
            return words.nothing_stopped
        each = (
            words.until_mended.format(label=one.label or words.unknown)
            if one.until is None
            else words.until.format(label=one.label or words.unknown, until=received_text(one.until, language))
            for one in self.breakers
        )
        return words.stopped.format(stopped=", ".join(each))


class Summary:
    """One kind of bulletin."""

    name = "summary"

    def __init__(self, store: Store, *, hour: int, language: Language, public_url: str | None, clock: Clock) -> None:
        self._store = store
        self._language = language
        self._public_url = public_url
        self._clock = clock
        self.moments = Moments(hour=hour, days=WEEK_DAYS, first_day=FIRST_MONDAY)

    async def write(self, until: float, /) -> Letter | None:
        """Write the summary of the week that ended there."""
        week = await self._week(until)
        languages = spoken(self._language)
        texts = [week.text(each, WORDS[each]) for each in languages]
        subject = WORDS[languages[0]].subject
        figures = {**week.inquiries, **week.replies(WORDS["en"])}
        link = (self._public_url,) if self._public_url else ()
        return Letter(subject=subject.format(**figures), text="\n\n".join((*texts, *link)))

    async def sent(self) -> None:
        """Note nothing: a summary marks no inquiry."""

    async def _week(self, until: float) -> Week:
        today = int(until // DAY_S)
        days: list[Day] = []
        newcomers = Newcomers()
        for day in range(today - WEEK_DAYS, today):
            one, newcomers, _ = await self._store.measures.measure(day)
            days.append(one)
        late_s = max(0.0, self._clock.now() - until)
        return Week(
            until=until,
            figures=await self._store.statistics.read(),
            days=tuple(days),
            newcomers=newcomers,
            mailed=await self._store.telling.mailed(),
            refusal=await self._store.telling.refusal(WEEK_DAYS * DAY_S + late_s),
            breakers=tuple(await self._store.measures.breakers()),
        )


def quoted(said: str) -> str:
    """Return what a relay said on one line, without any address in it."""
    return shown_name(masked(" ".join(said.split()))[:SAID])


def _mean(weeks: tuple[int, ...], words: SummaryWords) -> str:
    return f"{sum(weeks) / len(weeks):.1f}" if weeks else words.unknown
