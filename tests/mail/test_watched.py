"""Whom a suppression or a breaker may concern."""

from formwarden.address.syntax import check_syntax
from formwarden.mail.watched import watch
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
