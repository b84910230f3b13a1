"""The outbox and what providers have against us: what it settles, what it stops, whom it lets go first."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from formwarden.address.report import Flag, Reason, Status
from formwarden.mail.sender import SendResult, SendState
from formwarden.scoring import Verdict
from formwarden.stores.ports import Alarm, Shut, Store
from tests.clock import MovableClock
from tests.mail.desks import DEAD, DOWN, MINUTE, Desk
from tests.mail.gate_samples import Reports, report, row_of, tight, verdict

HOUR, DAY = 3_600.0, 86_400.0
DISTRUST = "5.7.1 our system has detected a very low reputation of your domain"
UNSAFE = "5.7.26 this mail is unauthenticated"


@pytest.fixture
def desk(store: Store, clock: MovableClock) -> Desk:
    return Desk(store=store, clock=clock)


def of(group: str, desk: Desk, *, ip: str | None = None, score: float = 0.0) -> Verdict:
    """Somebody new at this provider, whom the address check knows."""
    new = verdict(ip=ip, score=score)
    flags = [Flag.FREEMAIL] if "." not in group else []
    address = f"{new.receipt.lower()}@{'gmail.com' if flags else group}"
    known = report(address, *flags, provider=group)
    desk.checker.known[address] = known
    return replace(new, address=address, report=known)


def says(text: str, code: int = 550) -> SendResult:
    return SendResult(state=SendState.REFUSED, code=code, text=text)


async def sent(desk: Desk, wanted: Verdict, answer: SendResult | None = None) -> str:
    """Ask for the reply, and let the worker hand it over to a relay that answers so; return what became of it."""
    assert wanted.address is not None
    if answer is not None:
        desk.relay.answers[wanted.address] = answer
    code = await desk.accept(wanted)
    if code != "OK":
        return code
    await desk.outbox.step()
    return await desk.state(wanted)


async def alarms(desk: Desk) -> Sequence[Alarm]:
    return await desk.store.measures.alarms(10, lease_s=60.0)


@pytest.mark.anyio
async def test_a_provider_s_distrust_in_the_session_stops_replies_to_it_at_once_and_alarms(desk: Desk) -> None:
    assert await sent(desk, of("google", desk), says(DISTRUST)) == "refused"
    assert await desk.accept(of("google", desk)) == "BREAKER_PROVIDER"
    assert await desk.accept(of("microsoft", desk)) == "OK"
    (alarm,) = await alarms(desk)
    assert "google" in alarm.text


@pytest.mark.anyio
async def test_a_provider_that_refuses_how_we_send_is_config_unsafe(desk: Desk) -> None:
    assert await sent(desk, of("google", desk), says(UNSAFE)) == "refused"
    assert await desk.accept(of("google", desk)) == "CONFIG_UNSAFE"
    (breaker,) = await desk.store.measures.breakers()
    assert (breaker.label, breaker.shut) == ("google", Shut.CONFIG)


@pytest.mark.anyio
async def test_g12_an_mx_of_the_attacker_s_closes_its_own_domain_only(desk: Desk) -> None:
    quoted = says(f"host mx.evil.net[192.0.2.66] said: 550 {DISTRUST}")
    assert await sent(desk, of("google", desk), quoted) == "refused"
    assert await sent(desk, of("evil.net", desk), quoted) == "refused"
    assert await desk.accept(of("google", desk)) == "OK"
    assert await desk.accept(of("evil.net", desk)) == "BREAKER_PROVIDER"
    assert await desk.accept(of("mailhost.net", desk)) == "OK"


@pytest.mark.anyio
async def test_g12_mx_that_changed_since_the_reply_was_granted_speak_for_nobody(desk: Desk) -> None:
    turning = of("google", desk)
    assert turning.address is not None
    desk.relay.answers[turning.address] = says(f"host mx.evil.net[192.0.2.66] said: 550 {DISTRUST}")
    assert await desk.accept(turning) == "OK"
    desk.checker.known[turning.address] = report(turning.address, provider="evil.net")
    await desk.outbox.step()
    assert await desk.state(turning) == "refused"
    assert await desk.accept(of("google", desk)) == "OK"
    assert await desk.store.measures.breakers() == ()


@pytest.mark.anyio
async def test_g12_the_provider_s_own_host_is_believed_through_a_relay(desk: Desk) -> None:
    quoted = says(f"host gmail-smtp-in.l.google.com[192.0.2.1] said: 550 {DISTRUST}")
    await sent(desk, of("google", desk), quoted)
    assert await desk.accept(of("google", desk)) == "BREAKER_PROVIDER"


@pytest.mark.anyio
async def test_row_11_what_was_due_when_the_breaker_opened_is_dropped_and_gives_its_slot_back(
    store: Store, clock: MovableClock
) -> None:
    desk = Desk(store=store, clock=clock, settings=tight(site_per_day=2))
    first, waiting = of("google", desk), of("google", desk)
    assert first.address is not None
    desk.relay.answers[first.address] = says(DISTRUST)
    assert [await desk.accept(each) for each in (first, waiting)] == ["OK", "OK"]
    await desk.outbox.step()
    row = await row_of(store, waiting)
    assert (row.state, row.last) == ("dropped", "BREAKER_PROVIDER")
    assert desk.relay.recipients() == [first.address]
    assert await desk.accept(of("mailhost.net", desk)) == "OK"


@pytest.mark.anyio
async def test_row_11_while_dns_does_not_tell_the_provider_nothing_leaves_behind_its_breaker(
    store: Store, clock: MovableClock
) -> None:
    desk = Desk(store=store, clock=clock, settings=tight(site_per_day=2))
    first, waiting = of("google", desk), of("google", desk)
    assert first.address is not None
    assert waiting.address is not None
    desk.relay.answers[first.address] = says(DISTRUST)
    assert [await desk.accept(each) for each in (first, waiting)] == ["OK", "OK"]
    known = desk.checker.known[waiting.address]
    desk.checker.known[waiting.address] = replace(known, status=Status.UNKNOWN, reason=Reason.TIMEOUT, provider=None)
    await desk.outbox.step()
    assert (await row_of(store, waiting)).state == "due"
    desk.checker.known[waiting.address] = known
    clock.move(MINUTE)
    await desk.outbox.step()
    assert (await row_of(store, waiting)).last == "BREAKER_PROVIDER"
    assert desk.relay.recipients() == [first.address]


@pytest.mark.anyio
async def test_g15_a_domain_that_dns_never_tells_is_given_up_and_its_slot_given_back(
    store: Store, clock: MovableClock
) -> None:
    desk = Desk(store=store, clock=clock, settings=tight(site_per_day=1))
    waiting = of("mailhost.net", desk)
    assert waiting.address is not None
    assert await desk.accept(waiting) == "OK"
    known = desk.checker.known[waiting.address]
    desk.checker.known[waiting.address] = replace(known, status=Status.UNKNOWN, reason=Reason.SERVFAIL)
    for _ in range(5):
        await desk.outbox.step()
        clock.move(15 * MINUTE)
    assert (await row_of(store, waiting)).state == "dropped"
    assert desk.relay.recipients() == []
    assert await desk.accept(of("mailhost.net", desk)) == "OK"


@pytest.mark.anyio
async def test_row_05_a_domain_that_takes_no_mail_by_now_gets_none(desk: Desk) -> None:
    waiting = of("mailhost.net", desk)
    assert waiting.address is not None
    assert await desk.accept(waiting) == "OK"
    known = desk.checker.known[waiting.address]
    desk.checker.known[waiting.address] = replace(known, status=Status.UNDELIVERABLE, reason=Reason.NXDOMAIN)
    await desk.outbox.step()
    assert (await row_of(desk.store, waiting)).last == "ADDR_UNDELIVERABLE"
    assert desk.relay.recipients() == []


@pytest.mark.anyio
async def test_row_01_what_was_due_when_the_configuration_was_refused_is_dropped(desk: Desk) -> None:
    first, waiting = of("google", desk), of("google", desk)
    assert first.address is not None
    desk.relay.answers[first.address] = says(UNSAFE)
    for each in (first, waiting):
        await desk.accept(each)
    await desk.outbox.step()
    assert (await row_of(desk.store, waiting)).last == "CONFIG_UNSAFE"


@pytest.mark.anyio
async def test_g09_a_probe_that_was_granted_goes_on_while_the_breaker_is_half_open(desk: Desk) -> None:
    await sent(desk, of("google", desk), says(DISTRUST))
    desk.clock.move(4 * HOUR + 1)
    assert await sent(desk, of("google", desk)) == "sent"
    late = of("google", desk)
    assert await sent(desk, late, DOWN) == "due"
    desk.relay.answers.clear()
    desk.clock.move(MINUTE)
    await desk.outbox.step()
    assert await desk.state(late) == "sent"


@pytest.mark.anyio
async def test_g09_a_probe_that_cannot_leave_frees_its_place(desk: Desk) -> None:
    await sent(desk, of("google", desk), says(DISTRUST))
    desk.clock.move(4 * HOUR + 1)
    probes = [of("google", desk) for _ in range(3)]
    for each in probes:
        assert await desk.accept(each, recipient=None) == "OK"
    assert await desk.accept(of("google", desk)) == "BREAKER_PROBE"
    await desk.outbox.step()
    assert [await desk.state(each) for each in probes] == ["dropped"] * 3
    assert await desk.accept(of("google", desk)) == "OK"


@pytest.mark.anyio
async def test_g09_the_site_s_own_figures_open_the_breaker(store: Store, clock: MovableClock) -> None:
    desk = Desk(store=store, clock=clock, settings=tight(breaker_hard=2, breaker_bound=0.01))
    for number in range(2):
        assert await sent(desk, of(f"mailhost{number}.net", desk, ip=f"192.0.{number}.1"), DEAD) == "refused"
    assert await desk.accept(of("mailhost9.net", desk)) == "BREAKER_SITE"
    clock.move(4 * HOUR + 1)
    assert await desk.accept(of("mailhost9.net", desk)) == "OK"


@pytest.mark.anyio
async def test_g12_row_15_a_dead_mailbox_in_the_session_stops_its_client_for_7_days(desk: Desk) -> None:
    assert await sent(desk, of("google", desk, ip="192.0.2.7"), DEAD) == "refused"
    assert await desk.accept(of("mailhost.net", desk, ip="192.0.2.7")) == "CLIENT_BOUNCED"
    desk.clock.move(7 * DAY + 1)
    assert await desk.accept(of("mailhost.net", desk, ip="192.0.2.7")) == "OK"


# ------------------------------------------------------------------------------------------------------- the queue
@pytest.mark.anyio
async def test_g02_of_those_that_wait_the_lowest_score_is_answered_first(store: Store, clock: MovableClock) -> None:
    desk = Desk(store=store, clock=clock, settings=tight(site_per_minute=1))
    await sent(desk, of("mailhost.net", desk))
    worse, better = of("mailhost.net", desk, score=1.9), of("mailhost.net", desk, score=0.1)
    for each in (worse, better):
        assert await desk.accept(each) == "SITE_RATE"
    clock.move(MINUTE + 1)
    await desk.outbox.step()
    assert (await desk.state(better), await desk.state(worse)) == ("sent", "held")
    clock.move(MINUTE + 1)
    await desk.outbox.step()
    assert await desk.state(worse) == "sent"


@pytest.mark.anyio
async def test_g02_who_waited_in_vain_is_dropped_and_forgotten(store: Store, clock: MovableClock) -> None:
    desk = Desk(store=store, clock=clock, settings=tight(site_per_hour=1))
    await sent(desk, of("mailhost.net", desk))
    waiting = of("others.net", desk)
    assert await desk.accept(waiting) == "SITE_RATE"
    for _ in range(32):
        clock.move(MINUTE)
        await desk.outbox.step()
    assert await desk.state(waiting) == "dropped"
    assert len(desk.relay.mails) == 1
    kept = await store.inquiries.get(waiting.id)
    assert kept is not None
    assert kept.recipient is None


@pytest.mark.anyio
async def test_g02_a_breaker_that_opens_meanwhile_ends_the_wait(store: Store, clock: MovableClock) -> None:
    desk = Desk(store=store, clock=clock, settings=tight(site_per_minute=1), checker=Reports())
    waiting = of("google", desk)
    assert await desk.accept(of("google", desk)) == "OK"
    assert await desk.accept(waiting) == "SITE_RATE"
    desk.relay.answers.update(dict.fromkeys(desk.checker.known, says(DISTRUST)))
    clock.move(MINUTE + 1)
    await desk.outbox.step()
    row = await row_of(store, waiting)
    assert (row.state, row.code) == ("suppressed", "BREAKER_PROVIDER")
