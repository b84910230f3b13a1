"""The gate before a real ledger: what history allows, the queue, breakers and probes, clients that bounced."""

from collections import Counter
from dataclasses import replace

import pytest

from formwarden.address.report import Flag
from formwarden.mail.growth import day_of
from formwarden.mail.replies import Replies
from formwarden.scoring import Standing, Verdict
from formwarden.stores.ports import Decision, Growth, Ours, Outcome, OutcomeKind, Store
from formwarden.subjects import DAY_S, Subjects
from tests.clock import MovableClock
from tests.mail.gate_samples import inquiry_of, replies, report, row_of, tight, unknown, verdict

MINUTE, HOUR = 60.0, 3_600.0
ANN = "ann@example.com"


def gmail(**changes: object) -> Verdict:
    """Somebody new at one large provider."""
    new = verdict(**changes)  # type: ignore[arg-type]  # names and types are the caller's to get right
    address = f"{new.id.split()[-1].decode()}@gmail.com"
    return replace(new, address=address, report=report(address, Flag.FREEMAIL, provider="google"))


async def codes(gate: Replies, *verdicts: Verdict) -> list[str]:
    return [(await gate.reply(each)).code for each in verdicts]


async def settled(
    store: Store, wanted: Verdict, kind: OutcomeKind, *, ours: Ours = Ours.OTHER, evidence: bytes = b"session"
) -> None:
    """Take the reply as the worker does, and let this become of it."""
    row = await row_of(store, wanted)
    await store.ledger.settle(
        Outcome(id=evidence + row.reply_id, reply_id=row.reply_id, kind=kind, reason="said the relay", ours=ours)
    )


async def again(gate: Replies, store: Store, wanted: Verdict) -> tuple[Decision, str]:
    """Look at a held reply again, as the worker does."""
    assert wanted.report is not None
    result = await gate.decide_again(await row_of(store, wanted), inquiry_of(wanted), wanted.report)
    return result.decision, result.code


# ------------------------------------------------------------------------------------------------ what history allows
@pytest.mark.anyio
async def test_g06_row_17_the_day_that_clean_days_have_earned_is_granted(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_day=2, reply_ceiling_per_day=200))
    assert await codes(gate, *(verdict(ip=None) for _ in range(3))) == ["OK", "OK", "SITE_RATE"]
    assert await store.measures.grow(Growth(cap=4, day=day_of(clock.now())), after=None)
    assert await codes(gate, *(verdict(ip=None) for _ in range(3))) == ["OK", "OK", "SITE_RATE"]


@pytest.mark.anyio
async def test_g10_row_17_a_suspected_drip_leaves_few_replies_a_day_and_says_so(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(queued_replies=0))
    growth = Growth(cap=10_000, day=day_of(clock.now()), drip_cap=2, drip_at=clock.now())
    assert await store.measures.grow(growth, after=None)
    assert await codes(gate, *(verdict(ip=None) for _ in range(3))) == ["OK", "OK", "DRIP"]
    result = await gate.preview(verdict(ip=None))
    assert (result.row, "new addresses" in result.explanation) == (17, True)
    assert await store.measures.grow(replace(growth, drip_cap=None), after=growth)
    assert await codes(gate, verdict(ip=None)) == ["OK"]


# ------------------------------------------------------------------------------------------------------- the queue
@pytest.mark.anyio
async def test_g02_a_few_shown_replies_wait_for_a_spent_shared_budget_and_no_more(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(site_per_minute=1, queued_replies=2))
    first, waiting, late, over = (verdict(ip=None) for _ in range(4))
    results = [await gate.reply(each) for each in (first, waiting, late, over)]
    assert [(each.decision, each.code) for each in results] == [
        (Decision.SEND, "OK"),
        (Decision.HOLD, "SITE_RATE"),
        (Decision.HOLD, "SITE_RATE"),
        (Decision.SUPPRESS, "SITE_RATE"),
    ]
    assert results[1].until == clock.now() + 30 * MINUTE
    assert {each.standing for each in results} == {Standing.SHOWN}


@pytest.mark.anyio
async def test_g02_plain_known_and_releases_do_not_wait(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_minute=1))
    await gate.reply(verdict(ip=None))
    for who in (
        verdict(ip=None, standing=Standing.PLAIN),
        verdict(ip=None, standing=Standing.KNOWN),
        verdict(ip=None, standing=Standing.DOUBTFUL, released=True),
    ):
        result = await gate.reply(who)
        assert (result.decision, result.code) == (Decision.SUPPRESS, "SITE_RATE")


@pytest.mark.anyio
async def test_g02_nobody_waits_for_a_budget_of_his_own(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_minute=1, client_per_hour=1))
    await gate.reply(verdict())
    result = await gate.reply(verdict())
    assert (result.decision, result.code) == (Decision.SUPPRESS, "IP_RATE")


@pytest.mark.anyio
async def test_g02_who_waits_is_answered_when_there_is_a_slot(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_minute=1))
    waiting = verdict(ip=None)
    await codes(gate, verdict(ip=None), waiting)
    assert await again(gate, store, waiting) == (Decision.HOLD, "SITE_RATE")
    clock.move(MINUTE + 1)
    assert await again(gate, store, waiting) == (Decision.SEND, "OK")
    assert (await row_of(store, waiting)).state == "due"


@pytest.mark.anyio
async def test_g02_the_owner_s_hand_takes_one_out_of_the_queue_with_the_rest_of_the_budget(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(site_per_hour=4, shown_share=0.5))
    waiting = verdict(ip=None)
    assert await codes(gate, verdict(ip=None), verdict(ip=None), waiting) == ["OK", "OK", "SITE_RATE"]
    row = await row_of(store, waiting)
    result = await gate.decide_again(row, inquiry_of(waiting), report(waiting.address or ""), released=True)
    assert (result.decision, result.code) == (Decision.SEND, "OK")


@pytest.mark.anyio
async def test_g02_however_often_it_is_looked_at_nobody_waits_longer_than_half_an_hour(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(site_per_hour=1, provider_share=1.0))
    waiting = verdict(ip=None)
    await codes(gate, verdict(ip=None), waiting)
    end = (await row_of(store, waiting)).held_until
    for _ in range(5):
        clock.move(5 * MINUTE)
        assert await again(gate, store, waiting) == (Decision.HOLD, "SITE_RATE")
        assert (await row_of(store, waiting)).held_until == end
    clock.move(5 * MINUTE + 1)
    await store.ledger.due(10, lease_s=60.0)  # what is over ends here
    assert (await row_of(store, waiting)).state == "dropped"


@pytest.mark.anyio
async def test_g02_dns_that_fails_while_it_waits_holds_it_for_the_rest_of_the_hour(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(site_per_minute=1))
    waiting = verdict(ip=None)
    await codes(gate, verdict(ip=None), waiting)
    clock.move(10 * MINUTE)
    result = await gate.decide_again(await row_of(store, waiting), inquiry_of(waiting), unknown())
    assert (result.decision, result.code) == (Decision.HOLD, "ADDR_DNS_TEMP")
    assert result.until == clock.now() + 50 * MINUTE + 5 * MINUTE


@pytest.mark.anyio
async def test_g02_in_the_hour_after_a_spent_one_plain_gets_nothing_and_shown_does(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(site_per_hour=3, queued_replies=0))
    for _ in range(3):
        assert await codes(gate, verdict(ip=None)) == ["OK"]
        clock.move(15 * MINUTE)
    clock.move(16 * MINUTE)  # the first slot is free again, and the hour was spent half an hour ago
    plain = verdict(ip=None, standing=Standing.PLAIN)
    assert await codes(gate, plain) == ["SITE_RATE"]
    assert await codes(gate, verdict(ip=None)) == ["OK"]


@pytest.mark.anyio
async def test_g02_an_hour_after_the_spent_one_plain_is_answered_again(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_hour=3, queued_replies=0))
    await codes(gate, *(verdict(ip=None) for _ in range(4)))
    clock.move(HOUR + 1)
    assert await codes(gate, verdict(ip=None, standing=Standing.PLAIN)) == ["OK"]


@pytest.mark.anyio
async def test_g02_a_flood_of_plain_alone_spends_no_hour_of_the_site(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_hour=8, plain_share=0.25, shown_share=0.75))
    flood = [verdict(ip=None, standing=Standing.PLAIN) for _ in range(6)]
    assert Counter(await codes(gate, *flood)) == {"OK": 2, "SITE_RATE": 4}
    clock.move(HOUR + 1)
    assert await codes(gate, verdict(ip=None, standing=Standing.PLAIN)) == ["OK"]


# --------------------------------------------------------------------------------------------------------- row 15
@pytest.mark.anyio
async def test_g12_row_15_a_client_whose_reply_bounced_gets_none_for_7_days(
    store: Store, clock: MovableClock
) -> None:
    gate, bounced = replies(store, clock, tight()), verdict()
    await gate.reply(bounced)
    await settled(store, bounced, OutcomeKind.HARD)
    assert await codes(gate, verdict(), verdict(ip="192.0.2.2")) == ["CLIENT_BOUNCED", "OK"]
    known = verdict(standing=Standing.KNOWN)
    assert await codes(gate, known) == ["CLIENT_BOUNCED"]  # G03: known skips nothing else
    clock.move(7 * DAY_S - MINUTE)
    assert await codes(gate, verdict()) == ["CLIENT_BOUNCED"]
    clock.move(2 * MINUTE)
    assert await codes(gate, verdict()) == ["OK"]


@pytest.mark.anyio
async def test_g12_row_15_a_reply_that_waited_for_dns_asks_for_it_too(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(hold_dns_s=3 * DAY_S))
    held, bounced = replace(verdict(received_at=clock.now()), report=unknown()), verdict()
    assert await codes(gate, held, bounced) == ["ADDR_DNS_TEMP", "OK"]
    clock.move(1.5 * DAY_S)
    await settled(store, bounced, OutcomeKind.HARD)
    clock.move(DAY_S)
    result = await gate.decide_again(await row_of(store, held), inquiry_of(held), report())
    assert result.code == "CLIENT_BOUNCED"


@pytest.mark.anyio
async def test_g12_row_15_another_refusal_is_no_bounce(store: Store, clock: MovableClock) -> None:
    gate, refused = replies(store, clock, tight()), verdict()
    await gate.reply(refused)
    await settled(store, refused, OutcomeKind.OURS)
    assert await codes(gate, verdict()) == ["OK"]


@pytest.mark.anyio
async def test_g05_row_15_behind_a_carrier_s_address_only_the_network_counts_at_half_the_site_s_hour(
    store: Store, clock: MovableClock
) -> None:
    settings = tight(client_per_hour=1, site_per_hour=10, network_share=0.2, carrier_network_share=0.5)
    gate = replies(store, clock, settings)
    phones = [verdict(ip="49.98.7.1") for _ in range(6)]
    assert Counter(await codes(gate, *phones)) == {"OK": 5, "NETWORK_RATE": 1}
    await settled(store, phones[0], OutcomeKind.HARD)
    clock.move(HOUR + 1)
    assert await codes(gate, verdict(ip="49.98.7.1"), verdict(ip="192.0.2.7"), verdict(ip="192.0.2.7")) == [
        "OK",
        "OK",
        "IP_RATE",
    ]


# ------------------------------------------------------------------------------------------------------ prior contact
@pytest.mark.anyio
async def test_g03_whom_the_site_remembers_skips_row_13_and_draws_on_the_whole(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(site_per_hour=4, plain_share=0.25, shown_share=0.5, queued_replies=0))
    key = Subjects(await store.recipient_keys()).keys("address", ANN)[0]
    await store.measures.remember(key)
    assert await codes(gate, *(verdict(ip=None) for _ in range(3))) == ["OK", "OK", "SITE_RATE"]
    result = await gate.reply(verdict(ANN, ip=None, standing=Standing.DOUBTFUL))
    assert (result.code, result.standing) == ("OK", Standing.KNOWN)
    assert await codes(gate, verdict(ANN, ip=None)) == ["OK"]
    assert await codes(gate, verdict(ANN, ip=None)) == ["SITE_RATE"]


# ------------------------------------------------------------------------------------------- rows 1, 11 and 18
async def shut(store: Store, gate: Replies, ours: Ours) -> Verdict:
    """Let Google say so."""
    refused = gmail()
    assert await codes(gate, refused) == ["OK"]
    await settled(store, refused, OutcomeKind.OURS, ours=ours)
    return refused


@pytest.mark.anyio
async def test_row_11_a_provider_that_distrusts_us_gets_nothing_and_others_do(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight())
    await shut(store, gate, Ours.REPUTATION)
    result = await gate.reply(gmail())
    assert (result.decision, result.code, result.row) == (Decision.SUPPRESS, "BREAKER_PROVIDER", 11)
    assert await codes(gate, verdict()) == ["OK"]


@pytest.mark.anyio
async def test_row_01_how_we_send_must_be_mended_before_that_provider_gets_anything(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight())
    await shut(store, gate, Ours.CONFIG)
    clock.move(100 * DAY_S)
    assert await codes(gate, gmail(), verdict()) == ["CONFIG_UNSAFE", "OK"]
    (breaker,) = await store.measures.breakers()
    assert (breaker.label, breaker.until) == ("google", None)
    assert await store.measures.close(breaker.subject)
    assert await codes(gate, gmail()) == ["OK"]


@pytest.mark.anyio
async def test_row_11_what_the_ledger_said_a_moment_ago_lets_nothing_through(
    store: Store, clock: MovableClock
) -> None:
    gate, wanted, unsafe = replies(store, clock, tight()), gmail(), gmail()
    assert await gate.staff_reply_to(wanted) == wanted.address
    await shut(store, gate, Ours.REPUTATION)
    assert await codes(gate, wanted) == ["BREAKER_PROVIDER"]
    assert await gate.staff_reply_to(unsafe) == unsafe.address


@pytest.mark.anyio
async def test_g09_row_18_three_probes_of_those_that_show_themselves_and_no_more(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight())
    await shut(store, gate, Ours.REPUTATION)
    clock.move(4 * HOUR + 1)
    assert await codes(gate, gmail(standing=Standing.PLAIN)) == ["BREAKER_PROBE"]
    probes = [gmail(), gmail(standing=Standing.DOUBTFUL, released=True), gmail(), gmail()]
    assert await codes(gate, *probes) == ["OK", "OK", "OK", "BREAKER_PROBE"]
    assert await codes(gate, gmail(standing=Standing.KNOWN), verdict(standing=Standing.PLAIN)) == ["OK", "OK"]


@pytest.mark.anyio
async def test_g09_one_probe_that_fails_opens_it_for_a_day_and_three_that_arrive_close_it(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight())
    await shut(store, gate, Ours.REPUTATION)
    clock.move(4 * HOUR + 1)
    dead = gmail(ip="192.0.2.9")
    assert await codes(gate, dead) == ["OK"]
    await settled(store, dead, OutcomeKind.HARD)
    clock.move(23 * HOUR)
    assert await codes(gate, gmail()) == ["BREAKER_PROVIDER"]
    clock.move(HOUR + 1)
    probes = [gmail() for _ in range(3)]
    assert await codes(gate, *probes) == ["OK", "OK", "OK"]
    for each in probes:
        await settled(store, each, OutcomeKind.SENT)
    assert await codes(gate, gmail()) == ["BREAKER_PROBE"]  # presumed delivered in a day (G08)
    clock.move(DAY_S + 1)
    assert await codes(gate, gmail(standing=Standing.PLAIN)) == ["OK"]


# ------------------------------------------------------------------------------------------------------------- G18
@pytest.mark.anyio
async def test_g18_a_preview_takes_no_probe_no_place_in_the_queue_and_is_no_newcomer(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock, tight(site_per_minute=1, queued_replies=1))
    for _ in range(5):
        assert (await gate.preview(verdict(ip=None))).code == "OK"
    await gate.reply(verdict(ip=None))
    previews = [await gate.preview(verdict(ip=None)) for _ in range(3)]
    assert [(each.decision, each.code) for each in previews] == [(Decision.HOLD, "SITE_RATE")] * 3
    day, newcomers, _ = await store.measures.measure(day_of(clock.now()))
    assert (day.wanted, newcomers.week) == (1, 1)
    waiting = await gate.reply(verdict(ip=None))
    assert waiting.decision is Decision.HOLD
    clock.move(MINUTE + 1)
    await shut(store, gate, Ours.REPUTATION)
    clock.move(4 * HOUR + 1)
    assert [(await gate.preview(gmail())).code for _ in range(5)] == ["OK"] * 5
    for _ in range(3):
        assert await codes(gate, gmail()) == ["OK"]
        clock.move(MINUTE + 1)
    assert (await gate.preview(gmail())).code == "BREAKER_PROBE"
