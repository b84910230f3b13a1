"""The staff's mail: queued with its inquiry; sent at once where the store is down, so that nothing is lost."""

from collections.abc import Sequence
from typing import Final

from formwarden.clock import Clock
from formwarden.errors import ComposeError, StoreError
from formwarden.faults import Faults
from formwarden.mail.compose import Composed
from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.staff_outbox import NO_STAFF
from formwarden.mail.staff_settings import DEFAULTS, Staffing
from formwarden.mail.worker import lease_s
from formwarden.scoring import Verdict
from formwarden.stores.journal import Journal
from formwarden.stores.ports import Inquiries, Staff

NOTHING_WRITTEN: Final = "no mail could be written"
NOT_RECORDED: Final = (
    "neither the store nor the journal could take this inquiry: keep this mail, it stands nowhere else"
)


class Notices:
    """Tells the staff of an inquiry, at least once (G24)."""

    def __init__(
        self,
        *,
        inquiries: Inquiries,
        journal: Journal,
        mail: StaffMail,
        sender: Sender,
        deadline_s: float,
        clock: Clock,
        faults: Faults,
        staffing: Staffing = DEFAULTS,
    ) -> None:
        self._inquiries = inquiries
        self._journal = journal
        self._mail = mail
        self._sender = sender
        self._deadline_s = deadline_s
        self._clock = clock
        self._faults = faults
        self._helpdesk = staffing.staff_mailbox == "helpdesk"

    async def notify(self, verdict: Verdict) -> None:
        """Queue the staff's mail; the worker sends it. Without a store it is sent at once, and that is spooled."""
        spools = self._journal.has(verdict.id)
        if verdict.recorded:
            try:
                if await self._inquiries.staff(verdict.id, to=Staff.DUE, due_at=self._clock.now()):
                    return
            except StoreError as error:
                self._faults.count("inquiries", str(error))
                spools = True
        mails = self._written(verdict, note="" if verdict.recorded or spools else NOT_RECORDED)
        if not spools:
            await self._send(mails)
            return
        until = self._clock.now() + lease_s(self._deadline_s, max(1, len(mails)))
        if not await self._journal.begin_staff(verdict.id, due_at=until):
            return  # told already
        why = await self._send(mails)
        await self._journal.staff(verdict.id, to=Staff.DUE if why else Staff.SENT, note=why)

    async def _send(self, mails: Sequence[Composed]) -> str:
        """Send every copy; say why not, where one was not taken or there was none."""
        why = "" if mails else NOTHING_WRITTEN
        for mail in mails:
            result = await self._sender.send(
                mail.envelope_from, mail.recipient, mail.data, deadline_s=self._deadline_s
            )
            if result.state is not SendState.TAKEN:
                why = result.text or str(result.state)
                self._faults.count("staff mail", why)
        return why

    def _written(self, verdict: Verdict, *, note: str) -> tuple[Composed, ...]:
        try:
            mails = self._mail.compose(
                form=verdict.form,
                fields=verdict.fields,
                uploads=tuple(upload.filename for upload in verdict.uploads),
                receipt=verdict.receipt,
                received_at=verdict.received_at,
                score=verdict.score,
                reply_to=None if self._helpdesk else verdict.staff_reply_to,  # without a ledger no desk answers
                address=verdict.address,
                subject_prefix="[not recorded]" if note else "",
                note=note,
            )
        except ComposeError as error:  # the endpoint goes on: the inquiry is in the journal
            self._faults.count("compose", str(error))
            return ()
        if not mails:
            self._faults.count("staff mail", NO_STAFF)
        return mails


class NoRelay:
    """Stands for a relay where none is configured: nothing leaves, and it says so."""

    async def send(
        self,
        envelope_from: str,  # noqa: ARG002 - the port's shape
        recipient: str,  # noqa: ARG002 - the port's shape
        data: bytes,  # noqa: ARG002 - the port's shape
        /,
        *,
        deadline_s: float,  # noqa: ARG002 - the port's shape
    ) -> SendResult:
        """Say that nothing was sent."""
        return SendResult(state=SendState.NOT_SENT, text="no relay is configured: set FORMWARDEN_SMTP_URL")
