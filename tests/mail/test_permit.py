"""The gate for callers with a mailer of their own: ruling G17."""

import asyncio
import smtplib
from dataclasses import replace
from email.message import EmailMessage

import aiosmtplib
import pytest

from formwarden.address.report import Flag
from formwarden.faults import Faults
from formwarden.mail.permit import PERMIT_LEASE_S
from formwarden.mail.replies import Replies
from formwarden.scoring import Action, Standing, Verdict
from formwarden.stores.ports import Key, Store
from formwarden.subjects import Subjects
from tests.clock import MovableClock
from tests.mail.gate_samples import DownLedger, memory, replies, report, row_of, tight, verdict
from tests.servers.smtp import SmtpPeer

ANN = "ann@example.com"
ONE_AN_HOUR = tight(site_per_hour=1)


@pytest.fixture
def store(clock: MovableClock) -> Store:
    return memory(clock)


async def is_spent(gate: Replies) -> bool:
    return (await gate.preview(verdict(ip="198.51.100.1"))).code == "SITE_RATE"  # a client that has no bounce


async def cause(store: Store, kind: str, value: str) -> str | None:
    key: Key = Subjects(await store.recipient_keys()).keys(kind, value)[0]
    return (await store.ledger.reputation((key,))).suppressed.get(key)


async def leave(gate: Replies, wanted: Verdict, error: Exception, *, refund: bool = False) -> None:
    """Leave a granted block by this exception, which must come out again."""

    async def block() -> None:
        async with gate.permit(wanted) as permit:
            assert permit.granted
            if refund:
                permit.refund()
            raise error

    with pytest.raises(type(error)) as caught:
        await block()
    assert caught.value is error


def named(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__name__}"


@pytest.mark.anyio
async def test_g17_leaving_the_block_keeps_the_slot_spent(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict()
    async with gate.permit(wanted) as permit:
        assert (permit.granted, permit.code) == (True, "OK")
    assert (await row_of(store, wanted)).state == "sent"
    assert await is_spent(gate)


@pytest.mark.anyio
async def test_g17_refund_gives_it_back(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict()
    async with gate.permit(wanted) as permit:
        permit.refund()
    assert (await row_of(store, wanted)).state == "dropped"
    assert not await is_spent(gate)


@pytest.mark.anyio
async def test_g17_inside_the_block_nobody_else_may_send_it(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock), verdict()
    async with gate.permit(wanted):
        assert (await row_of(store, wanted)).state == "taken"
        clock.move(PERMIT_LEASE_S - 1)
        assert await store.ledger.due(10, lease_s=60.0) == ()
        async with gate.permit(wanted) as second:
            assert (second.granted, second.code) == (False, "DUP_LINEAGE")
    clock.move(86_400.0)
    assert await store.ledger.due(10, lease_s=60.0) == ()
    assert (await row_of(store, wanted)).state == "sent"


@pytest.mark.anyio
async def test_g17_a_process_that_dies_in_the_block_leaves_a_spent_slot(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict()
    await gate.permit(wanted).__aenter__()
    clock.move(PERMIT_LEASE_S)
    assert await store.ledger.due(10, lease_s=60.0) == ()
    assert (await row_of(store, wanted)).state == "lost"
    assert await is_spent(gate)


@pytest.mark.anyio
async def test_g17_an_exception_of_the_caller_s_keeps_the_slot_spent(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict()
    await leave(gate, wanted, ZeroDivisionError())
    assert (await row_of(store, wanted)).state == "lost"
    assert await is_spent(gate)


@pytest.mark.anyio
async def test_g17_a_cancelled_block_keeps_the_slot_spent_however_often_it_is_cancelled(
    store: Store, clock: MovableClock
) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict()
    inside = asyncio.Event()

    async def send() -> None:
        async with gate.permit(wanted):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(send())
    await inside.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert (await row_of(store, wanted)).state == "lost"
    assert await is_spent(gate)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({ANN: (550, b"5.1.1 no such user")}),
        aiosmtplib.SMTPRecipientRefused(550, "5.1.1 no such user", ANN),
        aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(550, "5.1.1 no such user", ANN)]),
        smtplib.SMTPDataError(550, b"5.1.1 no such user"),
        aiosmtplib.SMTPDataError(550, "5.1.1 no such user"),
    ],
    ids=named,
)
async def test_g17_what_the_relay_said_of_the_recipient_is_settled_and_raised_again(
    error: Exception, store: Store, clock: MovableClock
) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict(ANN)
    await leave(gate, wanted, error)
    row = await row_of(store, wanted)
    assert (row.state, row.last) == ("refused", "550 5.1.1 no such user")
    assert await cause(store, "address", ANN) == "hard"
    assert await is_spent(gate)


@pytest.mark.anyio
async def test_g17_a_dead_domain_suppresses_the_domain(store: Store, clock: MovableClock) -> None:
    await leave(
        replies(store, clock), verdict(ANN), smtplib.SMTPRecipientsRefused({ANN: (550, b"5.1.2 no such domain")})
    )
    assert await cause(store, "domain", "example.com") == "domain"
    assert await cause(store, "address", ANN) is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPAuthenticationError(535, b"5.1.1 unknown user"),
        smtplib.SMTPSenderRefused(550, b"5.1.1 unknown user", "shop@example.org"),
        smtplib.SMTPConnectError(550, b"5.1.1 unknown user"),
        smtplib.SMTPHeloError(550, b"5.1.1 unknown user"),
        aiosmtplib.SMTPAuthenticationError(535, "5.1.1 unknown user"),
        aiosmtplib.SMTPSenderRefused(550, "5.1.1 unknown user", "shop@example.org"),
    ],
    ids=named,
)
async def test_g17_what_was_refused_before_rcpt_is_ours_and_suppresses_nobody(
    error: Exception, store: Store, clock: MovableClock
) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict(ANN)
    await leave(gate, wanted, error)
    assert (await row_of(store, wanted)).state == "refused"
    assert await cause(store, "address", ANN) is None
    assert await is_spent(gate)


@pytest.mark.anyio
async def test_a_colleague_s_refused_address_does_not_suppress_the_stranger(
    store: Store, clock: MovableClock
) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict(ANN)
    refused = {"boss@example.org": (550, b"5.1.1 no such user")}
    await leave(gate, wanted, smtplib.SMTPRecipientsRefused(refused))
    assert (await row_of(store, wanted)).state == "lost"
    assert await cause(store, "address", ANN) is None
    assert await is_spent(gate)


@pytest.mark.anyio
async def test_g17_a_refund_does_not_undo_a_refusal_at_rcpt(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict(ANN)
    refusal = smtplib.SMTPRecipientsRefused({ANN: (550, b"5.1.1 no such user")})
    await leave(gate, wanted, refusal, refund=True)
    assert await is_spent(gate)


@pytest.mark.anyio
async def test_g17_a_refund_after_a_failed_connection_holds(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock, ONE_AN_HOUR), verdict(ANN)
    await leave(gate, wanted, smtplib.SMTPConnectError(421, b"busy"), refund=True)
    assert not await is_spent(gate)


@pytest.mark.anyio
async def test_g17_what_the_gate_refuses_is_no_permit_and_needs_no_settling(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock)
    for wanted, code in (
        (verdict(judged=Action.REJECT), "BOT"),
        (verdict(standing=Standing.DOUBTFUL), "HELD_SUSPECT"),
    ):
        async with gate.permit(wanted) as permit:
            assert (permit.granted, permit.code) == (False, code)
            permit.refund()
    with pytest.raises(ZeroDivisionError):
        async with gate.permit(verdict(judged=Action.REJECT)):
            raise ZeroDivisionError


@pytest.mark.anyio
async def test_g17_a_held_one_is_granted_when_the_owner_releases_it(store: Store, clock: MovableClock) -> None:
    gate, held = replies(store, clock), verdict(standing=Standing.DOUBTFUL)
    async with gate.permit(held) as permit:
        assert not permit.granted
    clock.move(3_600.0)
    assert await store.ledger.due(10, lease_s=60.0) == ()
    released = verdict(id=held.id, standing=Standing.DOUBTFUL, released=True)
    async with gate.permit(released) as permit:
        assert permit.granted


@pytest.mark.anyio
async def test_a_permit_needs_neither_our_relay_nor_our_text(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(smtp_url=None))
    async with gate.permit(verdict(form="silent")) as permit:
        assert permit.granted


@pytest.mark.anyio
async def test_before_it_is_entered_nothing_is_granted(store: Store, clock: MovableClock) -> None:
    permit = replies(store, clock).permit(verdict())
    assert (permit.granted, permit.code) == (False, "NOT_ENTERED")


@pytest.mark.anyio
async def test_without_a_ledger_no_permit(store: Store, clock: MovableClock) -> None:
    faults = Faults(clock)
    gate = replies(store, clock, ledger=DownLedger(), faults=faults)
    for wanted in (verdict(), verdict(recorded=False)):
        async with gate.permit(wanted) as permit:
            assert (permit.granted, permit.code) == (False, "LEDGER_DOWN")
    assert faults.of("ledger") == 1


class _SettlesNothing(DownLedger):
    """Reserves in a real ledger, and is gone when it is to settle."""

    def __init__(self, store: Store) -> None:
        self.reputation = store.ledger.reputation  # type: ignore[method-assign]  # the working half
        self.reserve = store.ledger.reserve  # type: ignore[method-assign]  # the working half


@pytest.mark.anyio
async def test_a_ledger_that_dies_inside_the_block_leaves_the_slot_spent(store: Store, clock: MovableClock) -> None:
    faults = Faults(clock)
    gate = replies(store, clock, ONE_AN_HOUR, ledger=_SettlesNothing(store), faults=faults)
    async with gate.permit(verdict()) as permit:
        assert permit.granted
        permit.refund()
    assert faults.of("ledger") == 1
    assert await is_spent(gate)


def at_google() -> Verdict:
    """Somebody new at one large provider."""
    new = verdict(ip=None)
    address = f"{new.receipt.lower()}@gmail.com"
    return replace(new, address=address, report=report(address, Flag.FREEMAIL, provider="google"))


DISTRUST = b"5.7.1 our system has detected a very low reputation"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (smtplib.SMTPDataError(550, DISTRUST), "BREAKER_PROVIDER"),
        (aiosmtplib.SMTPDataError(550, DISTRUST.decode()), "BREAKER_PROVIDER"),
        (smtplib.SMTPSenderRefused(421, b"4.7.28 unusual rate", "shop@example.org"), "BREAKER_PROVIDER"),
        (smtplib.SMTPDataError(550, b"5.7.26 unauthenticated"), "CONFIG_UNSAFE"),
        (smtplib.SMTPHeloError(501, b"5.5.4 invalid HELO"), "CONFIG_UNSAFE"),
        (smtplib.SMTPDataError(550, b"host mx.evil.net[192.0.2.66] said: 550 " + DISTRUST), "OK"),
        (smtplib.SMTPDataError(550, b"5.7.1 we do not like you"), "OK"),
    ],
    ids=repr,
)
async def test_g17_what_the_provider_has_against_us_opens_its_breaker(
    error: Exception, code: str, store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight())
    await leave(gate, at_google(), error)
    assert (await gate.preview(at_google())).code == code
    assert (await gate.preview(verdict())).code == "OK"


@pytest.mark.anyio
async def test_g17_row_15_a_bounce_through_the_caller_s_mailer_stops_its_client(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight())
    await leave(gate, verdict(ANN), smtplib.SMTPRecipientsRefused({ANN: (550, b"5.1.1 no such user")}))
    async with gate.permit(verdict()) as permit:
        assert permit.code == "CLIENT_BOUNCED"
    async with gate.permit(verdict(ip="192.0.2.2")) as permit:
        assert permit.granted


@pytest.mark.anyio
async def test_g17_row_18_a_permit_may_be_a_probe(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight())
    await leave(gate, at_google(), smtplib.SMTPDataError(550, DISTRUST))
    clock.move(4 * 3_600.0 + 1)
    for _ in range(3):
        async with gate.permit(at_google()) as permit:
            assert permit.granted
    async with gate.permit(at_google()) as permit:
        assert permit.code == "BREAKER_PROBE"


@pytest.mark.anyio
async def test_g02_nobody_waits_for_a_permit(store: Store, clock: MovableClock) -> None:
    gate, late = replies(store, clock, ONE_AN_HOUR), verdict()
    async with gate.permit(verdict()) as permit:
        assert permit.granted
    async with gate.permit(late) as permit:
        assert permit.code == "SITE_RATE"
    assert (await row_of(store, late)).state == "suppressed"


@pytest.mark.anyio
async def test_g09_the_site_s_own_figures_open_a_breaker_here_too(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(breaker_hard=1, breaker_bound=0.0))
    await leave(gate, verdict(ANN), smtplib.SMTPRecipientsRefused({ANN: (550, b"5.1.1 no such user")}))
    async with gate.permit(verdict(ip="192.0.2.2")) as permit:
        assert permit.code == "BREAKER_SITE"


@pytest.mark.anyio
async def test_g17_a_real_relay_s_refusal_through_a_real_mailer_is_settled(store: Store, clock: MovableClock) -> None:
    wanted = verdict(ANN)
    with SmtpPeer() as peer:
        peer.refuse_at("rcpt", "550 5.1.1 no such user", recipient=ANN)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "shop@example.org", ANN, "Thanks"

        async def send() -> None:
            async with replies(store, clock).permit(wanted) as permit:
                assert permit.granted
                await aiosmtplib.send(mail, hostname="127.0.0.1", port=peer.port)

        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await send()
    assert (await row_of(store, wanted)).state == "refused"
    assert await cause(store, "address", ANN) == "hard"
