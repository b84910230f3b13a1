"""The outbox over a real ledger: replies at most once (G15)."""

import asyncio
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from formwarden.address.report import AddressReport, Status
from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.outbox import NO_LEFT
from formwarden.mail.sender import SendResult
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.verp import Verp
from formwarden.scoring import Standing, Verdict
from formwarden.site import Site
from formwarden.stores.ports import Outcome, Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.mail.desks import (
    ANN,
    BOSS,
    BROKEN,
    DEAD,
    DOWN,
    MINUTE,
    OFFICE,
    POLICY,
    Desk,
    DyingSender,
)
from tests.mail.gate_samples import (
    DownLedger,
    RecordingSender,
    inquiry_of,
    memory,
    row_of,
    tight,
    unknown,
    verdict,
)
from tests.servers.smtp import SmtpPeer


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
    assert await desk.accept(verdict(ip="198.51.100.1")) == "SITE_RATE"


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
    desk = Desk(store=memory(clock), clock=clock, settings=tight(site_per_day=1, queued_replies=0))
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
            await desk.staff_outbox.step()
        mails = await peer.arrived(3)
        assert [mail.rcpt_tos for mail in mails] == [(ANN,), (OFFICE,), (BOSS,)]
        assert b"Auto-Submitted: auto-generated" in mails[0].data
        assert [await desk.state(each) for each in (person, dead)] == ["sent", "refused"]
    await store.aclose()
