"""Three public sets of addresses, read in place: at least as good as email-validator alone."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from email_validator import EmailNotValidError, validate_email

from formwarden.address.report import Status
from formwarden.address.syntax import check_syntax
from tests.proof import Proof

SETS: Final = Path(__file__).parents[2] / "../shared/data/email-conformance"
NAMES: Final = ("isemail", "isemail_original", "python-email-validator", "egulias_rfc")

pytestmark = pytest.mark.skipif(not SETS.is_dir(), reason=f"the conformance sets are not at {SETS}")


# People paste spaces and line ends around an address: trimmed, there is nothing wrong with it. "=?" before the @ is
# legal and in nobody's address; some mail libraries decode it into header lines (CVE-2024-6923).
EXPECTED: Final[Mapping[str, Mapping[str, int]]] = {
    "isemail": {"we trim": 24, "we refuse an encoded word": 1},
    "isemail_original": {"we trim": 1, "we refuse an encoded word": 1},
    "python-email-validator": {"we trim": 26, "we refuse an encoded word": 2},
    "egulias_rfc": {},
}


def cases(name: str) -> list[Mapping[str, object]]:
    lines = (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def library_accepts(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def we_accept(address: str) -> bool:
    return check_syntax(address).status is Status.UNKNOWN


def differences(name: str) -> list[tuple[str, str]]:
    """Return where we and the library part: the reason for it, and the address."""
    found: list[tuple[str, str]] = []
    for case in cases(name):
        address = str(case["address"])
        ours, theirs = we_accept(address), library_accepts(address)
        if ours and not theirs:
            found.append(("we trim" if library_accepts(address.strip()) else "we accept", address))
        if theirs and not ours:
            found.append(("we refuse an encoded word" if "=?" in address else "we refuse", address))
    return found


@pytest.mark.parametrize("name", ["isemail", "isemail_original"])
def test_no_error_is_accepted_and_no_valid_address_refused_that_the_library_takes(name: str) -> None:
    for case in cases(name):
        address = str(case["address"])
        if case["category"] == "ISEMAIL_ERR" and address == address.strip():
            assert not we_accept(address), address
        if case["category"] in {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN"} and "=?" not in address:
            assert we_accept(address) or not library_accepts(address), address


def test_the_librarys_own_good_addresses_are_accepted_with_the_same_parts() -> None:
    for case in cases("python-email-validator"):
        address, expect = str(case["address"]), case.get("expect")
        if not isinstance(expect, dict) or not library_accepts(address) or not we_accept(address):
            continue
        report = check_syntax(address)
        assert report.normalized == expect["normalized"]
        assert report.ascii_email == expect.get("ascii_email")
        assert report.domain == expect["ascii_domain"].lower()


@pytest.mark.parametrize("name", NAMES)
def test_the_differences_from_the_library_are_these(name: str, proof: Proof) -> None:
    found = differences(name)
    by_reason = {
        why: f"{len(group)}, such as {', '.join(sorted(group, key=len)[:3])}"
        for why in sorted({why for why, _ in found})
        if (group := [ascii(address)[1:-1] for each, address in found if each == why])
    }

    proof(f"addresses of {name} judged as email-validator does", of=len(cases(name)), all_but=len(found), **by_reason)
    assert Counter(why for why, _ in found) == EXPECTED[name]
