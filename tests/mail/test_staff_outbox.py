"""The staff's mail over a real store: at least once (G24)."""

import asyncio
from collections.abc import Collection, Sequence
from email import message_from_bytes
from email.policy import default
from urllib.parse import urlencode

import pytest

from formwarden.errors import StoreError
from formwarden.mail.sender import SendResult
from formwarden.mail.settings import Mail
from formwarden.mail.staff_outbox import NO_STAFF
from formwarden.mail.staff_settings import Staffing
from formwarden.scoring import Action, Standing
from formwarden.site import Site
from formwarden.stores.ports import Inquiry, Page, Staff, State, Store
from tests.clock import MovableClock
from tests.mail.desks import (
    ANN,
    BOSS,
    BROKEN,
    DEAD,
    DOWN,
    OFFICE,
    Desk,
    DyingSender,
)
from tests.mail.gate_samples import (
    OPEN,
    DownLedger,
    inquiry_of,
    memory,
    prove_feedback,
    row_of,
    tight,
    verdict,
)


@pytest.fixture
def desk(clock: MovableClock) -> Desk:
    return Desk(store=memory(clock), clock=clock)


@pytest.mark.anyio
async def test_g24_every_staff_address_gets_its_copy_and_nothing_is_left_due(desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    assert await desk.staff_outbox.step() == 1
    assert desk.relay.recipients() == [OFFICE, BOSS]
    assert (await desk.staff_of(asked))[0] is Staff.SENT
    desk.clock.move(3_600.0)
    assert await desk.staff_outbox.step() == 0
    text = message_from_bytes(desk.relay.mails[0].data, policy=default).get_content()
    assert "message: hello there" in text


@pytest.mark.anyio
async def test_g24_the_reply_to_stands_only_where_the_gate_would_mail(desk: Desk) -> None:
    for standing, expected in ((Standing.SHOWN, ANN), (Standing.DOUBTFUL, None)):
        desk.relay.mails.clear()
        await desk.tell_staff(verdict(ANN, standing=standing))
        await desk.staff_outbox.step()
        mail = message_from_bytes(desk.relay.mails[0].data, policy=default)
        assert mail["Reply-To"] == expected
        assert f"Address: {ANN}" in mail.get_content()


@pytest.mark.anyio
async def test_g24_the_reply_to_is_there_when_the_recipient_is_erased(desk: Desk) -> None:
    answered = verdict(ANN)
    await desk.tell_staff(answered)
    assert (await desk.replies.reply(answered)).code == "OK"
    await desk.outbox.step()
    await desk.staff_outbox.step()
    mail = message_from_bytes(desk.relay.mails[-1].data, policy=default)
    assert mail["Reply-To"] == ANN


@pytest.mark.anyio
async def test_g24_the_staff_are_mailed_within_a_minute_of_the_relay_s_return_and_once(desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    desk.relay.answers.update({OFFICE: DOWN, BOSS: DOWN})
    for _ in range(30):
        await desk.staff_outbox.step()
        desk.clock.move(20.0)
    assert await desk.staff_of(asked) == (Staff.DUE, "connect: refused")
    desk.relay.answers.clear()
    desk.relay.mails.clear()
    for _ in range(60):
        await desk.staff_outbox.step()
        desk.clock.move(1.0)
    assert desk.relay.recipients() == [OFFICE, BOSS]
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_a_refused_address_neither_blocks_nor_doubles_the_others(desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    desk.relay.answers[OFFICE] = DEAD
    for _ in range(3 * 45):  # three quarters of an hour
        await desk.staff_outbox.step()
        desk.clock.move(20.0)
    assert desk.relay.recipients().count(BOSS) == 1
    assert desk.relay.recipients().count(OFFICE) == 3
    assert await desk.staff_of(asked) == (Staff.DUE, "550 5.1.1 no such user")
    desk.relay.answers.clear()
    desk.clock.move(900.0)
    await desk.staff_outbox.step()
    assert (await desk.staff_of(asked))[0] is Staff.SENT
    assert desk.relay.recipients().count(BOSS) == 1


@pytest.mark.anyio
async def test_g24_of_too_many_half_taken_mails_the_oldest_is_sent_anew(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, copies_remembered=1)
    desk.relay.answers[OFFICE] = DEAD
    for _ in range(2):
        await desk.tell_staff(verdict())
        await desk.staff_outbox.step()
    clock.move(900.0)
    await desk.staff_outbox.step()
    assert desk.relay.recipients().count(BOSS) == 4


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [DEAD, BROKEN, DOWN], ids=lambda answer: str(answer.state))
async def test_g24_what_no_relay_took_is_tried_again_soon_and_counted(answer: SendResult, desk: Desk) -> None:
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    desk.relay.answers.update({OFFICE: answer, BOSS: answer})
    await desk.staff_outbox.step()
    assert desk.faults.of("staff mail") == 2
    desk.relay.answers.clear()
    desk.clock.move(19.0)
    assert await desk.staff_outbox.step() == 0
    desk.clock.move(1.0)
    await desk.staff_outbox.step()
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_a_crash_before_the_commit_mails_the_staff_again_rather_than_never(clock: MovableClock) -> None:
    store, asked = memory(clock), verdict(ANN)
    dying = Desk(store=store, clock=clock, sender=DyingSender())
    await dying.tell_staff(asked)
    with pytest.raises(asyncio.CancelledError):
        await dying.staff_outbox.step()
    after = Desk(store=store, clock=clock)
    clock.move(3_600.0)
    await after.staff_outbox.step()
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

    async def claim_staff(self, limit: int, /, *, lease_s: float, per_hour: int | None = None) -> Sequence[Inquiry]:
        return await self._real.claim_staff(limit, lease_s=lease_s, per_hour=per_hour)

    async def gather_staff(
        self, limit: int, /, *, lease_s: float, per_hour: int, every_s: float
    ) -> Sequence[Inquiry]:
        return await self._real.gather_staff(limit, lease_s=lease_s, per_hour=per_hour, every_s=every_s)

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
    assert await desk.staff_outbox.step() == 1
    assert desk.faults.of("inquiries") == 1
    inquiries.well = True
    clock.move(3_600.0)
    assert await desk.staff_outbox.step() == 1
    assert desk.relay.recipients() == [OFFICE, BOSS]
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_staff_mail_that_cannot_be_written_stays_due_and_says_why(clock: MovableClock) -> None:
    unsigned = Desk(store=memory(clock), clock=clock, site=Site(staff_address=(OFFICE,)))
    asked = verdict(ANN)
    await unsigned.tell_staff(asked)
    await unsigned.staff_outbox.step()
    state, note = await unsigned.staff_of(asked)
    assert state is Staff.DUE
    assert "FORMWARDEN_SITE_DOMAIN" in note
    assert unsigned.faults.of("compose") == 1


@pytest.mark.anyio
async def test_g24_without_a_staff_address_the_mail_waits_for_one(clock: MovableClock) -> None:
    store, asked = memory(clock), verdict(ANN)
    nobody = Desk(store=store, clock=clock, site=Site(site_domain="example.org"))
    await nobody.tell_staff(asked)
    await nobody.staff_outbox.step()
    assert await nobody.staff_of(asked) == (Staff.DUE, NO_STAFF)
    clock.move(3_600.0)
    after = Desk(store=store, clock=clock)
    await after.staff_outbox.step()
    assert (await after.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_g24_the_staff_hear_of_an_inquiry_whose_form_is_gone(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, forms={})
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    await desk.staff_outbox.step()
    assert message_from_bytes(desk.relay.mails[0].data, policy=default)["Reply-To"] is None
    assert (await desk.staff_of(asked))[0] is Staff.SENT


@pytest.mark.anyio
async def test_the_gate_s_budgets_do_not_touch_the_staff(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, settings=tight(site_per_day=0))
    await prove_feedback(desk.store.ledger)
    asked = verdict(ANN)
    await desk.tell_staff(asked)
    assert (await desk.replies.reply(asked)).code == "SITE_RATE"
    await desk.staff_outbox.step()
    assert desk.relay.recipients() == [OFFICE, BOSS]


# ------------------------------------------------------------------------------------------- held, and help desks
@pytest.mark.anyio
async def test_g25_the_mail_of_a_held_inquiry_is_marked_and_names_nobody_to_reply_to(desk: Desk) -> None:
    suspect = verdict(ANN, score=6.5, judged=Action.QUARANTINE)
    body = urlencode({"email": ANN, "message": "hello there"}).encode()
    await desk.store.inquiries.keep(inquiry_of(suspect, body=body, staff=Staff.DUE, state=State.HELD), lease_s=0.0)
    await desk.staff_outbox.step()
    mail = message_from_bytes(desk.relay.mails[0].data, policy=default)
    assert str(mail["Subject"]).startswith("[held] contact: inquiry R-")
    assert mail["Reply-To"] is None
    assert "Note: held with 6.5 points: release or discard it" in mail.get_content()
    assert "message: hello there" in mail.get_content()


@pytest.mark.anyio
async def test_the_mail_of_one_whose_endpoint_failed_says_so(desk: Desk) -> None:
    failed = verdict(ANN)
    await desk.store.inquiries.keep(
        inquiry_of(failed, staff=Staff.DUE, state=State.HELD, note="endpoint failed: 500"), lease_s=0.0
    )
    await desk.staff_outbox.step()
    text = message_from_bytes(desk.relay.mails[0].data, policy=default).get_content()
    assert "Note: held (endpoint failed: 500): release or discard it" in text


def helpdesk(clock: MovableClock, settings: Mail = OPEN) -> Desk:
    return Desk(store=memory(clock), clock=clock, settings=settings, staffing=Staffing(staff_mailbox="helpdesk"))


@pytest.mark.anyio
async def test_g24_a_help_desk_gets_mail_it_will_not_suspend(clock: MovableClock) -> None:
    desk = helpdesk(clock)
    await desk.tell_staff(verdict(ANN))
    await desk.staff_outbox.step()
    mail = message_from_bytes(desk.relay.mails[0].data, policy=default)
    assert (mail["X-Auto-Response-Suppress"], mail["Auto-Submitted"], mail["Reply-To"]) == (None, None, ANN)


@pytest.mark.anyio
async def test_g24_the_answer_of_a_help_desk_takes_its_place_in_every_budget(clock: MovableClock) -> None:
    desk = helpdesk(clock, tight(site_per_hour=1))
    first, second = verdict(ANN), verdict()
    for asked in (first, second):
        await desk.tell_staff(asked)
        await desk.staff_outbox.step()
    answered = [message_from_bytes(mail.data, policy=default)["Reply-To"] for mail in desk.relay.mails]
    assert answered == [ANN, ANN, None, None]
    assert (await row_of(desk.store, first)).state == "lost"
    assert await desk.accept(verdict()) == "SITE_RATE"


@pytest.mark.anyio
async def test_g24_a_mail_to_a_help_desk_that_comes_again_keeps_its_reply_to(clock: MovableClock) -> None:
    desk = helpdesk(clock, tight(site_per_hour=1))
    await desk.tell_staff(verdict(ANN))
    desk.relay.answers.update({OFFICE: DOWN, BOSS: DOWN})
    await desk.staff_outbox.step()
    desk.relay.answers.clear()
    clock.move(20.0)
    await desk.staff_outbox.step()
    answered = [message_from_bytes(mail.data, policy=default)["Reply-To"] for mail in desk.relay.mails]
    assert answered == [ANN] * 4


@pytest.mark.anyio
async def test_g24_a_help_desk_answers_nobody_who_has_our_own_reply_or_whom_the_gate_would_not_mail(
    clock: MovableClock,
) -> None:
    desk = helpdesk(clock)
    replied, doubted = verdict(ANN), verdict(standing=Standing.DOUBTFUL)
    await desk.tell_staff(replied)
    assert (await desk.replies.reply(replied)).code == "OK"
    await desk.tell_staff(doubted)
    await desk.staff_outbox.step()
    assert [message_from_bytes(mail.data, policy=default)["Reply-To"] for mail in desk.relay.mails] == [None] * 4
    assert await desk.store.ledger.replies([doubted.id]) == {}  # nothing waits for the owner


@pytest.mark.anyio
async def test_g24_without_a_ledger_a_help_desk_answers_nobody(clock: MovableClock) -> None:
    desk = Desk(store=memory(clock), clock=clock, ledger=DownLedger(), staffing=Staffing(staff_mailbox="helpdesk"))
    await desk.tell_staff(verdict(ANN))
    await desk.staff_outbox.step()
    assert message_from_bytes(desk.relay.mails[0].data, policy=default)["Reply-To"] is None
