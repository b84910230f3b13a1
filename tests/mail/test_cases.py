"""What a decision needs, read from a verdict or from a kept inquiry."""

import pytest

from formwarden.address.report import Status
from formwarden.mail.cases import Case, Names, case_of, kept_case
from formwarden.scoring import Action, Standing
from formwarden.stores.ports import State
from formwarden.subjects import DAY_S
from tests.mail.gate_samples import CLIENTS, CONTACT, inquiry_of, report, verdict

NOW = 1_790_000_000.0
ADDRESS = b"\xc0\x00\x02\x01 "  # 192.0.2.1 and its prefix length of 32 bits


def kept(now: float = NOW, **changes: object) -> Case:
    return kept_case(inquiry_of(verdict(), **changes), CONTACT, report(), now)


def test_g18_what_was_judged_counts_and_not_what_a_watching_form_does() -> None:
    watched = verdict(action=Action.ACCEPT, judged=Action.REJECT)
    assert case_of(watched, CONTACT, CLIENTS, NOW).judged is Action.REJECT


def test_without_a_single_address_there_is_an_invalid_one() -> None:
    several = verdict(address="ann@example.com", fields=verdict().fields)
    assert case_of(several, CONTACT, CLIENTS, NOW).report.status is Status.DELIVERABLE
    none = kept_case(inquiry_of(several), CONTACT, report("nobody"), NOW)
    assert none.report.status is Status.INVALID


def test_an_unknown_client_has_no_names() -> None:
    case = case_of(verdict(ip=None), CONTACT, CLIENTS, NOW)
    assert (case.client, case.network) == (Names(), Names())


@pytest.mark.parametrize("days", [0, 1, 2, 3])
def test_g20_a_held_client_is_written_under_the_key_of_the_day_it_is_answered(days: int) -> None:
    at = NOW + days * DAY_S
    assert kept(at).client == Names(
        budget=CLIENTS.keys("client", ADDRESS, now=at, window_s=DAY_S),
        readable=CLIENTS.keys("client", ADDRESS, now=at, window_s=7 * DAY_S),
    )


def test_g20_a_verdict_s_client_is_asked_under_every_key_its_windows_touch() -> None:
    assert case_of(verdict(), CONTACT, CLIENTS, NOW).client == Names(
        budget=CLIENTS.keys("client", ADDRESS, now=NOW, window_s=DAY_S),
        readable=CLIENTS.keys("client", ADDRESS, now=NOW, window_s=7 * DAY_S),
    )


def test_g05_behind_a_carrier_s_address_stand_thousands_so_only_its_network_is_named() -> None:
    phone = verdict(ip="126.161.1.2")
    now, later = case_of(phone, CONTACT, CLIENTS, NOW), kept_case(inquiry_of(phone), CONTACT, report(), NOW)
    for case in (now, later):
        assert case.carrier
        assert case.client == Names()
        assert case.network.budget == CLIENTS.keys("network", bytes([126, 161, 1, 0, 24]), now=NOW, window_s=DAY_S)
    assert not case_of(verdict(), CONTACT, CLIENTS, NOW).carrier
    assert not kept().carrier


def test_g02_a_kept_one_waits_with_the_score_it_was_judged_by() -> None:
    assert kept(score=1.25).score == case_of(verdict(score=1.25), CONTACT, CLIENTS, NOW).score == 1.25


def test_what_is_not_written_is_the_worst() -> None:
    case = kept(facts={"client": "x", "network": [1, None], "judged": 3})
    assert (case.judged, case.standing) == (Action.REJECT, Standing.DOUBTFUL)
    assert (case.client, case.network) == (Names(), Names())


@pytest.mark.parametrize(
    ("state", "judged", "released"),
    [
        (State.RELEASED, "quarantine", True),
        (State.RELEASING, "accept", True),
        (State.RELEASED, "ask", False),
        (State.DONE, "accept", False),
        (State.HELD, "quarantine", False),
    ],
)
def test_g22_only_the_owner_s_release_is_one(state: State, judged: str, *, released: bool) -> None:
    assert kept(state=state, facts={"judged": judged}).released is released
