"""Whose reply it is, for what its outcome will mean."""

from formwarden.address.report import AddressReport, Flag
from formwarden.mail.accounts import account_of
from formwarden.mail.cases import case_of
from formwarden.mail.watched import watch
from formwarden.scoring import Standing, Verdict
from formwarden.stores.ports import Account
from formwarden.subjects import Subjects, bounced
from tests.mail.gate_samples import CLIENTS, CONTACT, report, verdict

NOW = 1_790_000_000.0
SUBJECTS = Subjects((b"newest key", b"older key"))


def account(wanted: Verdict | None = None, standing: Standing = Standing.SHOWN) -> Account:
    case = case_of(wanted or verdict(), CONTACT, CLIENTS, NOW)
    found = account_of(case, watch(case.report, SUBJECTS), SUBJECTS, standing)
    assert found is not None
    return found


def at(address: str, *flags: Flag, **changes: object) -> Verdict:
    of: AddressReport = report(address, *flags, **changes)
    return verdict(address, report=of)


def test_g20_the_recipient_is_named_under_every_key_and_the_others_under_the_newest() -> None:
    of = account(at("ann@mail.example.com"))
    assert of.recipient == SUBJECTS.keys("address", "ann@mail.example.com")
    assert of.provider == SUBJECTS.keys("provider", "mailhost.net")[0]
    assert of.site == SUBJECTS.keys("site", "")[0]
    assert of.domain == SUBJECTS.keys("registrable", "example.com")[0]


def test_g12_a_freemail_domain_s_strangers_are_many() -> None:
    assert account(at("ann@gmail.com", provider="google")).domain is None


def test_g13_only_a_large_group_has_a_label() -> None:
    assert account(at("ann@gmail.com", provider="google")).label == "google"
    assert account(at("ann@example.com")).label == ""


def test_g12_the_client_is_named_as_a_bounce_of_it_is_and_the_network_under_all_readable_days() -> None:
    wanted = verdict()
    assert wanted.client is not None
    assert wanted.network is not None
    of = account(wanted)
    assert of.client == bounced(CLIENTS.readable("client", wanted.client, now=NOW))[0]
    assert of.network == CLIENTS.readable("network", wanted.network, now=NOW)
    assert len(of.network) == 8


def test_g05_a_carrier_s_client_is_nobody_and_an_unknown_one_has_no_network_either() -> None:
    phone, unknown = account(verdict(ip="49.98.1.2")), account(verdict(ip=None))
    assert (phone.client, bool(phone.network)) == (None, True)
    assert (unknown.client, unknown.network) == (None, ())


def test_the_standing_is_the_one_it_drew_by() -> None:
    assert account(standing=Standing.KNOWN).standing == "known"


def test_what_is_no_address_has_no_account() -> None:
    case = case_of(verdict("nobody", report=report("nobody")), CONTACT, CLIENTS, NOW)
    assert account_of(case, watch(case.report, SUBJECTS), SUBJECTS, Standing.SHOWN) is None
