"""Whom a suppression or a breaker may concern."""

import pytest

from formwarden.address.syntax import check_syntax
from formwarden.mail.watched import is_of_group, label_of, watch
from formwarden.subjects import Subjects
from tests.mail.gate_samples import report


def test_g11_an_implicit_mx_is_a_provider_of_its_own() -> None:
    subjects = Subjects((b"key",))
    own = watch(report("a@mail.b.com", provider=None), subjects)
    assert own.provider == subjects.keys("provider", "b.com")
    assert watch(report("a@b.com"), subjects).provider == subjects.keys("provider", "mailhost.net")


def test_of_what_is_no_address_only_the_site_is_watched() -> None:
    watched = watch(check_syntax("nobody"), Subjects((b"key",)))
    assert watched.recipient == ()
    assert watched.all == watched.site


def test_only_large_groups_have_a_name_that_the_owner_may_read() -> None:
    assert [label_of(group) for group in ("google", "docomo", "mailhost.net", "")] == ["google", "docomo", "", ""]


@pytest.mark.parametrize(
    ("host", "group", "of"),
    [
        ("gmail-smtp-in.l.google.com", "google", True),
        ("GMAIL-SMTP-IN.L.GOOGLE.COM.", "google", True),
        ("mx.google.com.evil.net", "google", False),
        ("notgoogle.com", "google", False),
        ("acme-com.mail.protection.outlook.com", "microsoft", True),
        ("mx1.mailhost.net", "mailhost.net", True),
        ("mailhost.net", "mailhost.net", True),
        ("mx.evil.net", "mailhost.net", False),
        ("mx.evil.net", "", False),
    ],
)
def test_g11_a_host_is_of_the_group_whose_suffixes_it_is_under(host: str, group: str, *, of: bool) -> None:
    assert is_of_group(host, group) is of
