"""A memory store as an archive: for tests, and to move what one process holds into a file."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import RLock
from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import StoreError
from formwarden.stores.archive import (
    ENDED,
    ERASED_NOTE,
    KINDS,
    LINKS,
    OPEN_STATES,
    OTHER_KEYS,
    Erasure,
    KeptInquiry,
    KeptMark,
    KeptOutcome,
    KeptReply,
    KeptSuppression,
    RecipientKey,
    Record,
    counts_of,
    joined_keys,
)
from formwarden.stores.memory.archive_measures import add_measure, measures
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.ledger import MemoryLedger
from formwarden.stores.memory.replies import Reply, Shelves
from formwarden.stores.memory.room import Kept
from formwarden.stores.ports import Key, Staff, State

ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySnapshot:
    """What was there at one moment."""

    keys: Sequence[RecipientKey]
    all: Sequence[Record]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each of `KINDS` there are."""
        found = Counter[str]()
        for record in self.all:
            found.update(counts_of(record))
        return {kind: found[kind] for kind in KINDS}

    def records(self) -> Iterator[Record]:
        """Read one after another, in the order of `KINDS`."""
        return iter(self.all)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryArchive:
    """Everything of one memory store."""

    keys: list[RecipientKey]
    inquiries: MemoryInquiries
    ledger: MemoryLedger
    lock: RLock
    clock: Clock
    entropy: Entropy

    @contextmanager
    def snapshot(self) -> Iterator[MemorySnapshot]:
        """Hold one moment of the store until the block is left."""
        with self.lock:
            snapshot = MemorySnapshot(keys=tuple(self.keys), all=tuple(self._records()))
        yield snapshot

    def adopt(self, keys: Sequence[RecipientKey], /) -> None:
        """Take over the keys of what will be added; StoreError where they are not those of what is there."""
        with self.lock:
            empty = next(self._records(), None) is None
            if not empty and not joined_keys(self.keys, keys):
                raise StoreError(OTHER_KEYS)
            standing = () if empty and keys else tuple(self.keys)
            self.keys[:] = (*standing, *keys[len(standing) :])

    def add(self, records: Sequence[Record], /) -> int:
        """Add what is not there yet and leave what is; return how many were new."""
        with self.lock:
            return sum(self._add(record) for record in records)

    def replies_of(self, subjects: Collection[Key], inquiries: Collection[bytes], /) -> Mapping[bytes, KeptReply]:
        """Return by id the replies that went to these subjects, or that answer these inquiries."""
        with self.lock:
            shelves = self.ledger.shelves()
            names = {name for key in subjects for name in shelves.budgets.replies_at(key)}
            names |= {
                name
                for name, reply in shelves.replies.items()
                if reply.row.submission_id in inquiries or reply.recipient in subjects
            }
            return {name: self._reply(shelves.replies[name]) for name in names if name in shelves.replies}

    def erase(self, erasure: Erasure, /) -> Mapping[str, int]:
        """Erase what is named; return how many of what."""
        done = Counter[str](bodies=0, recipients=0, replies=0, outcomes=0)
        with self.lock:
            for name in erasure.inquiries:
                done.update(self._erase_inquiry(name))
            for name in erasure.replies:
                done.update(self._cut_loose(name))
            shelves = self.ledger.shelves()
            shelves.days.forget(erasure.subjects)
            for subject in erasure.subjects:
                shelves.known.pop(subject, None)
            if erasure.forget:
                done["suppressions"] = sum(shelves.suppressions.forget(subject) for subject in erasure.subjects)
                done["slots"] = sum(shelves.budgets.forget(subject) for subject in erasure.subjects)
        return done

    def close(self) -> None:
        """Do nothing: the store stays."""

    def _records(self) -> Iterator[Record]:
        for kept in self.inquiries.shelf().values():
            yield KeptInquiry(inquiry=kept.inquiry, staff_at=kept.staff_at)
        shelves = self.ledger.shelves()
        for reply in shelves.replies.values():
            yield self._reply(reply)
        yield from shelves.outcomes.values()
        for subject, cause, until in shelves.suppressions.standing():
            yield KeptSuppression(subject=subject, cause=cause, until=until)
        if shelves.feedback_seen:
            yield KeptMark(name="feedback_seen", at=self.clock.now())
        if shelves.days.first_at is not None:
            yield KeptMark(name="first_wanted", at=shelves.days.first_at)
        yield from measures(shelves)

    def _reply(self, reply: Reply) -> KeptReply:
        shelves, name = self.ledger.shelves(), reply.row.reply_id
        return KeptReply(
            row=reply.row,
            check_at=reply.check_at,
            due_at=reply.due_at,
            lease_until=reply.lease_until,
            spends=shelves.budgets.of(name),
            recipient=reply.recipient,
            wanted=reply.wanted,
            account=shelves.accounts.accounts.get(name),
            probe_of=shelves.accounts.probe_of(name),
        )

    def _add(self, record: Record) -> bool:
        """Add one record; False: it stands there already."""
        shelves = self.ledger.shelves()
        match record:
            case KeptInquiry():
                kept = Kept(inquiry=record.inquiry, lease_until=0.0, staff_at=record.staff_at)
                return self.inquiries.shelf().setdefault(record.inquiry.id, kept) is kept
            case KeptReply():
                return self._add_reply(record)
            case KeptOutcome():
                return shelves.outcomes.setdefault(record.id, record) is record
            case KeptSuppression():
                stands = {(subject, cause) for subject, cause, _ in shelves.suppressions.standing()}
                if (record.subject, record.cause) in stands:
                    return False
                shelves.suppressions.add(record.subject, record.cause, record.until)
                return True
            case KeptMark():
                return _add_mark(shelves, record)
            case _:
                return add_measure(shelves, record)

    def _add_reply(self, record: KeptReply) -> bool:
        shelves = self.ledger.shelves()
        name = record.row.reply_id
        if name in shelves.replies:
            return False
        shelves.replies[name] = Reply(
            row=record.row,
            check_at=record.check_at,
            due_at=record.due_at,
            lease_until=record.lease_until,
            recipient=record.recipient,
            wanted=record.wanted,
        )
        if record.account is not None:
            shelves.accounts.accounts[name] = record.account
        for subject in record.probe_of:
            shelves.accounts.take_place(subject, name)
        shelves.budgets.put(name, record.spends)
        return True

    def _erase_inquiry(self, name: bytes) -> Mapping[str, int]:
        kept = self.inquiries.shelf().get(name)
        if kept is None:
            return {}
        before = kept.inquiry
        kept.inquiry = replace(
            before,
            state=State.DISCARDED if before.state in OPEN_STATES else before.state,
            facts={fact: value for fact, value in before.facts.items() if fact not in LINKS},
            body=None,
            recipient=None,
            lineage=None,
            answer=None,
            note=ERASED_NOTE,
            staff=Staff.NONE if before.staff is Staff.DUE else before.staff,
            staff_note="",
        )
        return {"bodies": int(before.body is not None), "recipients": int(before.recipient is not None)}

    def _cut_loose(self, name: bytes) -> Mapping[str, int]:
        shelves = self.ledger.shelves()
        reply = shelves.replies.pop(name, None)
        if reply is None:
            return {}
        nobody, slots = self.entropy(ID_BYTES), shelves.budgets.of(name)
        state = ENDED.get(reply.row.state, reply.row.state)
        reply.row = replace(reply.row, reply_id=nobody, submission_id=self.entropy(ID_BYTES), state=state, last="")
        reply.recipient = None
        shelves.replies[nobody] = reply
        shelves.budgets.refund(name)
        shelves.budgets.put(nobody, slots)
        shelves.accounts.rename(name, nobody)
        about = [kept for kept in shelves.outcomes.values() if kept.reply_id == name]
        for kept in about:
            del shelves.outcomes[kept.id]
            cut = replace(kept, id=self.entropy(ID_BYTES), reply_id=nobody, reason="")
            shelves.outcomes[cut.id] = cut
        return {"replies": 1, "outcomes": len(about)}


def _add_mark(shelves: Shelves, mark: KeptMark) -> bool:
    if mark.name == "first_wanted":
        new = shelves.days.first_at is None
        shelves.days.first_at = mark.at if shelves.days.first_at is None else shelves.days.first_at
        return new
    new = not shelves.feedback_seen
    shelves.feedback_seen = True
    return new
