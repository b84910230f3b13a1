"""The staff's mail: queued with its inquiry; sent at once where the store is down, so that nothing is lost."""

from formwarden.errors import ComposeError, StoreError
from formwarden.faults import Faults
from formwarden.mail.compose import Composed
from formwarden.mail.outbox import NO_STAFF
from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.mail.staff_mail import StaffMail
from formwarden.scoring import Verdict
from formwarden.stores.ports import Inquiries, Staff


class Notices:
    """Tells the staff of an inquiry, at least once (G24)."""

    def __init__(
        self, *, inquiries: Inquiries, mail: StaffMail, sender: Sender, deadline_s: float, faults: Faults
    ) -> None:
        self._inquiries = inquiries
        self._mail = mail
        self._sender = sender
        self._deadline_s = deadline_s
        self._faults = faults

    async def notify(self, verdict: Verdict) -> None:
        """Queue the staff's mail; the worker sends it. Without a store it is sent here and now."""
        if verdict.recorded:
            try:
                if await self._inquiries.staff(verdict.id, to=Staff.DUE):
                    return
            except StoreError as error:
                self._faults.count("inquiries", str(error))
        await self._send(verdict)

    async def _send(self, verdict: Verdict) -> None:
        mails = self._written(verdict)
        for mail in mails:
            result = await self._sender.send(
                mail.envelope_from, mail.recipient, mail.data, deadline_s=self._deadline_s
            )
            if result.state is not SendState.TAKEN:
                self._faults.count("staff mail", result.text or str(result.state))

    def _written(self, verdict: Verdict) -> tuple[Composed, ...]:
        try:
            mails = self._mail.compose(
                form=verdict.form,
                fields=verdict.fields,
                uploads=tuple(upload.filename for upload in verdict.uploads),
                receipt=verdict.receipt,
                received_at=verdict.received_at,
                score=verdict.score,
                reply_to=verdict.staff_reply_to,
                address=verdict.address,
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
