"""The table, row by row; numbers are those of the reference and of the rulings."""

from dataclasses import replace

import pytest

from formwarden.address.report import CacheState, Flag, Status
from formwarden.address.syntax import check_syntax
from formwarden.mail.codes import CODES
from formwarden.mail.gate import (
    TABLE,
    WORKER_LATE_S,
    answerable,
    decide,
    stopped,
)
from formwarden.mail.gate_facts import GateDecision
from formwarden.mail.watched import Watched
from formwarden.scoring import Action, Standing
from formwarden.stores.ports import Decision, Key, Reputation, Shut
from tests.mail.gate_samples import facts, report, unknown

HOUR = 3_600.0
ADDRESS, DOMAIN, PROVIDER, SITE = (Key(name) for name in (b"address", b"domain", b"provider", b"site"))
WATCHED = Watched(address=(ADDRESS,), domain=(DOMAIN,), provider=(PROVIDER,), site=(SITE,))


def code(**changes: object) -> str:
    return decide(facts(**changes)).code


def suppressed(**changes: object) -> str:
    decision = decide(facts(**changes))
    assert decision.decision is Decision.SUPPRESS
    assert (decision.until_s, decision.check_s) == (None, None)
    return decision.code


def held(**changes: object) -> GateDecision:
    decision = decide(facts(**changes))
    assert decision.decision is Decision.HOLD
    return decision


def test_the_rows_stand_in_the_order_of_their_numbers() -> None:
    numbers = [row.number for row in TABLE]
    assert numbers == sorted(numbers)
    assert set(numbers) == {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 18}  # 14 to 17 are budgets, 19 is what is left


def test_every_row_explains_itself_in_one_sentence() -> None:
    for row in TABLE:
        sentence = (row.rule.__doc__ or "").strip()
        assert sentence.endswith("."), row.rule
        assert "\n" not in sentence


def test_what_the_table_says_is_explained_by_its_code() -> None:
    for decision in (decide(facts()), decide(facts(judged=Action.REJECT)), decide(facts(standing=Standing.DOUBTFUL))):
        assert decision.explanation == CODES[decision.code].meaning


def test_row_00_without_the_ledger_nothing_leaves() -> None:
    assert suppressed(reputation=None) == "LEDGER_DOWN"
    assert suppressed(reputation=None, standing=Standing.KNOWN, released=True) == "LEDGER_DOWN"


def test_row_00_a_form_without_a_reply_and_a_site_without_a_relay_send_none() -> None:
    assert suppressed(form_replies=False) == "NO_REPLY"
    assert suppressed(relay=False) == "NO_RELAY"


def test_row_01_the_setting_and_the_switch_stop_every_reply() -> None:
    assert suppressed(replies=False) == "AR_OFF"
    assert suppressed(reputation=Reputation(replies_off=True)) == "AR_OFF"
    assert suppressed(reputation=Reputation(replies_off=True, known=True), released=True) == "AR_OFF"


def test_row_01_a_provider_that_refuses_how_we_send_gets_nothing_until_that_is_mended() -> None:
    unsafe = Reputation(breakers={PROVIDER: Shut.CONFIG})
    assert suppressed(reputation=unsafe, watched=WATCHED) == "CONFIG_UNSAFE"
    assert suppressed(reputation=replace(unsafe, known=True), watched=WATCHED, released=True) == "CONFIG_UNSAFE"
    assert suppressed(reputation=unsafe, watched=WATCHED, report=check_syntax("nobody")) == "CONFIG_UNSAFE"
    assert suppressed(reputation=replace(unsafe, replies_off=True), watched=WATCHED) == "AR_OFF"
    assert code(reputation=Reputation(breakers={Key(b"another's"): Shut.CONFIG}), watched=WATCHED) == "OK"


@pytest.mark.parametrize("typed", ["", "ann", "a@x.org, b@x.org", "=?utf-8?q?x?=@x.org", "a@" + "x" * 260 + ".org"])
def test_row_02_what_is_no_single_address_gets_nothing(typed: str) -> None:
    assert suppressed(report=check_syntax(typed)) == "ADDR_SYNTAX"


@pytest.mark.parametrize("cause", ["complaint", "manual", "hard", "domain", "soft"])
def test_row_03_the_suppression_list_names_its_cause(cause: str) -> None:
    reputation = Reputation(suppressed={ADDRESS: cause})
    assert suppressed(reputation=reputation, watched=WATCHED) == f"SUPP_{cause.upper()}"


def test_row_03_the_strongest_cause_of_address_and_domain_is_named() -> None:
    both = Reputation(suppressed={ADDRESS: "soft", DOMAIN: "manual"})
    assert suppressed(reputation=both, watched=WATCHED) == "SUPP_MANUAL"
    assert code(reputation=Reputation(suppressed={Key(b"other"): "hard"}), watched=WATCHED) == "OK"


@pytest.mark.parametrize("judged", [Action.QUARANTINE, Action.REJECT])
def test_row_04_what_was_not_accepted_gets_nothing_until_the_owner_releases_it(judged: Action) -> None:
    assert suppressed(judged=judged) == "BOT"
    assert suppressed(judged=judged, standing=Standing.KNOWN) == "BOT"
    assert code(judged=judged, released=True) == "OK"


def test_row_05_a_domain_that_takes_no_mail_gets_none() -> None:
    assert suppressed(report=report(status=Status.UNDELIVERABLE)) == "ADDR_UNDELIVERABLE"


def test_g04_row_05_a_parked_domain_gets_none() -> None:
    assert suppressed(report=report("a@sold.com", Flag.PARKED_MX)) == "ADDR_PARKED"


def test_row_06_an_ill_resolver_holds_the_reply_for_an_hour_and_asks_again() -> None:
    decision = held(report=unknown())
    assert (decision.code, decision.until_s, decision.check_s) == ("ADDR_DNS_TEMP", HOUR + WORKER_LATE_S, 60.0)


@pytest.mark.parametrize(("waited_s", "check_s"), [(0.0, 60.0), (61.0, 539.0), (601.0, 2_999.0), (3_590.0, 10.0)])
def test_row_06_dns_is_asked_again_after_1_10_and_60_minutes(waited_s: float, check_s: float) -> None:
    decision = held(report=unknown(), waited_s=waited_s)
    assert decision.check_s == check_s
    assert decision.until_s == HOUR + WORKER_LATE_S - waited_s


def test_row_06_the_last_look_comes_at_the_end_of_a_shorter_hold() -> None:
    assert held(report=unknown(), waited_s=61.0, hold_dns_s=300.0).check_s == 239.0


def test_row_06_a_verdict_past_its_time_sends_nothing() -> None:
    assert held(report=report(cache=CacheState.STALE)).code == "ADDR_DNS_TEMP"
    assert code(report=report(cache=CacheState.HIT)) == "OK"


def test_row_06_after_the_hour_it_is_suppressed() -> None:
    assert suppressed(report=unknown(), waited_s=HOUR) == "ADDR_DNS_TEMP"


def test_row_06_a_doubtful_one_waits_for_dns_first() -> None:
    assert held(report=unknown(), standing=Standing.DOUBTFUL).code == "ADDR_DNS_TEMP"


def test_row_07_an_address_of_the_site_gets_none() -> None:
    assert suppressed(report=report("anybody@example.org")) == "OWN_DOMAIN"
    assert suppressed(report=report("anybody@mail.example.org")) == "OWN_DOMAIN"
    assert code(report=report("anybody@notexample.org")) == "OK"


def test_row_07_the_own_domain_is_never_asked_so_unknown_is_no_reason_to_wait() -> None:
    assert suppressed(report=unknown("anybody@example.org")) == "OWN_DOMAIN"
    assert suppressed(report=replace(unknown("a@other.com"), flags=frozenset({Flag.OWN_DOMAIN}))) == "OWN_DOMAIN"


def test_g26_row_07_the_staff_may_test_their_own_form() -> None:
    assert code(report=unknown("office@example.org")) == "OK"


def test_row_08_daemons_and_desks_get_none() -> None:
    assert suppressed(report=report("abuse@example.com")) == "ROLE_SYSTEM"
    assert code(report=report("info@example.com")) == "OK"


def test_row_09_text_messages_are_no_mail() -> None:
    assert suppressed(report=report("a@b.com", Flag.SMS_GATEWAY)) == "SMS_GATEWAY"


def test_row_10_throw_away_mailboxes_get_none_only_where_the_owner_says_so() -> None:
    throw_away = report("a@b.com", Flag.DISPOSABLE)
    assert suppressed(report=throw_away, suppress_disposable=True) == "DISPOSABLE"
    assert code(report=throw_away) == "OK"
    assert code(suppress_disposable=True) == "OK"


def test_row_11_nothing_queues_behind_an_open_breaker() -> None:
    provider, site = Reputation(breakers={PROVIDER: Shut.OPEN}), Reputation(breakers={SITE: Shut.OPEN})
    assert suppressed(reputation=provider, watched=WATCHED) == "BREAKER_PROVIDER"
    assert suppressed(reputation=site, watched=WATCHED) == "BREAKER_SITE"


def test_row_13_the_doubtful_waits_for_the_owner_and_for_nothing_else() -> None:
    decision = held(standing=Standing.DOUBTFUL)
    assert (decision.code, decision.check_s) == ("HELD_SUSPECT", None)


def test_g25_row_13_it_waits_72_hours() -> None:
    assert held(standing=Standing.DOUBTFUL).until_s == 72 * HOUR


def test_row_13_the_owner_s_release_ends_it() -> None:
    assert code(standing=Standing.DOUBTFUL, released=True) == "OK"


def test_g04_row_13_an_implicit_mx_is_for_shown_only() -> None:
    weak = report("a@b.com", Flag.WEAK)
    assert code(report=weak, standing=Standing.SHOWN) == "OK"
    assert held(report=weak, standing=Standing.PLAIN).code == "HELD_SUSPECT"
    assert code(report=weak, standing=Standing.KNOWN) == "OK"


def test_row_13_a_domain_that_says_it_sends_nothing_waits_for_the_owner_even_where_a_person_was_seen() -> None:
    silent = report("a@b.com", Flag.WEAK, Flag.SPF_REJECT_ALL)
    assert held(report=silent, standing=Standing.SHOWN).code == "HELD_SUSPECT"
    assert code(report=silent, standing=Standing.KNOWN) == "OK"
    assert code(report=silent, standing=Standing.SHOWN, released=True) == "OK"


def test_a_domain_without_mx_that_has_not_said_how_it_sends_is_asked_again_and_then_waits_for_the_owner() -> None:
    unheard = report("a@b.com", Flag.WEAK, Flag.SPF_UNKNOWN)
    first = held(report=unheard, standing=Standing.SHOWN)
    last = held(report=unheard, standing=Standing.SHOWN, waited_s=HOUR)

    assert (first.code, first.check_s) == ("ADDR_DNS_TEMP", 60.0)
    assert (last.code, last.check_s) == ("HELD_SUSPECT", None)
    assert code(report=unheard, standing=Standing.KNOWN) == "OK"
    assert code(report=unheard, standing=Standing.SHOWN, released=True) == "OK"


def test_g18_row_13_an_asked_one_that_a_watching_form_let_through_was_never_confirmed() -> None:
    assert held(judged=Action.ASK, standing=Standing.PLAIN).code == "HELD_SUSPECT"


HALF_OPEN = [Reputation(breakers={PROVIDER: Shut.PROBING}), Reputation(breakers={SITE: Shut.PROBING})]


@pytest.mark.parametrize("reputation", HALF_OPEN)
def test_row_18_while_a_breaker_is_half_open_plain_gets_nothing(reputation: Reputation) -> None:
    assert suppressed(reputation=reputation, watched=WATCHED, standing=Standing.PLAIN) == "BREAKER_PROBE"
    assert code(reputation=Reputation(breakers={Key(b"another's"): Shut.PROBING}), watched=WATCHED) == "OK"


@pytest.mark.parametrize("reputation", HALF_OPEN)
def test_row_18_shown_and_a_release_by_hand_may_be_a_probe(reputation: Reputation) -> None:
    assert facts(standing=Standing.SHOWN).may_probe
    assert code(reputation=reputation, watched=WATCHED, standing=Standing.SHOWN) == "OK"
    assert code(reputation=reputation, watched=WATCHED, standing=Standing.DOUBTFUL, released=True) == "OK"


@pytest.mark.parametrize("reputation", HALF_OPEN)
def test_g03_row_18_people_we_know_pass_a_half_open_breaker_and_are_no_probe(reputation: Reputation) -> None:
    known = replace(reputation, known=True)
    assert code(reputation=known, watched=WATCHED, standing=Standing.PLAIN) == "OK"
    assert not facts(reputation=known, standing=Standing.PLAIN).may_probe


def test_row_18_an_open_breaker_beside_a_half_open_one_is_named_first() -> None:
    both = Reputation(breakers={PROVIDER: Shut.PROBING, SITE: Shut.OPEN})
    assert suppressed(reputation=both, watched=WATCHED, standing=Standing.PLAIN) == "BREAKER_SITE"


def test_row_19_nothing_stands_against_it() -> None:
    decision = decide(facts())
    assert (decision.decision, decision.code) == (Decision.SEND, "OK")
    assert code(standing=Standing.PLAIN) == "OK"


@pytest.mark.parametrize("standing", Standing)
def test_g01_only_the_doubtful_is_held_for_its_standing(standing: Standing) -> None:
    assert decide(facts(standing=standing)).decision is (
        Decision.HOLD if standing is Standing.DOUBTFUL else Decision.SEND
    )


def test_g03_known_skips_row_13_and_nothing_else_here() -> None:
    known = Reputation(known=True, suppressed={ADDRESS: "hard"}, breakers={PROVIDER: Shut.OPEN})
    assert code(reputation=Reputation(known=True), standing=Standing.DOUBTFUL) == "OK"
    assert suppressed(reputation=known, watched=WATCHED) == "SUPP_HARD"
    assert suppressed(reputation=replace(known, suppressed={}), watched=WATCHED) == "BREAKER_PROVIDER"
    assert suppressed(reputation=Reputation(known=True), report=report("abuse@example.com")) == "ROLE_SYSTEM"
    assert held(reputation=Reputation(known=True), report=unknown()).code == "ADDR_DNS_TEMP"
    unsafe = Reputation(known=True, breakers={PROVIDER: Shut.CONFIG})
    assert suppressed(reputation=unsafe, watched=WATCHED) == "CONFIG_UNSAFE"


def test_the_first_row_that_speaks_decides() -> None:
    against: dict[str, object] = {
        "reputation": Reputation(suppressed={ADDRESS: "hard"}),
        "watched": WATCHED,
        "judged": Action.REJECT,
        "report": report("abuse@example.org", Flag.PARKED_MX, Flag.SMS_GATEWAY, status=Status.UNDELIVERABLE),
        "standing": Standing.DOUBTFUL,
    }
    expected = ["SUPP_HARD", "BOT", "ADDR_UNDELIVERABLE", "ADDR_PARKED", "OWN_DOMAIN", "ROLE_SYSTEM", "SMS_GATEWAY"]
    repairs: list[dict[str, object]] = [
        {"reputation": Reputation()},
        {"judged": Action.ACCEPT},
        {"report": report("abuse@example.org", Flag.PARKED_MX, Flag.SMS_GATEWAY)},
        {"report": report("abuse@example.org", Flag.SMS_GATEWAY)},
        {"report": report("abuse@example.com", Flag.SMS_GATEWAY)},
        {"report": report("ann@example.com", Flag.SMS_GATEWAY)},
        {"report": report("ann@example.com")},
    ]
    codes = []
    for repair in repairs:
        codes.append(code(**against))
        against.update(repair)
    assert codes == expected
    assert code(**against) == "HELD_SUSPECT"


def test_g24_the_staff_may_answer_whom_the_gate_would_mail() -> None:
    assert answerable(facts())
    assert answerable(facts(relay=False, form_replies=False, replies=False))
    assert answerable(facts(reputation=Reputation(breakers={PROVIDER: Shut.OPEN}), watched=WATCHED))


@pytest.mark.parametrize(
    "against",
    [
        {"report": check_syntax("nobody")},
        {"reputation": Reputation(suppressed={ADDRESS: "hard"}), "watched": WATCHED},
        {"judged": Action.QUARANTINE},
        {"report": report(status=Status.UNDELIVERABLE)},
        {"report": unknown()},
        {"report": report("anybody@example.org")},
        {"report": report("abuse@example.com")},
        {"report": report("a@b.com", Flag.SMS_GATEWAY)},
        {"report": report("a@b.com", Flag.DISPOSABLE), "suppress_disposable": True},
        {"standing": Standing.DOUBTFUL},
        {"reputation": None},
    ],
)
def test_g24_rows_2_to_10_and_13_take_the_reply_to_away(against: dict[str, object]) -> None:
    assert not answerable(facts(**against))


def test_g18_what_came_up_since_the_slot_was_taken_stops_a_reply() -> None:
    assert stopped(Reputation(), WATCHED) is None
    assert stopped(Reputation(replies_off=True), WATCHED) == "AR_OFF"
    assert stopped(Reputation(suppressed={DOMAIN: "domain"}), WATCHED) == "SUPP_DOMAIN"
    assert stopped(Reputation(breakers={SITE: Shut.OPEN}), WATCHED) == "BREAKER_SITE"
    assert stopped(Reputation(breakers={PROVIDER: Shut.OPEN}), WATCHED) == "BREAKER_PROVIDER"
    assert stopped(Reputation(breakers={PROVIDER: Shut.CONFIG}), WATCHED) == "CONFIG_UNSAFE"


def test_g09_what_was_let_through_goes_on_while_a_breaker_is_half_open() -> None:
    assert stopped(Reputation(breakers={PROVIDER: Shut.PROBING, SITE: Shut.PROBING}), WATCHED) is None
