import json
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from formwarden.address.outcomes import ROWS
from formwarden.address.report import AddressReport, Flag, Reason, Status

REPORT = AddressReport(
    address=" Taro@Gmial.com".strip(),
    status=Status.UNKNOWN,
    reason=Reason.NOT_CHECKED,
    flags=frozenset({Flag.FREEMAIL, Flag.ROLE}),
    normalized="Taro@gmial.com",
    ascii_email="Taro@gmial.com",
    domain="gmial.com",
    registrable="gmial.com",
    canonical="taro@gmial.com",
    mx=((10, "mx.gmial.com"),),
    provider="gmial.com",
    suggestion="Taro@gmail.com",
    elapsed_ms=1.23,
)
RESULTS = {"deliverable", "undeliverable", "risky", "unknown"}
REASONS = {  # as Kickbox documents them
    "invalid_email",
    "invalid_domain",
    "rejected_email",
    "accepted_email",
    "low_quality",
    "low_deliverability",
    "no_connect",
    "timeout",
    "invalid_smtp",
    "unavailable_smtp",
    "unexpected_error",
}


def with_reason(reason: Reason) -> AddressReport:
    status = ROWS[reason][1] if reason in ROWS else Status.INVALID
    return replace(REPORT, status=status, reason=reason, flags=frozenset())


def test_a_report_cannot_be_changed() -> None:
    for field in fields(AddressReport):
        with pytest.raises(FrozenInstanceError):
            setattr(REPORT, field.name, None)


def test_every_field_is_in_the_json() -> None:
    plain = json.loads(json.dumps(REPORT.as_dict()))

    assert set(plain) == {field.name for field in fields(AddressReport)}
    assert plain["mx"] == [[10, "mx.gmial.com"]]
    assert plain["flags"] == ["freemail", "role"]
    assert (plain["status"], plain["reason"]) == ("unknown", "not_checked")
    assert plain["suggestion"] == "Taro@gmail.com"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_stranger_learns_nothing_from_the_public_sentence(language: str) -> None:
    """Neither the outcome of DNS nor a mark nor the address is in it: it is the same for all."""
    told = {replace(with_reason(reason), flags=frozenset(Flag)).public_message(language) for reason in Reason}
    told |= {replace(REPORT, status=status).public_message(language) for status in Status}

    assert len(told) == 1
    sentence = told.pop().lower()
    assert "gmial" not in sentence
    assert not any(word in sentence for word in ("exist", "domain", "dns", "mailbox", "存在", "ドメイン"))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_result_and_a_reason_of_kickboxs(reason: Reason) -> None:
    plain = with_reason(reason).as_kickbox()

    assert plain["result"] in RESULTS
    assert plain["reason"] in REASONS
    assert json.dumps(plain)


@pytest.mark.parametrize(
    ("reason", "flags", "result", "why"),
    [
        (Reason.MX_OK, set(), "deliverable", "accepted_email"),
        (Reason.MX_OK, {Flag.FREEMAIL, Flag.PRIVACY_RELAY}, "deliverable", "accepted_email"),
        (Reason.MX_OK, {Flag.ROLE}, "risky", "low_quality"),
        (Reason.MX_OK, {Flag.ROLE_SYSTEM}, "risky", "low_quality"),
        (Reason.MX_OK, {Flag.DISPOSABLE}, "risky", "low_quality"),
        (Reason.MX_OK, {Flag.PARKED_MX}, "risky", "low_deliverability"),
        (Reason.IMPLICIT_MX_A, {Flag.WEAK, Flag.ROLE}, "risky", "low_deliverability"),
        (Reason.NXDOMAIN, set(), "undeliverable", "invalid_domain"),
        (Reason.NULL_MX, {Flag.ROLE}, "undeliverable", "invalid_domain"),
        (Reason.TIMEOUT, set(), "unknown", "timeout"),
        (Reason.SERVFAIL, {Flag.DISPOSABLE}, "unknown", "no_connect"),
        (Reason.NOT_CHECKED, set(), "unknown", "unexpected_error"),
        (Reason.NO_AT, set(), "undeliverable", "invalid_email"),
        (Reason.PRIVATE_TLD, set(), "undeliverable", "invalid_domain"),
    ],
)
def test_the_words_of_kickbox(reason: Reason, flags: set[Flag], result: str, why: str) -> None:
    plain = replace(with_reason(reason), flags=frozenset(flags)).as_kickbox()

    assert (plain["result"], plain["reason"]) == (result, why)


def test_kickboxs_flags_hint_and_parts_are_there_and_no_score_is_invented() -> None:
    plain = replace(REPORT, flags=frozenset({Flag.ROLE, Flag.FREEMAIL, Flag.DISPOSABLE})).as_kickbox()

    assert (plain["role"], plain["free"], plain["disposable"]) == (True, True, True)
    assert plain["did_you_mean"] == "Taro@gmail.com"
    assert (plain["email"], plain["user"], plain["domain"]) == ("Taro@gmial.com", "Taro", "gmial.com")
    assert "sendex" not in plain
    assert "accept_all" not in plain


def test_what_is_no_address_has_no_parts() -> None:
    plain = AddressReport(address="taro", status=Status.INVALID, reason=Reason.NO_AT).as_kickbox()

    assert (plain["email"], plain["user"], plain["domain"], plain["role"]) == ("taro", None, None, False)
