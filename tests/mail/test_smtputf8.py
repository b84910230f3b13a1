"""A mailbox whose name is beyond ASCII: mailed where every relay says it can, and told where it cannot (RFC 6531)."""

import pytest

from formwarden.mail.smtp import NO_SMTPUTF8, SmtpSender
from tests.clock import MovableClock
from tests.mail.desks import Desk
from tests.mail.gate_samples import memory, row_of, verdict
from tests.servers.smtp import SmtpPeer

YAMADA = "山田@example.com"


@pytest.mark.anyio
async def test_a_relay_that_offers_smtputf8_gets_the_mail(clock: MovableClock) -> None:
    with SmtpPeer(utf8=True) as peer:
        desk, wanted = Desk(store=memory(clock), clock=clock, sender=SmtpSender(peer.url)), verdict(YAMADA)
        assert await desk.accept(wanted) == "OK"
        assert await desk.outbox.step() == 1
        (mail,) = peer.mails
    assert mail.rcpt_tos == (YAMADA,)
    assert mail.smtputf8
    assert "BODY=8BITMIME" in mail.mail_options
    assert f"To: {YAMADA}\r\n".encode() in mail.data
    assert await desk.state(wanted) == "sent"


@pytest.mark.anyio
async def test_a_relay_that_does_not_is_told_nothing_and_the_owner_is_told_why(clock: MovableClock) -> None:
    with SmtpPeer(utf8=False) as peer:
        desk, wanted = Desk(store=memory(clock), clock=clock, sender=SmtpSender(peer.url)), verdict(YAMADA)
        assert await desk.accept(wanted) == "OK"
        assert await desk.outbox.step() == 1
        assert (peer.mails, peer.untaken) == ((), ())
        row = await row_of(desk.store, wanted)
        assert (row.state, row.last) == ("refused", f"553 {NO_SMTPUTF8}")
        assert await desk.outbox.step() == 0  # it is not tried again: the relay would say the same
    later = verdict(YAMADA, id=b"another submission")
    clock.move(30 * 86_400)
    assert await desk.accept(later) == "OK"  # nobody's mailbox is at fault, so none is suppressed


@pytest.mark.anyio
async def test_an_address_in_ascii_needs_nothing_of_the_kind(clock: MovableClock) -> None:
    with SmtpPeer(utf8=False) as peer:
        desk, wanted = Desk(store=memory(clock), clock=clock, sender=SmtpSender(peer.url)), verdict("bob@例え.jp")
        assert await desk.accept(wanted) == "OK"
        assert await desk.outbox.step() == 1
        (mail,) = peer.mails
    assert mail.rcpt_tos == ("bob@xn--r8jz45g.jp",)
    assert mail.data.isascii()
