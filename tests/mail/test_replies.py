"""The gate before a real ledger: decisions, reservations, the switch, held replies decided again."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from formwarden.address.report import Flag, Status
from formwarden.entropy import system_entropy
from formwarden.errors import StoreError, UnknownFormError
from formwarden.faults import Faults
from formwarden.mail.deciding import REPLY_ID_BYTES
from formwarden.mail.gate import WORKER_LATE_S
from formwarden.mail.replies import LATELY_S, Replies
from formwarden.mail.settings import Mail
from formwarden.scoring import Action, Standing, Verdict
from formwarden.stores.ports import Decision, Key, Ledger, ReplyRequest, Reputation, Reservation, State, Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.subjects import DAY_S, Subjects
from tests.clock import MovableClock
from tests.mail.gate_samples import (
    CLIENTS,
    DEFAULTS,
    FORMS,
    OPEN,
    SITE,
    DownLedger,
    inquiry_of,
    memory,
    prove_feedback,
    replies,
    report,
    row_of,
    tight,
    unknown,
    verdict,
)

HOUR = 3_600.0


@pytest.fixture
def store(clock: MovableClock) -> Store:
    return memory(clock)


def sqlite(clock: MovableClock, folder: Path) -> SqliteStore:
    return SqliteStore(
        str(folder / "formwarden.db"),
        clock=clock,
        entropy=system_entropy,
        settings=Stores(),
        faults=Faults(clock),
    )


async def codes(gate: Replies, *verdicts: Verdict) -> list[str]:
    return [(await gate.reply(each)).code for each in verdicts]


async def granted(gate: Replies, verdicts: Sequence[Verdict]) -> int:
    results = await asyncio.gather(*(gate.reply(each) for each in verdicts))
    return sum(result.decision is Decision.SEND for result in results)


@pytest.mark.anyio
async def test_g15_a_granted_reply_is_a_due_row_and_nothing_else_happens(store: Store, clock: MovableClock) -> None:
    wanted = verdict()
    result = await replies(store, clock).reply(wanted)
    assert (result.decision, result.code) == (Decision.SEND, "OK")
    row = await row_of(store, wanted)
    assert (row.state, row.submission_id, len(row.reply_id)) == ("due", wanted.id, REPLY_ID_BYTES)


@pytest.mark.anyio
async def test_g04_a_throw_away_mailbox_is_answered_unless_told_not_to(store: Store, clock: MovableClock) -> None:
    def thrown() -> Verdict:
        return verdict(report=report("ann@example.com", Flag.DISPOSABLE))

    assert await codes(replies(store, clock), thrown()) == ["OK"]
    assert await codes(replies(store, clock, tight(suppress_disposable=True)), thrown(), verdict()) == [
        "DISPOSABLE",
        "OK",
    ]


@pytest.mark.anyio
async def test_g15_a_second_call_returns_the_first_one_s_result(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_day=1))
    sent, stopped, held = verdict(), verdict(judged=Action.REJECT), verdict(standing=Standing.DOUBTFUL)
    first = [await gate.reply(each) for each in (sent, stopped, held)]
    assert [await gate.reply(each) for each in (sent, stopped, held)] == first
    assert (await gate.reply(verdict())).code == "SITE_RATE"


@pytest.mark.anyio
async def test_the_reply_s_name_outlives_a_rotation_of_recipient_keys(store: Store, clock: MovableClock) -> None:
    keys = [b"old key"]

    async def recipient_keys() -> Sequence[bytes]:
        return tuple(keys)

    gate = Replies(
        store.ledger,
        recipient_keys,
        CLIENTS,
        settings=OPEN,
        site=SITE,
        forms=FORMS,
        clock=clock,
        faults=Faults(clock),
    )
    wanted = verdict()
    await gate.reply(wanted)
    keys.insert(0, b"new key")
    await gate.reply(wanted)
    assert len(await store.ledger.due(10, lease_s=60.0)) == 1


@pytest.mark.anyio
async def test_g20_a_suppression_under_an_older_key_still_stands(store: Store, clock: MovableClock) -> None:
    wanted = verdict("ann@example.com")
    before = Subjects(await store.recipient_keys()).keys("address", "ann@example.com")[0]
    await store.ledger.suppress(before, cause="hard", until=None)

    async def rotated() -> Sequence[bytes]:
        return (b"newer", *await store.recipient_keys())

    gate = Replies(
        store.ledger, rotated, CLIENTS, settings=OPEN, site=SITE, forms=FORMS, clock=clock, faults=Faults(clock)
    )
    assert (await gate.reply(wanted)).code == "SUPP_HARD"


@pytest.mark.anyio
async def test_row_00_a_ledger_that_is_down_stops_the_reply_and_is_counted(store: Store, clock: MovableClock) -> None:
    faults = Faults(clock)
    gate = replies(store, clock, ledger=DownLedger(), faults=faults)
    result = await gate.reply(verdict())
    assert (result.decision, result.code) == (Decision.SUPPRESS, "LEDGER_DOWN")
    assert (await gate.preview(verdict())).code == "LEDGER_DOWN"
    assert faults.of("ledger") == 2


@pytest.mark.anyio
async def test_row_00_without_recipient_keys_no_address_can_be_named(store: Store, clock: MovableClock) -> None:
    async def none() -> Sequence[bytes]:
        raise StoreError("the disk is gone")

    gate = Replies(
        store.ledger, none, CLIENTS, settings=OPEN, site=SITE, forms=FORMS, clock=clock, faults=Faults(clock)
    )
    assert (await gate.reply(verdict())).code == "LEDGER_DOWN"


@pytest.mark.anyio
async def test_row_00_what_the_store_did_not_keep_is_not_answered(store: Store, clock: MovableClock) -> None:
    lost = verdict(recorded=False)
    gate = replies(store, clock)
    assert (await gate.reply(lost)).code == "LEDGER_DOWN"
    assert (await gate.preview(lost)).code == "LEDGER_DOWN"
    assert await store.ledger.replies((lost.id,)) == {}


@pytest.mark.anyio
async def test_row_00_a_form_without_a_reply_or_a_site_without_a_relay_gets_a_row_that_says_so(
    store: Store, clock: MovableClock
) -> None:
    silent, unsent = verdict(form="silent"), verdict()
    assert (await replies(store, clock).reply(silent)).code == "NO_REPLY"
    assert (await replies(store, clock, Mail()).reply(unsent)).code == "NO_RELAY"
    assert (await row_of(store, silent)).state == "suppressed"


@pytest.mark.anyio
async def test_an_unknown_form_is_the_caller_s_fault(store: Store, clock: MovableClock) -> None:
    with pytest.raises(UnknownFormError):
        await replies(store, clock).reply(verdict(form="nowhere"))


@pytest.mark.anyio
async def test_row_02_several_addresses_get_nothing(store: Store, clock: MovableClock) -> None:
    several = replace(verdict(), address=None)  # with the report of one of them, which must not count
    assert (await replies(store, clock).reply(several)).code == "ADDR_SYNTAX"


@pytest.mark.anyio
async def test_row_06_an_address_that_nobody_looked_up_waits_for_dns(store: Store, clock: MovableClock) -> None:
    wanted = replace(verdict(), report=None)
    result = await replies(store, clock).reply(wanted)
    assert (result.decision, result.code) == (Decision.HOLD, "ADDR_DNS_TEMP")
    assert result.until == clock.now() + HOUR + WORKER_LATE_S


# ---------------------------------------------------------------------------------------------------- rows 14 to 17
@pytest.mark.anyio
async def test_row_14_g05_one_mailbox_in_all_its_spellings_gets_one_a_day_on_a_form(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock)
    spellings = ("ann.lee@gmail.com", "annlee+shop@gmail.com", "A.N.N.L.E.E@googlemail.com")
    assert await codes(gate, *(verdict(each, ip=None) for each in spellings)) == ["OK", "DUP_24H", "DUP_24H"]
    assert await codes(gate, verdict("annlee@gmail.com", form="order")) == ["OK"]
    clock.move(DAY_S + 1)
    assert await codes(gate, verdict("annlee@gmail.com")) == ["OK"]
    clock.move(DAY_S + 1)
    assert await codes(gate, verdict("annlee@gmail.com")) == ["DUP_7D"]


@pytest.mark.anyio
async def test_row_14_g04_a_lineage_is_answered_once_whatever_its_address(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    assert await codes(gate, verdict(lineage=b"one form"), verdict(lineage=b"one form")) == ["OK", "DUP_LINEAGE"]


@pytest.mark.anyio
async def test_row_14_g26_the_owner_s_tests_go_out_ten_times_a_day(store: Store, clock: MovableClock) -> None:
    settings = tight(
        address_per_day_form=1, address_per_day=2, owner_test_addresses=("me@gmail.com",), owner_tests_per_day=10
    )
    gate = replies(store, clock, settings)
    for address in ("me@gmail.com", "office@example.org"):
        tests = [verdict(address, lineage=b"same form", report=report(address)) for _ in range(11)]
        assert Counter(await codes(gate, *tests)) == {"OK": 10, "DUP_24H": 1}


@pytest.mark.anyio
async def test_row_15_g05_a_client_gets_3_plain_or_6_shown_an_hour(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(client_per_hour=6, client_per_hour_plain=3))
    plain = [verdict(standing=Standing.PLAIN) for _ in range(4)]
    assert await codes(gate, *plain) == ["OK", "OK", "OK", "IP_RATE"]
    assert await codes(gate, *(verdict() for _ in range(4))) == ["OK", "OK", "OK", "IP_RATE"]
    assert await codes(gate, verdict(ip="192.0.2.2")) == ["OK"]


@pytest.mark.anyio
async def test_row_15_g20_midnight_s_new_key_gives_a_client_nothing_back(store: Store, clock: MovableClock) -> None:
    clock.move(DAY_S - clock.now() % DAY_S - 10.0)
    gate = replies(store, clock, tight(client_per_hour=2))
    assert await codes(gate, verdict(), verdict()) == ["OK", "OK"]
    clock.move(20.0)
    assert await codes(gate, verdict()) == ["IP_RATE"]


@pytest.mark.anyio
async def test_row_15_g02_neighbours_share_their_network_s_part(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_hour=20, network_share=0.2))
    neighbours = [verdict(ip=f"192.0.2.{host}") for host in range(1, 6)]
    assert Counter(await codes(gate, *neighbours)) == {"OK": 4, "NETWORK_RATE": 1}


@pytest.mark.anyio
async def test_g31_an_unknown_client_has_no_client_budget(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(client_per_hour=1, site_per_hour=10, network_share=0.2))
    assert set(await codes(gate, *(verdict(ip=None) for _ in range(6)))) == {"OK"}


@pytest.mark.anyio
async def test_row_16_one_domain_gets_3_an_hour_and_freemail_is_no_domain(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(domain_per_hour=3))
    at_one = [verdict(f"user{number}@sub{number}.example.com") for number in range(4)]
    assert await codes(gate, *at_one) == ["OK", "OK", "OK", "DOMAIN_RATE"]
    assert set(await codes(gate, *(verdict(f"user{number}@gmail.com") for number in range(5)))) == {"OK"}


@pytest.mark.anyio
async def test_row_16_a_provider_has_its_part_of_the_site(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_hour=10, provider_share=0.3))
    at_one = [verdict(report=report(f"ann@people{number}.com")) for number in range(5)]
    assert Counter(await codes(gate, *at_one)) == {"OK": 3, "PROVIDER_RATE": 2}


@pytest.mark.anyio
async def test_row_17_a_form_s_own_limit_is_named_before_the_site_s(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_hour=3))
    assert await codes(gate, *(verdict(form="order") for _ in range(3))) == ["OK", "OK", "FORM_RATE"]
    assert await codes(gate, verdict(ip=None), verdict(ip=None)) == ["OK", "SITE_RATE"]


@pytest.mark.anyio
async def test_row_17_g02_plain_shown_and_known_have_their_shares(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_hour=8, plain_share=0.25, shown_share=0.75))

    async def wanted(standing: Standing, *, released: bool = False) -> int:
        return await granted(gate, [verdict(standing=standing, released=released) for _ in range(10)])

    assert await wanted(Standing.PLAIN) == 2
    assert await wanted(Standing.SHOWN) == 4
    assert await wanted(Standing.KNOWN) == 2
    assert await wanted(Standing.DOUBTFUL, released=True) == 0


@pytest.mark.anyio
async def test_g07_without_feedback_no_volume(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(unproven_per_hour=5))
    assert Counter(await codes(gate, *(verdict() for _ in range(7)))) == {"OK": 5, "WARMUP": 2}
    await prove_feedback(store.ledger)
    assert await codes(gate, verdict()) == ["OK"]


@pytest.mark.anyio
async def test_g16_the_budgets_are_the_ledger_s_and_outlive_the_process(clock: MovableClock, tmp_path: Path) -> None:
    first = sqlite(clock, tmp_path)
    assert await codes(replies(first, clock, tight(site_per_hour=1)), verdict()) == ["OK"]
    await first.aclose()
    (tmp_path / "formwarden-volatile.db").unlink(missing_ok=True)
    second = sqlite(clock, tmp_path)
    assert await codes(replies(second, clock, tight(site_per_hour=1)), verdict()) == ["SITE_RATE"]
    await second.aclose()


@pytest.mark.anyio
async def test_fifty_at_once_get_exactly_what_the_budget_grants(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock, tight(site_per_hour=13))
    assert await granted(gate, [verdict() for _ in range(50)]) == 13


@pytest.mark.anyio
async def test_fifty_at_once_through_two_connections_to_one_file_get_exactly_that(
    clock: MovableClock, tmp_path: Path
) -> None:
    one, other = sqlite(clock, tmp_path), sqlite(clock, tmp_path)
    gates = [replies(store, clock, tight(site_per_hour=13)) for store in (one, other)]
    posts = [verdict() for _ in range(50)]
    assert sum(await asyncio.gather(granted(gates[0], posts[::2]), granted(gates[1], posts[1::2]))) == 13
    await one.aclose()
    await other.aclose()


# ------------------------------------------------------------------------------------------------------ G18, G24
@pytest.mark.anyio
async def test_g18_a_watching_form_lets_a_bot_through_and_the_gate_does_not(
    store: Store, clock: MovableClock
) -> None:
    assert await codes(replies(store, clock), verdict(action=Action.ACCEPT, judged=Action.REJECT)) == ["BOT"]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_g18_a_preview_tells_the_truth_and_reserves_nothing(
    kind: str, clock: MovableClock, tmp_path: Path
) -> None:
    store: Store = memory(clock) if kind == "memory" else sqlite(clock, tmp_path)
    gate = replies(store, clock, tight(site_per_hour=1))
    wanted, late = verdict(), verdict()
    assert [(await gate.preview(wanted)).code for _ in range(3)] == ["OK"] * 3
    assert await store.ledger.replies((wanted.id,)) == {}
    assert await codes(gate, wanted) == ["OK"]
    assert (await gate.preview(late)).code == "SITE_RATE"
    assert (await gate.preview(verdict(standing=Standing.DOUBTFUL))).code == "HELD_SUSPECT"
    assert await store.ledger.replies((late.id,)) == {}
    assert (await gate.preview(wanted)).code == "OK"
    await store.aclose()


@pytest.mark.anyio
async def test_g18_one_switch_stops_every_process_at_once(clock: MovableClock, tmp_path: Path) -> None:
    one, other = sqlite(clock, tmp_path), sqlite(clock, tmp_path)
    here, there = replies(one, clock), replies(other, clock)
    assert await there.status()
    await here.switch(on=False)
    assert not await there.status()
    assert await codes(there, verdict()) == ["AR_OFF"]
    await there.switch(on=True)
    assert await here.status()
    assert await codes(here, verdict()) == ["OK"]
    await one.aclose()
    await other.aclose()


@pytest.mark.anyio
async def test_g18_the_setting_counts_as_off_too_and_a_store_that_is_down_is_no_answer(
    store: Store, clock: MovableClock
) -> None:
    assert not await replies(store, clock, Mail(replies=False)).status()
    down = replies(store, clock, ledger=DownLedger())
    with pytest.raises(StoreError):
        await down.status()
    with pytest.raises(StoreError):
        await down.switch(on=False)


@pytest.mark.anyio
async def test_g24_the_staff_s_reply_to_follows_the_gate(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    assert await gate.staff_reply_to(verdict("ann@example.com")) == "ann@example.com"
    assert await gate.staff_reply_to(verdict(standing=Standing.DOUBTFUL)) is None
    assert await gate.staff_reply_to(verdict("abuse@example.com")) is None
    faults = Faults(clock)
    assert await replies(store, clock, ledger=DownLedger(), faults=faults).staff_reply_to(verdict()) is None
    assert faults.of("ledger") == 1


@pytest.mark.anyio
async def test_g24_a_kept_inquiry_is_judged_alike(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    person = verdict()
    assert await gate.answerable(inquiry_of(person), report())
    assert not await gate.answerable(inquiry_of(person), unknown())
    assert not await gate.answerable(inquiry_of(verdict(judged=Action.QUARANTINE)), report())


# ------------------------------------------------------------------------------------------- held, decided again
@pytest.mark.anyio
async def test_row_06_when_dns_answers_a_held_reply_is_sent_under_its_old_name(
    store: Store, clock: MovableClock
) -> None:
    gate = replies(store, clock)
    held = replace(verdict("ann@example.com"), report=unknown())
    assert (await gate.reply(held)).code == "ADDR_DNS_TEMP"
    before = await row_of(store, held)
    clock.move(60.0)
    result = await gate.decide_again(before, inquiry_of(held), report())
    assert (result.decision, result.code) == (Decision.SEND, "OK")
    after = await row_of(store, held)
    assert (after.reply_id, after.state) == (before.reply_id, "due")


@pytest.mark.anyio
async def test_row_06_a_negative_answer_suppresses_a_held_reply(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    held = replace(verdict(), report=unknown())
    await gate.reply(held)
    gone = report(status=Status.UNDELIVERABLE)
    assert (await gate.decide_again(await row_of(store, held), inquiry_of(held), gone)).code == "ADDR_UNDELIVERABLE"
    assert (await row_of(store, held)).state == "suppressed"


@pytest.mark.anyio
async def test_row_06_it_is_held_until_the_hour_is_over_and_no_longer(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    held = replace(verdict(), report=unknown())
    end = (await gate.reply(held)).until
    for moved in (60.0, 540.0):
        clock.move(moved)
        again = await gate.decide_again(await row_of(store, held), inquiry_of(held), unknown())
        assert (again.decision, again.until) == (Decision.HOLD, end)
    clock.move(3_000.0)
    last = await gate.decide_again(await row_of(store, held), inquiry_of(held), unknown())
    assert (last.decision, last.code) == (Decision.SUPPRESS, "ADDR_DNS_TEMP")


@pytest.mark.anyio
async def test_g01_waiting_for_dns_lifts_no_standing(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    held = replace(verdict(standing=Standing.DOUBTFUL), report=unknown())
    await gate.reply(held)
    again = await gate.decide_again(await row_of(store, held), inquiry_of(held), report())
    assert (again.decision, again.code) == (Decision.HOLD, "HELD_SUSPECT")
    facts: dict[str, object] = {}
    unread = await gate.decide_again(await row_of(store, held), inquiry_of(held, facts=facts), report())
    assert unread.code == "BOT"


@pytest.mark.anyio
async def test_row_15_a_reply_that_waited_for_dns_is_counted_for_its_client(
    store: Store, clock: MovableClock
) -> None:
    clock.move(DAY_S - clock.now() % DAY_S - 30.0)
    gate = replies(store, clock, tight(client_per_hour=1))
    held = [replace(verdict(received_at=clock.now()), report=unknown()) for _ in range(3)]
    for each in held:
        await gate.reply(each)
    clock.move(60.0)
    again = [await gate.decide_again(await row_of(store, each), inquiry_of(each), report()) for each in held]
    assert [result.code for result in again] == ["OK", "IP_RATE", "IP_RATE"]
    assert await codes(gate, verdict()) == ["IP_RATE"]


@pytest.mark.anyio
async def test_the_owner_releases_a_held_reply_once(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    held = verdict(standing=Standing.DOUBTFUL)
    await gate.reply(held)
    row = await row_of(store, held)
    assert (await gate.decide_again(row, inquiry_of(held), report(), released=True)).code == "OK"
    assert (await gate.reply(replace(held, released=True))).code == "OK"
    assert len(await store.ledger.due(10, lease_s=60.0)) == 1


@pytest.mark.anyio
async def test_g22_what_released_itself_is_no_release_by_hand(store: Store, clock: MovableClock) -> None:
    gate = replies(store, clock)
    by_hand = replace(verdict(judged=Action.QUARANTINE, standing=Standing.DOUBTFUL, released=True), report=unknown())
    by_itself = replace(verdict(judged=Action.ASK, standing=Standing.DOUBTFUL), report=unknown())
    expected = {by_hand.id: "OK", by_itself.id: "HELD_SUSPECT"}
    for each in (by_hand, by_itself):
        assert (await gate.reply(each)).code == "ADDR_DNS_TEMP"
        kept = inquiry_of(each, state=State.RELEASED)
        assert (await gate.decide_again(await row_of(store, each), kept, report())).code == expected[each.id]


@pytest.mark.anyio
async def test_row_07_the_from_address_s_domain_and_the_site_s_others_are_own(
    store: Store, clock: MovableClock
) -> None:
    settings = DEFAULTS.model_copy(update={"mail_from": "hello@mailer.net", "own_domains": ("Example-Shop.com",)})
    gate = replies(store, clock, settings)
    own = ("x@example.org", "x@mailer.net", "x@example-shop.com")
    assert await codes(gate, *(verdict(each) for each in own)) == ["OWN_DOMAIN"] * 3


@pytest.mark.anyio
async def test_row_13_a_weak_address_is_held_for_plain(store: Store, clock: MovableClock) -> None:
    weak = [
        verdict(address, standing=standing, report=report(address, Flag.WEAK))
        for address, standing in (("a@weak1.com", Standing.PLAIN), ("a@weak2.com", Standing.SHOWN))
    ]
    assert await codes(replies(store, clock), *weak) == ["HELD_SUSPECT", "OK"]


# --------------------------------------------------------------------------- what the ledger said a moment ago
class CountingLedger(DownLedger):
    """A ledger that counts how often it is read; a reply needs no more of it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.read = 0

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        self.read += 1
        return await self._ledger.reputation(subjects)

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        return await self._ledger.reserve(request)


@pytest.mark.anyio
async def test_a_reply_that_leaves_reads_the_ledger_once_while_judged_and_reserves(
    store: Store, clock: MovableClock
) -> None:
    counting = CountingLedger(store.ledger)
    gate, wanted = replies(store, clock, ledger=counting), verdict()
    assert await gate.staff_reply_to(wanted) == wanted.address
    assert (await gate.reply(wanted)).code == "OK"
    assert counting.read == 1


@pytest.mark.anyio
async def test_what_the_ledger_said_is_not_believed_for_longer_than_a_second(
    store: Store, clock: MovableClock
) -> None:
    counting = CountingLedger(store.ledger)
    gate, wanted = replies(store, clock, ledger=counting), verdict()
    await gate.staff_reply_to(wanted)
    clock.move(LATELY_S)
    assert (await gate.reply(wanted)).code == "OK"
    assert counting.read == 2


@pytest.mark.anyio
async def test_a_suppression_that_came_since_stops_the_reply(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock), verdict("ann@example.com")
    await gate.staff_reply_to(wanted)
    key = Subjects(await store.recipient_keys()).keys("address", "ann@example.com")[0]
    await store.ledger.suppress(key, cause="hard", until=None)
    assert (await gate.reply(wanted)).code == "SUPP_HARD"


@pytest.mark.anyio
async def test_g18_the_switch_that_came_since_stops_the_reply(store: Store, clock: MovableClock) -> None:
    gate, wanted = replies(store, clock), verdict()
    await gate.staff_reply_to(wanted)
    await gate.switch(on=False)
    assert (await gate.reply(wanted)).decision is Decision.SUPPRESS


@pytest.mark.anyio
async def test_what_does_not_leave_is_decided_by_what_the_ledger_says_now(store: Store, clock: MovableClock) -> None:
    gate, held = replies(store, clock), verdict("ann@example.com", standing=Standing.DOUBTFUL)
    await gate.staff_reply_to(held)
    key = Subjects(await store.recipient_keys()).keys("address", "ann@example.com")[0]
    await store.ledger.suppress(key, cause="hard", until=None)
    assert (await gate.reply(held)).code == "SUPP_HARD"
