"""The visitor's address."""

from dataclasses import replace

import pytest

from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.facts import Facts
from formwarden.scoring import Action, Signal, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.signals.address import (
    address_control_characters,
    address_invalid,
    address_invalid_again,
    address_own_domain,
    address_undeliverable,
    address_undeliverable_again,
    address_weak,
    several_addresses,
)
from formwarden.submission import Submission
from tests.signals.cases import ASKED, FRESH, see

ADDRESS = [signal for signal in DEFAULT_SIGNALS if signal.group == "address"]
GOOD = AddressReport(address="ann@example.com", status=Status.DELIVERABLE, reason=Reason.MX_OK)


def report(status: Status, reason: Reason, *flags: Flag) -> AddressReport:
    return AddressReport(address="ann@example.com", status=status, reason=reason, flags=frozenset(flags))


def act(facts: Facts) -> Action:
    weighed = weigh(ADDRESS, Submission("contact", {}), facts, composites=DEFAULT_COMPOSITES)
    return decide(weighed, Thresholds())


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\r\n"])
def test_g27_a_line_end_or_nul_inside_the_trimmed_address_rejects(character: str) -> None:
    typed = f"ann@example.com{character}Bcc: eve@example.com"
    wrong = report(Status.INVALID, Reason.CONTROL_CHARACTERS)
    assert act(Facts(addresses=(typed,), address=wrong)) is Action.REJECT


@pytest.mark.parametrize(
    "typed", ["ann@example.com\r\n", " ann@example.com", "a\tnn@example.com", "a\x85nn@example.com"]
)
def test_g27_other_white_space_and_line_ends_around_do_not_reject(typed: str) -> None:
    assert see(address_control_characters, Facts(addresses=(typed,))) is None


@pytest.mark.parametrize("reason", [Reason.NO_AT, Reason.BAD_LOCAL, Reason.BAD_DOMAIN, Reason.SPECIAL_USE_DOMAIN])
def test_a_person_with_a_typo_is_asked_once_and_then_believed(reason: Reason) -> None:
    wrong = report(Status.INVALID, reason)
    assert act(Facts(address=wrong, token=FRESH)) is Action.ASK
    assert act(Facts(address=wrong, token=ASKED)) is Action.ACCEPT


def test_an_invalid_address_fires_one_signal_before_and_another_after_asking() -> None:
    wrong = Facts(address=report(Status.INVALID, Reason.BAD_DOMAIN), token=FRESH)
    again = replace(wrong, token=ASKED)
    assert see(address_invalid, wrong) is not None
    assert see(address_invalid_again, wrong) is None
    assert see(address_invalid, again) is None
    assert see(address_invalid_again, again) is not None


@pytest.mark.parametrize(
    "address", [None, GOOD, report(Status.INVALID, Reason.EMPTY)], ids=["unknown", "good", "blank"]
)
@pytest.mark.parametrize("token", [FRESH, ASKED])
def test_a_good_a_blank_and_an_unknown_address_are_not_invalid(address: AddressReport | None, token: object) -> None:
    facts = Facts(address=address, token=FRESH if token is FRESH else ASKED)
    assert see(address_invalid, facts) is None
    assert see(address_invalid_again, facts) is None


def test_several_addresses_are_held_back_from_acceptance_by_their_points_alone() -> None:
    assert see(several_addresses, Facts(addresses=("a@example.com", "b@example.com"))) is not None
    listed = Facts(address=report(Status.INVALID, Reason.SEVERAL), addresses=("a@example.com, b@example.com",))
    assert see(several_addresses, listed) is not None
    assert see(address_invalid, listed) is None


def test_one_address_is_not_several() -> None:
    assert see(several_addresses, Facts(addresses=("ann@example.com",), address=GOOD)) is None


@pytest.mark.parametrize("reason", [Reason.NXDOMAIN, Reason.NULL_MX, Reason.NO_MAIL_HOST])
def test_a_dead_domain_asks_once_and_is_then_accepted(reason: Reason) -> None:
    dead = report(Status.UNDELIVERABLE, reason)
    assert act(Facts(address=dead, token=FRESH)) is Action.ASK
    assert act(Facts(address=dead, token=ASKED)) is Action.ACCEPT
    assert see(address_undeliverable_again, Facts(address=dead, token=ASKED)) is not None
    assert see(address_undeliverable_again, Facts(address=dead, token=FRESH)) is None


@pytest.mark.parametrize("reason", [Reason.SERVFAIL, Reason.TIMEOUT, Reason.NO_RESOLVER, Reason.NOT_CHECKED])
def test_g04_unknown_scores_nothing(reason: Reason) -> None:
    unknown = Facts(address=report(Status.UNKNOWN, reason), addresses=("ann@example.com",), token=FRESH)
    assert weigh(ADDRESS, Submission("contact", {}), unknown).hits == ()


@pytest.mark.parametrize(
    ("signal", "flag"), [(address_own_domain, Flag.OWN_DOMAIN), (address_weak, Flag.WEAK)], ids=["own", "weak"]
)
def test_a_flag_is_a_small_score_and_other_flags_are_none(signal: Signal, flag: Flag) -> None:
    assert see(signal, Facts(address=replace(GOOD, flags=frozenset({flag})))) is not None
    assert see(signal, Facts(address=replace(GOOD, flags=frozenset({Flag.ROLE, Flag.FREEMAIL})))) is None
    assert see(signal, Facts()) is None
    assert signal.weight <= 1


def test_a_deliverable_address_fires_nothing() -> None:
    assert see(address_undeliverable, Facts(address=GOOD, token=FRESH)) is None
    assert weigh(ADDRESS, Submission("contact", {}), Facts(address=GOOD, addresses=("ann@example.com",))).hits == ()
