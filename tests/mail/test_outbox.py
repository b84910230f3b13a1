"""The outbox over a real ledger: replies at most once, the staff's mail at least once (G15, G24)."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from formwarden.address.report import AddressReport, Status
from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.mail.compose import Composer
from formwarden.mail.outbox import COPIES_REMEMBERED, NO_LEFT, NO_STAFF, Outbox
from formwarden.mail.replies import Replies
from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.mail.settings import Mail
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.verp import Verp
from formwarden.scoring import Standing, Verdict
from formwarden.site import Site
from formwarden.stores.ports import Inquiries, Inquiry, Ledger, Outcome, Page, Staff, State, Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.submission import Fields
from formwarden.tokens import Tokens
from tests.clock import MovableClock
from tests.mail.gate_samples import (
    CLIENTS,
    FORMS,
    OPEN,
    SITE,
    DownLedger,
    RecordingSender,
    Reports,
    inquiry_of,
    memory,
    numbered_entropy,
    prove_feedback,
    row_of,
    tight,
    unknown,
    verdict,
)
from tests.servers.smtp import SmtpPeer

ANN = "ann@example.com"
MINUTE = 60.0
TAKEN = SendResult(state=SendState.TAKEN, code=250, text="2.0.0 queued")
DEAD = SendResult(state=SendState.REFUSED, code=550, text="5.1.1 no such user")
POLICY = SendResult(state=SendState.REFUSED, code=550, text="5.7.1 we do not like you")
DOWN = SendResult(state=SendState.NOT_SENT, text="connect: refused")
BROKEN = SendResult(state=SendState.UNKNOWN, text="DATA: connection lost")
OFFICE, BOSS = "office@example.org", "boss@example.org"


def fields_of(inquiry: Inquiry) -> Fields:
    return Fields(parse_qsl((inquiry.body or b"").decode()))


@dataclass(kw_only=True)
class Desk:
    """One worker with everything around it."""

    store: Store
    clock: MovableClock
    settings: Mail = OPEN
    site: Site = SITE
    forms: Mapping[str, GuardedForm] = field(default_factory=lambda: FORMS)
    sender: Sender = field(default_factory=RecordingSender)
    checker: Reports = field(default_factory=Reports)
    ledger: Ledger | None = None
    inquiries: Inquiries | None = None
    copies_remembered: int = COPIES_REMEMBERED

    def __post_init__(self) -> None:
        ledger = self.ledger or self.store.ledger
        self.faults = Faults(self.clock)
        self.tokens = Tokens(("a key of thirty-two characters..",), clock=self.clock, entropy=numbered_entropy())
        self.replies = Replies(
            ledger,
            self.store.recipient_keys,
            CLIENTS,
            settings=self.settings,
            site=self.site,
            forms=FORMS,
            clock=self.clock,
            faults=self.faults,
        )
        self.outbox = Outbox(
            ledger=ledger,
            inquiries=self.inquiries or self.store.inquiries,
            replies=self.replies,
            composer=Composer(self.site, self.settings, self.tokens, self.clock, numbered_entropy()),
            staff_mail=StaffMail(self.site, self.settings, self.clock, numbered_entropy()),
            fields_of=fields_of,
            sender=self.sender,
            checker=self.checker,
            forms=self.forms,
            settings=self.settings,
            clock=self.clock,
            faults=self.faults,
            copies_remembered=self.copies_remembered,
        )

    @property
    def relay(self) -> RecordingSender:
        assert isinstance(self.sender, RecordingSender)
        return self.sender

    async def accept(self, wanted: Verdict, **kept: object) -> str:
        """Keep the inquiry and ask for its reply, as the way does."""
        await self.store.inquiries.keep(inquiry_of(wanted, **kept), lease_s=0.0)
        return (await self.replies.reply(wanted)).code

    async def state(self, wanted: Verdict) -> str:
        return (await row_of(self.store, wanted)).state

    async def tell_staff(self, wanted: Verdict) -> None:
        body = urlencode({"email": wanted.address or "", "message": "hello there"}).encode()
        await self.store.inquiries.keep(inquiry_of(wanted, body=body, staff=Staff.DUE), lease_s=0.0)

    async def staff_of(self, wanted: Verdict) -> tuple[Staff, str]:
        kept = await self.store.inquiries.get(wanted.id)
        assert kept is not None
        return kept.staff, kept.staff_note


@pytest.fixture
def desk(clock: MovableClock) -> Desk:
    return Desk(store=memory(clock), clock=clock)


# --------------------------------------------------------------------------------------------------------- replies
@pytest.mark.anyio
async def test_g15_a_due_reply_is_composed_sent_and_settled(desk: Desk) -> None:
    wanted = verdict(ANN, language="ja")
    assert await desk.accept(wanted) == "OK"
    assert desk.relay.mails == []
    assert await desk.outbox.step() == 1
    (mail,) = desk.relay.mails
    parsed = message_from_bytes(mail.data, policy=default)
    assert (mail.recipient, parsed["To"], parsed["Content-Language"]) == (ANN, ANN, "ja")
    assert wanted.receipt in str(parsed["Subject"])
    row = await row_of(desk.store, wanted)
    assert (row.state, row.last) == ("sent", "250 2.0.0 queued")
    kept = await desk.store.inquiries.get(wanted.id)
    assert kept is not None
    assert kept.recipient is None


@pytest.mark.anyio
async def test_g14_the_return_path_names_the_reply(desk: Desk) -> None:
    wanted = verdict(ANN)
    await desk.accept(wanted)
    await desk.outbox.step()
    local = desk.relay.mails[0].envelope_from.rpartition("@")[0]
    assert Verp(desk.tokens).read(local, desk.clock.now()) == (await row_of(desk.store, wanted)).reply_id


@pytest.mark.anyio
async def test_g15_a_reply_is_sent_once_however_often_the_worker_runs(desk: Desk) -> None:
    await desk.accept(verdict())
    assert [await desk.outbox.step() for _ in range(3)] == [1, 0, 0]
    desk.clock.move(86_400.0)
    assert await desk.outbox.step() == 0
    assert len(desk.relay.mails) == 1


@pytest.mark.anyio
async def test_g15_workers_side_by_side_send_each_reply_once(clock: MovableClock, tmp_path: Path) -> None:
    stores = [
        SqliteStore(
            str(tmp_path / "formwarden.db"),
            clock=clock,
            entropy=system_entropy,
            settings=Stores(),
            faults=Faults(clock),
        )
        for _ in range(2)
    ]
    sender = RecordingSender()
    desks = [Desk(store=store, clock=clock, sender=sender) for store in stores]
    wanted = [verdict() for _ in range(12)]
    for each in wanted:
        assert await desks[0].accept(each) == "OK"
    await asyncio.gather(*(desk.outbox.step(limit=3) for desk in desks * 4))
    assert sorted(sender.recipients()) == sorted(each.address or "" for each in wanted)
    for store in stores:
        await store.aclose()


@pytest.mark.anyio
async def test_a_dead_mailbox_is_refused_once_and_never_mailed_again(desk: Desk) -> None:
    desk.relay.answers[ANN] = DEAD
    dead = verdict(ANN)
    await desk.accept(dead)
    await desk.outbox.step()
    assert await desk.state(dead) == "refused"
    assert await desk.accept(verdict("ann+again@example.com")) == "SUPP_HARD"


@pytest.mark.anyio
async def test_g07_a_refusal_of_ours_suppresses_nobody_and_is_feedback(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(unproven_per_hour=1))
    desk.relay.answers[ANN] = POLICY
    refused = verdict(ANN)
    await desk.accept(refused)
    assert await desk.accept(verdict()) == "WARMUP"
    await desk.outbox.step()
    assert await desk.state(refused) == "refused"
    assert await desk.accept(verdict("ann+again@example.com")) == "OK"


@pytest.mark.anyio
async def test_g17_a_recipient_refused_at_rcpt_is_spent_in_every_budget(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(site_per_hour=1))
    desk.relay.answers[ANN] = DEAD
    await desk.accept(verdict(ANN))
    await desk.outbox.step()
    assert await desk.accept(verdict()) == "SITE_RATE"


@pytest.mark.anyio
async def test_g15_a_line_that_broke_after_rcpt_is_final_and_spent(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(site_per_hour=1))
    desk.relay.answers[ANN] = BROKEN
    lost = verdict(ANN)
    await desk.accept(lost)
    await desk.outbox.step()
    assert await desk.state(lost) == "lost"
    assert await desk.accept(verdict()) == "SITE_RATE"
    assert await desk.outbox.step() == 0


@pytest.mark.anyio
async def test_g15_what_cannot_have_left_is_due_again_after_1_5_and_15_minutes_then_refunded(
    clock: MovableClock,
) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(site_per_day=1))
    desk.relay.answers[ANN] = DOWN
    unsent = verdict(ANN)
    await desk.accept(unsent)
    assert await desk.outbox.step() == 1
    for minutes in (1, 5, 15):
        assert await desk.state(unsent) == "due"
        assert await desk.accept(verdict()) == "SITE_RATE"  # the slot is kept
        clock.move(minutes * MINUTE - 1)
        assert await desk.outbox.step() == 0
        clock.move(1)
        assert await desk.outbox.step() == 1
    assert len(desk.relay.mails) == 4
    assert (await desk.state(unsent), desk.faults.of("relay")) == ("dropped", 4)
    assert await desk.accept(verdict()) == "OK"


@pytest.mark.anyio
async def test_g15_when_the_relay_returns_in_time_the_reply_leaves_once(desk: Desk) -> None:
    desk.relay.answers[ANN] = DOWN
    late = verdict(ANN)
    await desk.accept(late)
    await desk.outbox.step()
    desk.relay.answers.clear()
    desk.clock.move(MINUTE)
    await desk.outbox.step()
    assert await desk.state(late) == "sent"


@pytest.mark.anyio
async def test_what_cannot_be_composed_is_counted_and_given_back(clock: MovableClock) -> None:
    settings = tight(site_per_day=1)
    desk = Desk(store=memory(clock), clock=clock, settings=settings, site=Site(staff_address=(OFFICE,)))
    unsaid = verdict(ANN)
    await desk.accept(unsaid)
    await desk.outbox.step()
    assert (await desk.state(unsaid), desk.faults.of("compose"), desk.relay.mails) == ("dropped", 1, [])
    assert await desk.accept(verdict()) == "OK"


@pytest.mark.anyio
async def test_without_a_recipient_or_an_inquiry_nothing_is_sent(desk: Desk) -> None:
    erased, unkept = verdict(), verdict()
    await desk.accept(erased, recipient=None)
    assert (await desk.replies.reply(unkept)).code == "OK"
    assert await desk.outbox.step() == 2
    for each in (erased, unkept):
        row = await row_of(desk.store, each)
        assert (row.state, row.last) == ("dropped", NO_LEFT)
    assert desk.relay.mails == []


@pytest.mark.anyio
async def test_a_form_that_is_gone_sends_nothing(clock: MovableClock) -> None:
    store = memory(clock)
    orphan, held = verdict(), replace(verdict(), report=unknown())
    before = Desk(store=store, clock=clock)
    await before.accept(orphan)
    await before.accept(held)
    after = Desk(store=store, clock=clock, forms={})
    clock.move(MINUTE)
    assert await after.outbox.step() == 2
    assert [await after.state(each) for each in (orphan, held)] == ["dropped", "dropped"]
    assert after.relay.mails == []


@pytest.mark.anyio
async def test_g18_the_switch_stops_what_is_already_due(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(site_per_day=1))
    stopped = verdict()
    await desk.accept(stopped)
    await desk.replies.switch(on=False)
    await desk.outbox.step()
    row = await row_of(desk.store, stopped)
    assert (row.state, row.last, desk.relay.mails) == ("dropped", "AR_OFF", [])
    await desk.replies.switch(on=True)
    assert await desk.accept(verdict()) == "OK"


@pytest.mark.anyio
async def test_g18_a_process_whose_setting_is_off_sends_nothing_another_reserved(clock: MovableClock) -> None:
    store = memory(clock)
    waiting = verdict()
    await Desk(store=store, clock=clock).accept(waiting)
    off = Desk(store=store, clock=clock, settings=tight(replies=False))
    await off.outbox.step()
    assert (await off.state(waiting), off.relay.mails) == ("dropped", [])


@pytest.mark.anyio
async def test_an_address_that_was_suppressed_meanwhile_gets_nothing(desk: Desk) -> None:
    desk.relay.answers[ANN] = DOWN
    waiting = verdict(ANN)
    await desk.accept(waiting)
    await desk.outbox.step()
    desk.relay.answers.clear()
    watched = await desk.replies.watched(unknown(ANN))
    await desk.store.ledger.suppress(watched.address[0], cause="complaint", until=None)
    desk.clock.move(MINUTE)
    await desk.outbox.step()
    assert (await row_of(desk.store, waiting)).last == "SUPP_COMPLAINT"
    assert len(desk.relay.mails) == 1


class DyingSender:
    """The process ends in mid-conversation, after the relay has the whole mail."""

    def __init__(self) -> None:
        self.mails = 0

    async def send(self, _envelope_from: str, _recipient: str, _data: bytes, /, *, deadline_s: float) -> SendResult:
        self.mails += 1
        raise asyncio.CancelledError(deadline_s)


@pytest.mark.anyio
async def test_g15_a_crash_between_taking_and_settling_leaves_a_spent_slot_and_never_a_second_mail(
    clock: MovableClock,
) -> None:
    store, dying = memory(clock), DyingSender()
    crashed = verdict()
    one = Desk(store=store, clock=clock, settings=tight(site_per_day=1), sender=dying)
    await one.accept(crashed)
    with pytest.raises(asyncio.CancelledError):
        await one.outbox.step()
    other = Desk(store=store, clock=clock, settings=tight(site_per_day=1))
    assert await other.outbox.step() == 0
    clock.move(3_600.0)
    assert await other.outbox.step() == 0
    assert (await other.state(crashed), dying.mails, other.relay.mails) == ("lost", 1, [])
    assert await other.accept(verdict()) == "SITE_RATE"


class ForgetfulLedger(DownLedger):
    """A ledger that cannot be written any more once a mail has left."""

    def __init__(self, store: Store) -> None:
        self.reputation = store.ledger.reputation  # type: ignore[method-assign]  # the working half
        self.reserve = store.ledger.reserve  # type: ignore[method-assign]  # the working half
        self.due = store.ledger.due  # type: ignore[method-assign]  # the working half

    async def settle(self, _outcome: Outcome, /) -> None:
        raise StoreError("the disk is full")


@pytest.mark.anyio
async def test_g15_a_store_that_dies_between_the_250_and_the_commit_causes_no_second_mail(
    clock: MovableClock,
) -> None:
    store = memory(clock)
    desk = Desk(store=store, clock=clock, ledger=ForgetfulLedger(store))
    unsettled, other = verdict(), verdict()
    await desk.accept(unsettled)
    await desk.accept(other)
    assert await desk.outbox.step() == 2  # one row's trouble does not stop the next
    clock.move(86_400.0)
    assert await desk.outbox.step() == 0
    assert len(desk.relay.mails) == 2
    assert (await desk.state(unsettled), desk.faults.of("ledger")) == ("lost", 2)


@pytest.mark.anyio
async def test_a_step_takes_no_more_than_its_limit(desk: Desk) -> None:
    for _ in range(5):
        await desk.accept(verdict())
    assert [await desk.outbox.step(limit=2) for _ in range(3)] == [2, 2, 1]


# ------------------------------------------------------------------------------------------------------------ held
@pytest.mark.anyio
async def test_g15_a_process_that_dies_loses_the_one_it_was_sending_and_no_batch(clock: MovableClock) -> None:
    class Hanging:
        """A relay that never answers."""

        def __init__(self) -> None:
            self.begun = asyncio.Event()

        async def send(self, *_: object, deadline_s: float) -> SendResult:
            self.begun.set()
            await asyncio.Event().wait()
            raise AssertionError(deadline_s)

    store, sender = memory(clock), Hanging()
    desk = Desk(store=store, clock=clock, sender=sender)
    wanted = [verdict() for _ in range(3)]
    for each in wanted:
        assert await desk.accept(each) == "OK"
    dying = asyncio.create_task(desk.outbox.step())
    await sender.begun.wait()
    dying.cancel()
    await asyncio.wait({dying})
    assert sorted([await desk.state(each) for each in wanted]) == ["due", "due", "taken"]
    other = Desk(store=store, clock=clock)
    clock.move(3_600.0)
    await other.outbox.step()
    assert sorted([await other.state(each) for each in wanted]) == ["lost", "sent", "sent"]


async def hold_for_dns(desk: Desk, answer: AddressReport, **changes: object) -> Verdict:
    held = replace(verdict(ANN), report=unknown(ANN), **changes)  # type: ignore[arg-type]  # the caller's to get right
    desk.checker.known[ANN] = answer
    assert await desk.accept(held) == "ADDR_DNS_TEMP"
    return held


@pytest.mark.anyio
async def test_row_06_a_reply_that_waits_for_dns_is_looked_at_after_1_10_and_60_minutes(desk: Desk) -> None:
    held = await hold_for_dns(desk, unknown(ANN))
    looks = []
    for minute in range(62):
        asked = len(desk.checker.asked)
        await desk.outbox.step()
        if len(desk.checker.asked) > asked:
            looks.append(minute)
        desk.clock.move(MINUTE)
    assert looks == [1, 10, 60]
    row = await row_of(desk.store, held)
    assert (row.state, row.code, desk.relay.mails) == ("suppressed", "ADDR_DNS_TEMP", [])


@pytest.mark.anyio
async def test_row_06_it_is_sent_when_dns_answers(desk: Desk) -> None:
    held = await hold_for_dns(desk, unknown(ANN))
    desk.clock.move(MINUTE)
    await desk.outbox.step()
    del desk.checker.known[ANN]
    desk.clock.move(9 * MINUTE)
    assert [await desk.outbox.step() for _ in range(2)] == [2, 0]  # decided, and sent in the same step
    assert (await desk.state(held), desk.relay.recipients()) == ("sent", [ANN])


@pytest.mark.anyio
async def test_row_06_it_is_suppressed_when_dns_says_no(desk: Desk) -> None:
    held = await hold_for_dns(desk, replace(unknown(ANN), status=Status.UNDELIVERABLE))
    desk.clock.move(MINUTE)
    await desk.outbox.step()
    assert (await row_of(desk.store, held)).code == "ADDR_UNDELIVERABLE"


@pytest.mark.anyio
async def test_row_06_a_worker_that_was_away_for_hours_sends_nothing(desk: Desk) -> None:
    held = await hold_for_dns(desk, unknown(ANN))
    del desk.checker.known[ANN]
    desk.clock.move(3 * 3_600.0)
    await desk.outbox.step()
    assert (await desk.state(held), desk.relay.mails) == ("dropped", [])


@pytest.mark.anyio
async def test_row_06_without_a_recipient_it_is_dropped(desk: Desk) -> None:
    held = replace(verdict(ANN), report=unknown(ANN))
    await desk.accept(held, recipient=None)
    desk.clock.move(MINUTE)
    await desk.outbox.step()
    assert (await row_of(desk.store, held)).last == NO_LEFT


@pytest.mark.anyio
async def test_g17_a_permit_that_waits_for_dns_is_never_sent_by_the_worker(desk: Desk) -> None:
    held = replace(verdict(ANN), report=unknown(ANN))
    await desk.store.inquiries.keep(inquiry_of(held), lease_s=0.0)
    async with desk.replies.permit(held) as permit:
        assert (permit.granted, permit.code) == (False, "ADDR_DNS_TEMP")
    for _ in range(12):
        desk.clock.move(10 * MINUTE)
        await desk.outbox.step()
    assert (await desk.state(held), desk.relay.mails) == ("dropped", [])


@pytest.mark.anyio
async def test_g01_the_doubtful_that_waited_for_dns_then_waits_for_the_owner(desk: Desk) -> None:
    held = await hold_for_dns(desk, unknown(ANN), standing=Standing.DOUBTFUL)
    del desk.checker.known[ANN]
    desk.clock.move(MINUTE)
    await desk.outbox.step()
    row = await row_of(desk.store, held)
    assert (row.state, row.code, desk.relay.mails) == ("held", "HELD_SUSPECT", [])


@pytest.mark.anyio
async def test_row_13_g25_a_suspect_reply_is_never_sent_by_itself_and_dropped_after_72_hours(desk: Desk) -> None:
    suspect = verdict(standing=Standing.DOUBTFUL)
    await desk.accept(suspect)
    for _ in range(71):
        desk.clock.move(3_600.0)
        await desk.outbox.step()
    assert await desk.state(suspect) == "held"
    desk.clock.move(3_600.0)
    await desk.outbox.step()
    assert (await desk.state(suspect), desk.relay.mails) == ("dropped", [])


# ----------------------------------------------------------------------------------------------------- staff mail
@pytest.mark.anyio
async def test_g24_every_staff_address_gets_its_copy_and_nothing_is_left_due(desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    assert await desk.outbox.step_staff() == 1
    assert desk.relay.recipients() == [OFFICE, BOSS]
    assert (await desk.staff_of(asked))[0] is Staff.SENT
    desk.clock.move(3_600.0)
    assert await desk.outbox.step_staff() == 0
    text = message_from_bytes(desk.relay.mails[0].data, policy=default).get_content()
    assert "message: hello there" in text


@pytest.mark.anyio
async def test_g24_the_reply_to_stands_only_where_the_gate_would_mail(desk: Desk) -> None:
    for standing, expected in ((Standing.SHOWN, ANN), (Standing.DOUBTFUL, None)):
        desk.relay.mails.clear()
        await desk.tell_staff(verdict(ANN, standing=standing))
        await desk.outbox.step_staff()
        mail = message_from_bytes(desk.relay.mails[0].data, policy=default)
        assert mail["Reply-To"] == expected
        assert f"Address: {ANN}" in mail.get_content()


@pytest.mark.anyio
async def test_g24_the_reply_to_is_there_when_the_recipient_is_erased(desk: Desk) -> None:
    answered = verdict(ANN)
    await desk.tell_staff(answered)
    assert (await desk.replies.reply(answered)).code == "OK"
    await desk.outbox.step()
    await desk.outbox.step_staff()
    mail = message_from_bytes(desk.relay.mails[-1].data, policy=default)
    assert mail["Reply-To"] == ANN


@pytest.mark.anyio
async def test_g24_the_staff_are_mailed_within_a_minute_of_the_relay_s_return_and_once(desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    desk.relay.answers.update({OFFICE: DOWN, BOSS: DOWN})
    for _ in range(30):
        await desk.outbox.step_staff()
        desk.clock.move(20.0)
    assert await desk.staff_of(asked) == (Staff.DUE, "connect: refused")
    desk.relay.answers.clear()
    desk.relay.mails.clear()
    for _ in range(60):
        await desk.outbox.step_staff()
        desk.clock.move(1.0)
    assert desk.relay.recipients() == [OFFICE, BOSS]
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_a_refused_address_neither_blocks_nor_doubles_the_others(desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    desk.relay.answers[OFFICE] = DEAD
    for _ in range(3 * 45):  # three quarters of an hour
        await desk.outbox.step_staff()
        desk.clock.move(20.0)
    assert desk.relay.recipients().count(BOSS) == 1
    assert desk.relay.recipients().count(OFFICE) == 3
    assert await desk.staff_of(asked) == (Staff.DUE, "550 5.1.1 no such user")
    desk.relay.answers.clear()
    desk.clock.move(900.0)
    await desk.outbox.step_staff()
    assert (await desk.staff_of(asked))[0] is Staff.SENT
    assert desk.relay.recipients().count(BOSS) == 1


@pytest.mark.anyio
async def test_g24_of_too_many_half_taken_mails_the_oldest_is_sent_anew(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, copies_remembered=1)
    desk.relay.answers[OFFICE] = DEAD
    for _ in range(2):
        await desk.tell_staff(verdict())
        await desk.outbox.step_staff()
    clock.move(900.0)
    await desk.outbox.step_staff()
    assert desk.relay.recipients().count(BOSS) == 4


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [DEAD, BROKEN, DOWN], ids=lambda answer: str(answer.state))
async def test_g24_what_no_relay_took_is_tried_again_soon_and_counted(answer: SendResult, desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    desk.relay.answers.update({OFFICE: answer, BOSS: answer})
    await desk.outbox.step_staff()
    assert desk.faults.of("staff mail") == 2
    desk.relay.answers.clear()
    desk.clock.move(19.0)
    assert await desk.outbox.step_staff() == 0
    desk.clock.move(1.0)
    await desk.outbox.step_staff()
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_a_crash_before_the_commit_mails_the_staff_again_rather_than_never(clock: MovableClock) -> None:
    store, asked = memory(clock), verdict(ANN)
    dying = Desk(store=store, clock=clock, sender=DyingSender())
    await dying.tell_staff(asked)
    with pytest.raises(asyncio.CancelledError):
        await dying.outbox.step_staff()
    after = Desk(store=store, clock=clock)
    clock.move(3_600.0)
    await after.outbox.step_staff()
    assert after.relay.recipients() == [OFFICE, BOSS]


class ForgetfulInquiries:
    """Gives staff mail out, and cannot write down what became of it until it is `well`."""

    def __init__(self, store: Store) -> None:
        self.well = False
        self._real = store.inquiries

    async def staff(self, inquiry: bytes, /, *, to: Staff, note: str = "", due_at: float = 0.0) -> bool:
        if not self.well:
            raise StoreError("the disk is full")
        return await self._real.staff(inquiry, to=to, note=note, due_at=due_at)

    async def claim_staff(self, limit: int, /, *, lease_s: float) -> Sequence[Inquiry]:
        return await self._real.claim_staff(limit, lease_s=lease_s)

    async def get(self, inquiry: bytes, /) -> Inquiry | None:
        return await self._real.get(inquiry)

    async def keep(self, _inquiry: Inquiry, /, *, lease_s: float, replaces: bytes | None = None) -> Inquiry | None:
        raise NotImplementedError(lease_s, replaces)

    async def move(
        self,
        _inquiry: bytes,
        /,
        *,
        expect: Collection[State],
        to: State,
        note: str,
        answer: tuple[int, str] | None = None,
        lease_s: float = 0.0,
    ) -> bool:
        raise NotImplementedError(expect, to, note, answer, lease_s)

    async def claim(self, state: State, limit: int, /, *, older_than: float, lease_s: float) -> Sequence[Inquiry]:
        raise NotImplementedError(state, limit, older_than, lease_s)

    async def find(self, states: Collection[State], /, *, after: str | None = None, limit: int = 50) -> Page:
        raise NotImplementedError(states, after, limit)


@pytest.mark.anyio
async def test_g24_a_store_that_forgets_a_taken_mail_doubles_it_for_nobody(clock: MovableClock) -> None:
    store, asked = memory(clock), verdict(ANN)
    inquiries = ForgetfulInquiries(store)
    desk = Desk(store=store, clock=clock, inquiries=inquiries)
    await desk.tell_staff(asked)
    assert await desk.outbox.step_staff() == 1
    assert desk.faults.of("inquiries") == 1
    inquiries.well = True
    clock.move(3_600.0)
    assert await desk.outbox.step_staff() == 1
    assert desk.relay.recipients() == [OFFICE, BOSS]
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_staff_mail_that_cannot_be_written_stays_due_and_says_why(clock: MovableClock) -> None:
    unsigned = Desk(store=memory(clock), clock=clock, site=Site(staff_address=(OFFICE,)))
    asked = verdict(ANN)
    await unsigned.tell_staff(asked)
    await unsigned.outbox.step_staff()
    state, note = await unsigned.staff_of(asked)
    assert state is Staff.DUE
    assert "FORMWARDEN_SITE_DOMAIN" in note
    assert unsigned.faults.of("compose") == 1


@pytest.mark.anyio
async def test_g24_without_a_staff_address_the_mail_waits_for_one(clock: MovableClock) -> None:
    store, asked = memory(clock), verdict(ANN)
    nobody = Desk(store=store, clock=clock, site=Site(site_domain="example.org"))
    await nobody.tell_staff(asked)
    await nobody.outbox.step_staff()
    assert await nobody.staff_of(asked) == (Staff.DUE, NO_STAFF)
    clock.move(3_600.0)
    after = Desk(store=store, clock=clock)
    await after.outbox.step_staff()
    assert (await after.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_the_staff_hear_of_an_inquiry_whose_form_is_gone(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, forms={})
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    await desk.outbox.step_staff()
    assert message_from_bytes(desk.relay.mails[0].data, policy=default)["Reply-To"] is None
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_the_gate_s_budgets_do_not_touch_the_staff(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(site_per_day=0))
    await prove_feedback(desk.store.ledger)
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    assert (await desk.replies.reply(asked)).code == "SITE_RATE"
    await desk.outbox.step_staff()
    assert desk.relay.recipients() == [OFFICE, BOSS]


# ------------------------------------------------------------------------------------------------------ real parts
@pytest.mark.anyio
async def test_over_real_smtp_the_stranger_gets_one_reply_and_the_staff_their_mail(
    clock: MovableClock, tmp_path: Path
) -> None:
    store = SqliteStore(
        str(tmp_path / "formwarden.db"),
        clock=clock,
        entropy=system_entropy,
        settings=Stores(),
        faults=Faults(clock),
    )
    with SmtpPeer() as peer:
        desk = Desk(store=store, clock=clock, sender=SmtpSender(peer.url))
        person, dead = verdict(ANN), verdict("dead@gone.com")
        peer.refuse_at("rcpt", "550 5.1.1 no such user", recipient="dead@gone.com")
        await desk.tell_staff(person)
        assert (await desk.replies.reply(person)).code == "OK"
        assert await desk.accept(dead) == "OK"
        for _ in range(3):
            await desk.outbox.step()
            await desk.outbox.step_staff()
        mails = await peer.arrived(3)
        assert [mail.rcpt_tos for mail in mails] == [(ANN,), (OFFICE,), (BOSS,)]
        assert b"Auto-Submitted: auto-generated" in mails[0].data
        assert [await desk.state(each) for each in (person, dead)] == ["sent", "refused"]
    await store.aclose()
