"""Puts together what mails: composer, gate, outbox, staff mail, and what keeps the limits."""

from functools import cached_property

from formwarden.desk.bulletins import Bulletins
from formwarden.desk.digest import Digest
from formwarden.desk.holding import Holding
from formwarden.desk.rebuild import typed, typed_fields
from formwarden.desk.summary import Summary
from formwarden.judging_parts import JudgingParts
from formwarden.mail.alarm import Alarms
from formwarden.mail.alarm_channels import channels_for
from formwarden.mail.compose import Composer
from formwarden.mail.copies import Copies
from formwarden.mail.dkim import DkimSigner, signer_of
from formwarden.mail.growing import Growing
from formwarden.mail.knowing import Knowing
from formwarden.mail.lint import ReplyLint
from formwarden.mail.notices import NoRelay, Notices
from formwarden.mail.outbox import Outbox
from formwarden.mail.replies import Replies
from formwarden.mail.sender import Sender
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.staff_outbox import StaffOutbox
from formwarden.mail.stop_links import StopLinks
from formwarden.mail.worker import lease_s
from formwarden.page.issuing import IssueLimit
from formwarden.stopping import CLICKS, Stopping


class MailingParts(JudgingParts):
    """What mails strangers and staff; none of it decides what becomes of an inquiry."""

    @cached_property
    def sender(self) -> Sender:
        """The relay."""
        url = self._settings.mail.smtp_url
        return self._ports.sender or (NoRelay() if url is None else SmtpSender(url.get_secret_value()))

    @cached_property
    def signer(self) -> DkimSigner | None:
        """Signs every mail; None: the settings give no key."""
        return signer_of(self._settings.signing, self._site.site_domain)

    @cached_property
    def stop_links(self) -> StopLinks | None:
        """Makes the links by which mails are stopped; None: no public URL, no link (G30)."""
        url = self._site.public_url
        prefix = self._settings.pages.asset_prefix
        return None if url is None else StopLinks(self.tokens, self._clock, public_url=url, prefix=prefix)

    @cached_property
    def stopping(self) -> Stopping:
        """Serves those links."""
        return Stopping(
            self.stop_links,
            ledger=self.store.ledger,
            pages=self.pages,
            limit=IssueLimit(self._clock, CLICKS),
            prefix=self._settings.pages.asset_prefix,
            contact=self._site.contact,
            faults=self.faults,
        )

    @cached_property
    def composer(self) -> Composer:
        """Writes the replies."""
        return Composer(
            self._site,
            self._settings.mail,
            self.tokens,
            self._clock,
            self._entropy,
            signer=self.signer,
            stops=self.stop_links,
        )

    @cached_property
    def lint(self) -> ReplyLint:
        """Looks through the replies."""
        return ReplyLint(self.composer, self._site, self._settings.mail)

    @cached_property
    def staff_mail(self) -> StaffMail:
        """Composes the staff's mail."""
        return StaffMail(
            self._site, self._settings.mail, self._clock, self._entropy, self._settings.staffing, signer=self.signer
        )

    @cached_property
    def replies(self) -> Replies:
        """The gate."""
        return Replies(
            self.ledger,
            self.store.recipient_keys,
            self.clients,
            settings=self._settings.mail,
            site=self._site,
            forms=self._forms,
            clock=self._clock,
            faults=self.faults,
            own_sender=self._ports.sender is not None,
        )

    @cached_property
    def knowing(self) -> Knowing:
        """Writes down who is known."""
        return Knowing(self.store.measures, self.store.recipient_keys)

    @cached_property
    def notices(self) -> Notices:
        """Tells the staff."""
        return Notices(
            inquiries=self.store.inquiries,
            journal=self.journal,
            mail=self.staff_mail,
            sender=self.sender,
            deadline_s=self._settings.mail.send_deadline_s,
            clock=self._clock,
            faults=self.faults,
            staffing=self._settings.staffing,
        )

    @cached_property
    def outbox(self) -> Outbox:
        """Sends what is due."""
        return Outbox(
            ledger=self.ledger,
            inquiries=self.store.inquiries,
            replies=self.replies,
            composer=self.composer,
            fields_of=typed_fields,
            sender=self.sender,
            checker=self.checker,
            forms=self._forms,
            clock=self._clock,
            faults=self.faults,
            settings=self._settings.mail,
        )

    @cached_property
    def staff_outbox(self) -> StaffOutbox:
        """Sends the staff's mail."""
        return StaffOutbox(
            inquiries=self.store.inquiries,
            replies=self.replies,
            mail=self.staff_mail,
            staffing=self._settings.staffing,
            typed_of=typed,
            sender=self.sender,
            checker=self.checker,
            forms=self._forms,
            settings=self._settings.mail,
            clock=self._clock,
            faults=self.faults,
        )

    @cached_property
    def growing(self) -> Growing:
        """Lets the site's day grow and shrink."""
        store = self.store
        return Growing(store.measures, store.ledger, mail=self._settings.mail, clock=self._clock, faults=self.faults)

    @cached_property
    def alarms(self) -> Alarms:
        """Tells the owner by another way than the replies'."""
        channels = channels_for(
            self._settings.alarms,
            site=self._site,
            mail=self._settings.mail,
            clock=self._clock,
            entropy=self._entropy,
            faults=self.faults,
        )
        return Alarms(
            self.store,
            channels,
            site=self._site.site_domain or self._site.site_name or "",
            clock=self._clock,
            entropy=self._entropy,
            faults=self.faults,
        )

    @property
    def _staff_is_told(self) -> bool:
        """Say whether there is anybody to mail to, and a relay: else what nobody asked for would wait for ever."""
        relay = self._ports.sender is not None or self._settings.mail.smtp_url is not None
        return relay and bool(self.staff_mail.staff)

    @cached_property
    def holding(self) -> Holding:
        """Tells the staff of what is held."""
        settings = self._settings
        return Holding(
            self.store.telling,
            settings.staffing.on_hold,
            quarantine=settings.scoring.quarantine,
            staff=self._staff_is_told,
        )

    @cached_property
    def bulletins(self) -> Bulletins:
        """Sends digest and weekly summary."""
        staffing, store, public_url = self._settings.staffing, self.store, self._site.public_url
        hour, language = staffing.digest_hour, staffing.staff_language
        digest = Digest(
            inquiries=store.inquiries,
            telling=store.telling,
            statistics=store.statistics,
            forms=self._forms,
            hour=hour,
            language=language,
            public_url=public_url,
        )
        summary = Summary(store, hour=hour, language=language, public_url=public_url, clock=self._clock)
        bulletins = (digest, summary) if staffing.weekly_summary else (digest,)
        deadline_s = self._settings.mail.send_deadline_s
        return Bulletins(
            bulletins if self._staff_is_told else (),
            telling=store.telling,
            mail=self.staff_mail,
            copies=Copies(self.sender, deadline_s=deadline_s, faults=self.faults),
            lease_s=lease_s(deadline_s, 1 + len(self.staff_mail.staff)),
            clock=self._clock,
            faults=self.faults,
        )
