"""The course of a kept inquiry: its endpoint runs once, and how that ended is written down (G21)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.judge import ENDPOINT_LEASE_S, Judged
from formwarden.scoring import Action
from formwarden.stores.journal import Journal
from formwarden.stores.journal_lines import Move
from formwarden.stores.ports import Inquiry, State, Store

ENDPOINT_FAILED: Final = "endpoint failed"
POLL_S: Final = 0.1  # how often a second click looks for the first one's answer
REDIRECTION: Final = 300
CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500
DEATH_GRACE_S: Final = 2.0
SENT_ON: Final = frozenset({307, 308})  # the same body comes again, to another address (RFC 9110 section 15.4.8)


class Next(StrEnum):
    """What is to be done with a kept submission."""

    RUN = "run"  # the endpoint may see it
    ANSWER = "answer"  # the first run's status and Location
    THANKS = "thanks"
    ASK = "ask"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step of a submission, and the first run's answer where there is one."""

    next: Next
    judged: Judged
    answer: tuple[int, str] | None = None


FIRST: Final = {
    Action.ACCEPT: Next.RUN,
    Action.ASK: Next.ASK,
    Action.QUARANTINE: Next.THANKS,
    Action.REJECT: Next.REJECT,
}


class Course:
    """Decides whether the endpoint runs, and records its end."""

    def __init__(self, *, store: Store, journal: Journal, clock: Clock, faults: Faults, retry_wait_s: float) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._faults = faults
        self._retry_wait_s = retry_wait_s

    async def begin(self, judged: Judged) -> Step:
        """Say what comes next; a second click of the same submission waits for the first one's answer."""
        if judged.existing is None:
            return Step(next=FIRST[judged.verdict.action], judged=judged)
        try:
            return await self._again(judged, judged.existing)
        except StoreError as error:
            self._faults.count("inquiries", str(error))
            return Step(next=Next.THANKS, judged=judged)  # it is kept: running it twice would be worse

    async def _again(self, judged: Judged, first: Inquiry) -> Step:
        end = self._clock.monotonic() + self._retry_wait_s
        while True:
            if _may_run_again(first, self._clock.now()):
                if await self._take_over(first):
                    return Step(next=Next.RUN, judged=_for_another_run(judged, first))
                first = await self._store.inquiries.get(first.id) or first  # another click runs it: wait for that one
            if first.state is not State.ACCEPTED or self._clock.monotonic() >= end:
                break
            await self._clock.sleep(POLL_S)
            first = await self._store.inquiries.get(first.id) or first
        match first.state:
            case State.ASKED:
                return Step(next=Next.ASK, judged=judged)
            case State.REJECTED:
                return Step(next=Next.REJECT, judged=judged)
            case State.DONE if first.answer is not None:
                return Step(next=Next.ANSWER, judged=judged, answer=first.answer)
        return Step(next=Next.THANKS, judged=judged)

    async def _take_over(self, first: Inquiry) -> bool:
        return await self._store.inquiries.move(
            first.id, expect={first.state}, to=State.ACCEPTED, note="run again", lease_s=ENDPOINT_LEASE_S
        )

    async def ended(self, judged: Judged, status: int, location: str, *, shown_again: bool = False) -> None:
        """Record the endpoint's response: below 400 done, 4xx refused by the site, else held.

        A page that shows the form again is a refusal, too: frameworks answer 200 then. A response that sends
        the body on to another address has not taken it: the next address runs, or the owner sees it.
        """
        if status >= SERVER_ERROR:
            return await self.failed(judged, str(status))
        if status in SENT_ON:
            return await self._move(judged, State.HELD, f"{ENDPOINT_FAILED}: sent on ({status})", None)
        refused = status >= CLIENT_ERROR or (shown_again and status < REDIRECTION)
        if not refused:
            return await self._move(judged, State.DONE, "", (status, location))
        await self._move(judged, State.REFUSED, f"refused by the site: {status}", (status, location))
        return await self.forget(judged)

    async def failed(self, judged: Judged, why: str) -> None:
        """Record that the endpoint raised, answered 5xx, was cancelled or gave no answer: held, shown, released."""
        self._faults.count("endpoint", why)
        await self._move(judged, State.HELD, f"{ENDPOINT_FAILED}: {why}", None)

    async def forget(self, judged: Judged) -> None:
        """Take velocity and fingerprints back: a correction is never a duplicate."""
        try:
            await self._store.counters.forget(judged.observation)
        except StoreError as error:
            self._faults.count("counters", str(error))

    async def _move(self, judged: Judged, to: State, note: str, answer: tuple[int, str] | None) -> None:
        # HELD too: an endpoint slower than its lease was taken for dead, and has answered after all
        expect = frozenset({State.ACCEPTED} if to is State.HELD else {State.ACCEPTED, State.HELD})
        move = Move(inquiry=judged.inquiry.id, expect=expect, to=to, note=note, answer=answer)
        if judged.verdict.recorded:
            try:
                await self._store.inquiries.move(move.inquiry, expect=expect, to=to, note=note, answer=answer)
            except StoreError as error:
                self._faults.count("inquiries", str(error))
                await self._journal.move(move)
        elif self._journal.has(move.inquiry):  # else nobody knows of it: it was passed on
            await self._journal.move(move)  # behind the inquiry itself, and replayed in this order


def _may_run_again(first: Inquiry, now: float) -> bool:
    """Only after a 5xx, an exception or a death; or when the site itself did not take it (docs/decisions.md)."""
    if first.state is State.ACCEPTED:
        return now - first.changed_at > ENDPOINT_LEASE_S + DEATH_GRACE_S
    if first.state is State.HELD:
        return first.note.startswith(ENDPOINT_FAILED)
    return first.state is State.REFUSED


def _for_another_run(judged: Judged, first: Inquiry) -> Judged:
    """What a refusal took back from the counters is not there to be taken back once more."""
    if first.state is not State.REFUSED:
        return judged
    return replace(judged, observation=replace(judged.observation, tallies=(), prints=()))
