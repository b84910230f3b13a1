"""Puts a warden together: every part gets through its constructor what it needs, and nothing else."""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

from formwarden.desk.bulletins import Bulletins
from formwarden.desk.holding import Holding
from formwarden.desk.overview import Overviews
from formwarden.desk.rebuild import Rebuilder
from formwarden.desk.release import Releases
from formwarden.desk.waiting import Waiting
from formwarden.judge import ENDPOINT_LEASE_S
from formwarden.mail.alarm import Alarms
from formwarden.mail.growing import Growing
from formwarden.mail.limits import read_limits
from formwarden.mail.outbox import Outbox
from formwarden.mail.staff_outbox import StaffOutbox
from formwarden.mailing_parts import MailingParts
from formwarden.stores.ports import Store
from formwarden.stores.replay import Replay
from formwarden.work import Task, Work

PACES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "journal": 5.0,
        "outbox": 0.5,
        "held": 5.0,
        "staff": 1.0,
        "waiting": 5.0,
        "purge": 30.0,
        "growth": 600.0,  # a drip is a matter of days, and a day is judged once
        "alarms": 15.0,
        "digest": 60.0,
    }
)  # seconds between the runs of each task that there is
PURGE_ROWS: Final = 500  # a step that holds the writer for milliseconds, not seconds
PURGE_STEPS: Final = 100  # while there is more: 1,600 rows a second go, faster than a machine's processes add them
BATCH: Final = 20
HOLDER_BYTES: Final = 8


class Parts(MailingParts):
    """Everything a warden hands on to, with what runs by itself."""

    def complete(self) -> "Parts":
        """Make everything now, so that what cannot be made is said at construction and no two threads make it."""
        self.lint.check(self._forms)
        _ = (self.judge, self.spools, self.course, self.answers, self.notices, self.overviews, self.stopping)
        return self

    @cached_property
    def releases(self) -> Releases:
        """Lets kept inquiries go."""
        return Releases(
            store=self.store,
            forms=self._forms,
            rebuilder=Rebuilder(self.checker),
            replies=self.replies,
            fallback=self._fallback,
            faults=self.faults,
        )

    @cached_property
    def overviews(self) -> Overviews:
        """Shows the owner what stands where."""
        return Overviews(
            store=self.store,
            journal=self.journal,
            replies=self.replies,
            limits=lambda: read_limits(self.store, self._settings.mail, self._clock),
            paces=self.work.paces,
            clock=self._clock,
            faults=self.faults,
        )

    @cached_property
    def work(self) -> Work:
        """Runs the periodic tasks."""
        replay = Replay(
            journal=self.journal,
            store=self.store,
            endpoint_lease_s=ENDPOINT_LEASE_S,
            clock=self._clock,
            faults=self.faults,
        )
        waiting = Waiting(store=self.store, releases=self.releases, clock=self._clock)
        return Work(
            (
                *_tasks(replay, self.outbox, waiting, self.store, holding=self.holding, staff=self.staff_outbox),
                *_cares(self.growing, self.alarms, self.bulletins),
            ),
            store=self.store,
            holder=self._entropy(HOLDER_BYTES).hex(),
            clock=self._clock,
            faults=self.faults,
        )


def _tasks(
    replay: Replay, outbox: Outbox, waiting: Waiting, store: Store, *, holding: Holding, staff: StaffOutbox
) -> tuple[Task, ...]:
    """List what runs by itself."""
    return (
        Task(name="journal", every_s=PACES["journal"], step=replay.step, most=BATCH),  # first: replies wait for it
        Task(name="outbox", every_s=PACES["outbox"], step=lambda: outbox.step(1), most=BATCH),
        Task(name="held", every_s=PACES["held"], step=holding.step, most=BATCH),  # before the mail that it makes due
        Task(name="staff", every_s=PACES["staff"], step=lambda: staff.step(1), most=BATCH),
        Task(name="waiting", every_s=PACES["waiting"], step=waiting.step),
        Task(name="purge", every_s=PACES["purge"], step=lambda: store.purge(PURGE_ROWS), most=PURGE_STEPS),
    )


def _cares(growing: Growing, alarms: Alarms, bulletins: Bulletins) -> tuple[Task, ...]:
    """List what keeps the limits and their owner up to date; what growth finds is told in the same pass."""
    return (
        Task(name="growth", every_s=PACES["growth"], step=growing.step),
        Task(name="alarms", every_s=PACES["alarms"], step=alarms.step),
        Task(name="digest", every_s=PACES["digest"], step=bulletins.step),
    )
