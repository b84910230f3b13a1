"""Inquiries beyond the hour's single mails are gathered, and none is left out (G24)."""

import asyncio
from collections import Counter
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.gathering import MOST
from formwarden.mail.sender import NothingLeftError, SendResult
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.staff_settings import Staffing
from formwarden.mail.worker import STOPPED
from formwarden.site import Site
from formwarden.stores.ports import Staff
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.ill_store import IllStore
from tests.mail.desks import (
    BOSS,
    DEAD,
    DOWN,
    MINUTE,
    OFFICE,
    QUARTER,
    Desk,
    DyingSender,
    drain,
    subjects,
    tell_many,
    texts,
)
from tests.mail.gate_samples import (
    RecordingSender,
    memory,
)
from tests.proof import Proof
from tests.servers.smtp import SmtpPeer
from tests.soak import runs

ALONE = Site(site_domain="example.org", staff_address=(OFFICE,))


@pytest.fixture
def few(clock: MovableClock) -> Desk:
    """Three an hour go singly."""
    clock.move(QUARTER - clock.now() % QUARTER + 1)
    return Desk(store=memory(clock), clock=clock, staffing=Staffing(staff_per_hour=3))


@pytest.mark.anyio
async def test_g24_sixty_go_singly_and_the_rest_in_one_mail_when_the_quarter_is_over(clock: MovableClock) -> None:
    clock.move(QUARTER - clock.now() % QUARTER + 1)
    desk = Desk(store=memory(clock), clock=clock, site=ALONE)
    told = await tell_many(desk, 100)
    await drain(desk, 14 / 60)
    assert len(texts(desk)) == 60
    await drain(desk, 2 / 60)
    assert len(texts(desk)) == 61
    text = texts(desk)[-1]
    assert [f"Receipt: {each.receipt}\n" in text for each in told] == [False] * 60 + [True] * 40
    assert text.count("message: hello there") == 40
    assert subjects(desk)[-1] == "contact: 40 inquiries in one mail"
    assert {(await desk.staff_of(each))[0] for each in told} == {Staff.SENT}


@pytest.mark.anyio
async def test_g24_in_a_lasting_flood_each_hour_has_so_many_single_mails_and_four_gathered(few: Desk) -> None:
    told = []
    for _ in range(3 * 60):
        told += await tell_many(few, 1)
        await drain(few, 1 / 60)
    await drain(few, 16 / 60)
    receipts = "\n".join(texts(few))
    assert all(receipts.count(f"Receipt: {each.receipt}\n") == 1 for each in told)
    single = [text for text in texts(few) if "were gathered" not in text]
    assert 9 <= len(single) <= 12
    assert 12 <= len(texts(few)) - len(single) <= 13


@pytest.mark.anyio
async def test_g24_what_is_alike_stands_together_behind_what_is_not_and_no_text_is_left_out(few: Desk) -> None:
    await tell_many(few, 3)
    flood = "buy our wonderful pills, they are cheap and they are good for you"
    await tell_many(few, 2, prints=["f"], message=flood)
    (person,) = await tell_many(few, 1, message="do you repair violin bows? mine has lost its hair")
    (other,) = await tell_many(few, 1, prints=["f"], message=flood + " indeed")
    await drain(few, 16 / 60)
    text = texts(few)[-1]
    assert text.index(f"Receipt: {person.receipt}\n") < text.index(flood)
    assert (text.count(flood), text.count("(the same as in")) == (2, 1)
    assert "(like R-" in text
    assert flood + " indeed" in text
    assert f"Receipt: {other.receipt}\n" in text


@pytest.mark.anyio
async def test_g24_a_gathered_mail_names_nobody_to_reply_to(few: Desk) -> None:
    told = await tell_many(few, 5)
    await drain(few, 16 / 60)
    mail = message_from_bytes(few.relay.mails[-1].data, policy=default)
    assert mail["Reply-To"] is None
    assert f"Address: {told[-1].address}" in mail.get_content()


@pytest.mark.anyio
async def test_g24_a_gathered_mail_is_bounded_and_the_next_takes_the_rest(clock: MovableClock) -> None:
    clock.move(QUARTER - clock.now() % QUARTER + 1)
    desk = Desk(store=memory(clock), clock=clock, staffing=Staffing(staff_per_hour=0), characters=5_000)
    told = await tell_many(desk, 20, message="x" * 1_000)
    (huge,) = await tell_many(desk, 1, message="y" * 20_000)
    await drain(desk, 17 / 60)
    sizes = [len(text) for text in texts(desk)]
    assert all(size <= 5_000 for size in sizes if size < 20_000)
    assert len(sizes) >= 6
    whole = "\n".join(texts(desk))
    assert all(whole.count(f"Receipt: {each.receipt}\n") == 1 for each in (*told, huge))


@pytest.mark.anyio
async def test_g24_of_a_gathered_mail_each_gets_what_he_lacks(few: Desk) -> None:
    told = await tell_many(few, 5)
    few.relay.answers[OFFICE] = DEAD
    await drain(few, 16 / 60)
    assert few.faults.of("staff mail") > 0
    few.relay.answers.clear()
    few.relay.mails.clear()
    later = await tell_many(few, 2)
    await drain(few, 32 / 60)
    office, boss = "\n".join(texts(few)), "\n".join(texts(few, BOSS))
    assert all(f"Receipt: {each.receipt}\n" in office for each in (*told[3:], *later))
    assert all(f"Receipt: {each.receipt}\n" not in boss for each in told[3:])
    assert all(boss.count(f"Receipt: {each.receipt}\n") == 1 for each in later)
    assert {(await few.staff_of(each))[0] for each in (*told, *later)} == {Staff.SENT}


@pytest.mark.anyio
async def test_g24_a_gathered_mail_that_no_relay_took_comes_again_with_the_next_quarter(few: Desk) -> None:
    told = await tell_many(few, 5)
    few.relay.answers.update({OFFICE: DOWN, BOSS: DOWN})
    await drain(few, 20 / 60)
    assert (await few.staff_of(told[-1])) == (Staff.DUE, "connect: refused")
    few.relay.answers.clear()
    few.relay.mails.clear()
    await drain(few, 16 / 60)
    assert sum(text.count(f"Receipt: {told[-1].receipt}\n") for text in texts(few)) == 1
    assert {(await few.staff_of(each))[0] for each in told} == {Staff.SENT}


@pytest.mark.anyio
async def test_g24_a_gathered_mail_that_cannot_be_written_stays_due_and_says_why(clock: MovableClock) -> None:
    desk = Desk(
        store=memory(clock), clock=clock, site=Site(staff_address=(OFFICE,)), staffing=Staffing(staff_per_hour=0)
    )
    (asked,) = await tell_many(desk, 1)
    await drain(desk, 16 / 60)
    state, note = await desk.staff_of(asked)
    assert (state, "FORMWARDEN_SITE_DOMAIN" in note) == (Staff.DUE, True)


@pytest.mark.anyio
async def test_g24_a_crash_in_the_middle_of_a_gathered_mail_mails_it_again_rather_than_never(
    clock: MovableClock,
) -> None:
    store, staffing = memory(clock), Staffing(staff_per_hour=0)
    dying = Desk(store=store, clock=clock, sender=DyingSender(), staffing=staffing)
    told = await tell_many(dying, 3)
    clock.move(QUARTER)
    with pytest.raises(asyncio.CancelledError):
        await dying.staff_outbox.step()
    after = Desk(store=store, clock=clock, staffing=staffing)
    await drain(after, 1)
    assert all(sum(text.count(f"Receipt: {each.receipt}\n") for text in texts(after)) == 1 for each in told)


@pytest.mark.anyio
async def test_g24_a_process_that_stops_before_anything_left_gives_the_whole_batch_to_another_at_once(
    clock: MovableClock,
) -> None:
    class Stopping:
        async def send(self, *_: object, deadline_s: float) -> SendResult:
            raise NothingLeftError(deadline_s)

    store, staffing = memory(clock), Staffing(staff_per_hour=0)
    dying = Desk(store=store, clock=clock, sender=Stopping(), staffing=staffing, characters=600)
    told = await tell_many(dying, 5)
    clock.move(QUARTER)
    with pytest.raises(asyncio.CancelledError):
        await dying.staff_outbox.step()
    assert {await dying.staff_of(each) for each in told} == {(Staff.DUE, STOPPED)}
    after = Desk(store=store, clock=clock, staffing=staffing)
    assert await after.staff_outbox.step() == 5


@pytest.mark.anyio
async def test_g24_a_store_that_forgets_a_gathered_mail_doubles_it_for_nobody(clock: MovableClock) -> None:
    well = memory(clock)
    store, staffing = IllStore(well), Staffing(staff_per_hour=0)
    desk = Desk(store=store, clock=clock, staffing=staffing)
    told = await tell_many(desk, 3)
    clock.move(QUARTER)
    store.fails("inquiries.staff", StoreError("disk full"))
    await desk.staff_outbox.step()
    assert desk.faults.of("inquiries") == 1
    store.fails("inquiries.staff", None)
    await drain(desk, 1)
    assert len(texts(desk)) == 1
    assert {(await desk.staff_of(each))[0] for each in told} == {Staff.SENT}


@pytest.mark.anyio
async def test_g24_without_a_staff_address_nothing_is_gathered(clock: MovableClock) -> None:
    nobody = Desk(
        store=memory(clock), clock=clock, site=Site(site_domain="example.org"), staffing=Staffing(staff_per_hour=0)
    )
    await tell_many(nobody, 1)
    clock.move(QUARTER)
    assert await nobody.staff_outbox.step() == 0


@pytest.mark.anyio
async def test_g24_several_processes_together_send_no_more_than_so_many_singly(
    clock: MovableClock, tmp_path: Path
) -> None:
    clock.move(QUARTER - clock.now() % QUARTER + 1)
    stores = [
        SqliteStore(
            str(tmp_path / "formwarden.db"),
            clock=clock,
            entropy=system_entropy,
            settings=Stores(),
            faults=Faults(clock),
        )
        for _ in range(3)
    ]
    sender = RecordingSender()
    desks = [Desk(store=store, clock=clock, sender=sender, staffing=Staffing(staff_per_hour=6)) for store in stores]
    told = await tell_many(desks[0], 20)
    for _ in range(17):
        await asyncio.gather(*(desk.staff_outbox.step(5) for desk in desks * 2))
        clock.move(MINUTE)
    receipts = "\n".join(texts(desks[0]))
    assert len([text for text in texts(desks[0]) if "were gathered" not in text]) == 6
    assert all(receipts.count(f"Receipt: {each.receipt}\n") == 1 for each in told)
    for store in stores:
        await store.aclose()


@pytest.mark.anyio
async def test_g24_for_people_every_mail_suppresses_automatic_answers(few: Desk) -> None:
    await tell_many(few, 5)
    await drain(few, 16 / 60)
    for sent in few.relay.mails:
        mail = message_from_bytes(sent.data, policy=default)
        assert (mail["X-Auto-Response-Suppress"], mail["Auto-Submitted"]) == ("All", "auto-generated")


@pytest.mark.anyio
async def test_a_batch_that_takes_long_is_left_to_the_next_before_its_lease_is_over(clock: MovableClock) -> None:
    class Slow(RecordingSender):
        """Each conversation takes as long as it may."""

        async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
            clock.move(deadline_s)
            return await super().send(envelope_from, recipient, data, deadline_s=deadline_s)

    desk = Desk(
        store=memory(clock),
        clock=clock,
        sender=Slow(),
        staffing=Staffing(staff_per_hour=0),
        characters=1_000,
    )
    told = await tell_many(desk, 30, message="x" * 500)
    clock.move(QUARTER)
    assert await desk.staff_outbox.step() == 30
    assert len(texts(desk)) < 30
    other = Desk(store=desk.store, clock=clock, staffing=Staffing(staff_per_hour=0))
    assert await other.staff_outbox.step() > 0  # at once
    whole = "\n".join(texts(desk) + texts(other))
    assert all(whole.count(f"Receipt: {each.receipt}\n") == 1 for each in told)


@pytest.mark.anyio
@pytest.mark.soak
async def test_g24_after_a_day_without_a_relay_everything_is_told_once_in_bounded_mails(
    clock: MovableClock, tmp_path: Path, proof: Proof
) -> None:
    store = SqliteStore(
        str(tmp_path / "formwarden.db"), clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock)
    )
    per_hour = runs(5, 84)  # 2,000 in a day
    with SmtpPeer() as peer:
        desk = Desk(
            store=store, clock=clock, sender=SmtpSender(peer.url), site=ALONE, staffing=Staffing(staff_per_hour=5)
        )
        peer.refuse_connections()
        told = []
        for _ in range(24):
            told += await tell_many(desk, per_hour)
            await drain(desk, 1, pace_s=3_600.0)
        assert not peer.mails
        peer.listen()
        await drain(desk, 0.5)
        whole = [message_from_bytes(mail.data, policy=default).get_content() for mail in peer.mails]
    receipts = Counter(line.strip() for text in whole for line in text.splitlines() if line.startswith("Receipt: "))
    assert receipts == {f"Receipt: {each.receipt}": 1 for each in told}
    assert max(len(mail.data) for mail in peer.mails) < 400_000
    assert max(text.count("Receipt: ") for text in whole) <= MOST
    assert {(await desk.staff_of(each))[0] for each in told} == {Staff.SENT}
    proof("A day without a relay: the staff is told of everything once", inquiries=len(told), mails=len(peer.mails))
    await store.aclose()
