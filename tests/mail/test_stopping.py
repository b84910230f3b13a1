"""A process that stops while a mail is on its way: what cannot have left is put back, the rest is spent (G15)."""

import asyncio
from collections.abc import Iterator

import pytest

from formwarden.address.report import AddressReport
from formwarden.errors import StoreError
from formwarden.mail.sender import NothingLeftError, SendState
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.worker import STOPPED
from formwarden.stores.ports import Staff
from tests.clock import MovableClock
from tests.ill_store import IllStore
from tests.mail.desks import ANN, Desk
from tests.mail.gate_samples import Reports, memory, verdict
from tests.servers.smtp import Phase, SmtpPeer


@pytest.fixture
def peer() -> Iterator[SmtpPeer]:
    with SmtpPeer() as peer:
        yield peer


def desk_at(peer: SmtpPeer, clock: MovableClock) -> Desk:
    return Desk(store=memory(clock), clock=clock, sender=SmtpSender(peer.url))


async def stopped(peer: SmtpPeer, step: asyncio.Task[int]) -> None:
    """Cancel a step that talks to the relay."""
    await peer.silent()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step


@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["connect", "ehlo", "mail"])
async def test_a_reply_that_cannot_have_left_is_due_again_at_once(
    phase: Phase, peer: SmtpPeer, clock: MovableClock
) -> None:
    peer.hang_at(phase)
    desk, wanted = desk_at(peer, clock), verdict(ANN)
    await desk.accept(wanted)
    await stopped(peer, asyncio.create_task(desk.outbox.step()))
    assert await desk.state(wanted) == "due"
    peer.behave()
    assert await desk.outbox.step() == 1
    assert await desk.state(wanted) == "sent"


@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["rcpt", "data", "end"])
async def test_a_reply_that_may_have_left_is_never_sent_again(
    phase: Phase, peer: SmtpPeer, clock: MovableClock
) -> None:
    peer.hang_at(phase)
    desk, wanted = desk_at(peer, clock), verdict(ANN)
    await desk.accept(wanted)
    await stopped(peer, asyncio.create_task(desk.outbox.step()))
    peer.behave()
    clock.move(86_400)
    assert await desk.outbox.step() == 0
    assert await desk.state(wanted) == "lost"
    assert peer.mails == ()


@pytest.mark.anyio
async def test_staff_mail_is_put_back_too(peer: SmtpPeer, clock: MovableClock) -> None:
    peer.hang_at("mail")
    desk, wanted = desk_at(peer, clock), verdict(ANN)
    await desk.tell_staff(wanted)
    await stopped(peer, asyncio.create_task(desk.staff_outbox.step()))
    assert await desk.staff_of(wanted) == (Staff.DUE, STOPPED)
    peer.behave()
    assert await desk.staff_outbox.step() == 1


class Waits(Reports):
    """A look-up that does not end."""

    begun = asyncio.Event()

    async def verify(self, raw: str, /) -> AddressReport:
        self.begun.set()
        await asyncio.Event().wait()
        return await super().verify(raw)


@pytest.mark.anyio
async def test_a_reply_that_was_taken_and_not_yet_composed_is_put_back(clock: MovableClock) -> None:
    desk, wanted = Desk(store=memory(clock), clock=clock, checker=Waits()), verdict(ANN)
    await desk.accept(wanted)
    step = asyncio.create_task(desk.outbox.step())
    await Waits.begun.wait()
    assert await desk.state(wanted) == "taken"
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    assert await desk.state(wanted) == "due"


@pytest.mark.anyio
async def test_a_store_that_is_down_then_swallows_no_cancellation(peer: SmtpPeer, clock: MovableClock) -> None:
    peer.hang_at("mail")
    store = IllStore(memory(clock))
    desk, wanted = Desk(store=store, clock=clock, sender=SmtpSender(peer.url)), verdict(ANN)
    await desk.accept(wanted)
    store.fails("ledger.settle", StoreError("disk full"))
    await stopped(peer, asyncio.create_task(desk.outbox.step()))
    assert desk.faults.of("ledger") == 1


@pytest.mark.anyio
@pytest.mark.parametrize(("phase", "early"), [("connect", True), ("mail", True), ("rcpt", False), ("end", False)])
async def test_a_sender_says_whether_anything_can_have_left(phase: Phase, early: bool, peer: SmtpPeer) -> None:  # noqa: FBT001 - a table
    peer.hang_at(phase)
    sending = asyncio.create_task(
        SmtpSender(peer.url).send("a@x.example", ANN, b"Subject: x\r\n\r\nx", deadline_s=20)
    )
    await peer.silent()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await sending
    assert isinstance(raised.value, NothingLeftError) is early
    assert sending.cancelled()


@pytest.mark.anyio
async def test_an_interpreter_that_ends_starts_no_look_up_and_nothing_has_left() -> None:
    loop = asyncio.get_running_loop()
    await loop.shutdown_default_executor()  # as at the end of a process
    result = await SmtpSender("smtp://relay.invalid").send("a@x.example", ANN, b"Subject: x\r\n\r\nx", deadline_s=5)
    assert result.state is SendState.NOT_SENT
