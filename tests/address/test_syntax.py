import json
import subprocess
import sys
from email.utils import getaddresses

import email_validator
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from formwarden.address.report import Flag, Reason, Status
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import MAX_CHARACTERS, check_syntax, is_reserved
from formwarden.data import words

ANY_CHARACTER = st.characters(codec=None, categories=None)
NEARLY = st.text(st.sampled_from('ab.@+"<>[]:;, =?()\\-_１＠。\u0301é\r\n\0'), max_size=30)


def test_a_plain_address_is_unknown_until_dns_was_asked() -> None:
    report = check_syntax("  Taro.Yamada+news@Mail.Shop.Co.Jp \r\n")

    assert report.status is Status.UNKNOWN
    assert report.reason is Reason.NOT_CHECKED
    assert report.address == "Taro.Yamada+news@Mail.Shop.Co.Jp"
    assert report.normalized == "Taro.Yamada+news@mail.shop.co.jp"
    assert report.ascii_email == report.normalized
    assert report.domain == "mail.shop.co.jp"
    assert report.registrable == "shop.co.jp"
    assert report.canonical == "taro.yamada@mail.shop.co.jp"
    assert report.flags == frozenset()
    assert (report.mx, report.provider) == ((), None)


def test_roles_and_shared_domains_are_flagged() -> None:
    assert check_syntax("support@gmail.com").flags == {Flag.ROLE, Flag.FREEMAIL}
    assert check_syntax("owner-list@shop.co.jp").flags == {Flag.ROLE_SYSTEM}
    assert check_syntax("5551234567@vtext.com").flags == {Flag.SMS_GATEWAY}


def test_punycode_and_unicode_spellings_have_one_key() -> None:
    unicode, punycode = check_syntax("taro@日本語.jp"), check_syntax("taro@xn--wgv71a119e.jp")

    assert unicode.domain == punycode.domain == "xn--wgv71a119e.jp"
    assert unicode.canonical == punycode.canonical


def test_a_local_part_that_needs_smtputf8_has_no_ascii_form() -> None:
    report = check_syntax("太郎@shop.co.jp")

    assert report.status is Status.UNKNOWN
    assert report.ascii_email is None


@pytest.mark.anyio
async def test_loaded_suffixes_know_what_a_guess_does_not() -> None:
    suffixes = Suffixes()
    await suffixes.load()

    assert check_syntax("taro@a.b.city.kobe.jp", suffixes).registrable == "city.kobe.jp"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", Reason.EMPTY),
        (" \u3000\r\n ", Reason.EMPTY),
        ("taro", Reason.NO_AT),
        ("taro＠shop.co.jp", Reason.NO_AT),
        ("undisclosed-recipients:;", Reason.NO_AT),
        ("a@shop.co.jp, b@shop.co.jp", Reason.SEVERAL),
        ("a@shop.co.jp;b@shop.co.jp", Reason.SEVERAL),
        ("a@shop.co.jp b@shop.co.jp", Reason.SEVERAL),
        ("a@shop.co.jp、b@shop.co.jp", Reason.SEVERAL),
        ("<a@shop.co.jp>, <b@shop.co.jp>", Reason.SEVERAL),
        ('"a, b@c"@shop.co.jp', Reason.SEVERAL),
        ("friends: a@shop.co.jp;", Reason.SEVERAL),
        ("friends: a@shop.co.jp, b@shop.co.jp;", Reason.SEVERAL),
        ("Taro <taro@shop.co.jp>", Reason.DISPLAY_NAME),
        ("<taro@shop.co.jp>", Reason.DISPLAY_NAME),
        ("=?utf-8?q?taro?=@shop.co.jp", Reason.BAD_LOCAL),
        ("ta=?ro@shop.co.jp", Reason.BAD_LOCAL),
        ('"taro"@shop.co.jp', Reason.QUOTED_LOCAL),
        ('"ta ro"@shop.co.jp', Reason.QUOTED_LOCAL),
        ("taro@[192.0.2.1]", Reason.DOMAIN_LITERAL),
        ("taro@[IPv6:2001:db8::1]", Reason.DOMAIN_LITERAL),
        ("@shop.co.jp", Reason.BAD_LOCAL),
        ("taro@", Reason.BAD_DOMAIN),
        ("ta ro@shop.co.jp", Reason.BAD_LOCAL),
        ("taro(yamada)@shop.co.jp", Reason.BAD_LOCAL),
        ("ta..ro@shop.co.jp", Reason.BAD_LOCAL),
        (".taro@shop.co.jp", Reason.BAD_LOCAL),
        ("taro@@shop.co.jp", Reason.BAD_LOCAL),
        ("ta\u202ero@shop.co.jp", Reason.BAD_LOCAL),
        ("ta\ud800ro@shop.co.jp", Reason.BAD_LOCAL),
        ("taro@shop,co.jp", Reason.BAD_DOMAIN),
        ("taro@shop..jp", Reason.BAD_DOMAIN),
        ("taro@-shop.co.jp", Reason.BAD_DOMAIN),
        ("taro@shop", Reason.BAD_DOMAIN),
        ("taro@127.0.0.1", Reason.BAD_DOMAIN),
        ("taro@" + "a" * 64 + ".com", Reason.BAD_DOMAIN),
        ("t" * 64 + "@" + ".".join(["a" * 60] * 3) + ".abcdefgh.com", Reason.TOO_LONG),
    ],
)
def test_what_is_no_single_address_is_refused_with_its_reason(raw: str, reason: Reason) -> None:
    report = check_syntax(raw)

    assert (report.status, report.reason) == (Status.INVALID, reason)
    assert report.normalized is report.domain is report.canonical is report.registrable is None


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"])
def test_g27_a_control_character_inside_the_trimmed_address_has_a_reason_of_its_own(character: str) -> None:
    report = check_syntax(f"taro@shop.co.jp{character}bcc: victim@shop.co.jp")

    assert (report.status, report.reason) == (Status.INVALID, Reason.CONTROL_CHARACTERS)


def test_g27_a_long_injection_is_no_less_an_injection() -> None:
    report = check_syntax("taro@shop.co.jp\r\nBcc: " + "victim@shop.co.jp, " * 100)

    assert report.reason is Reason.CONTROL_CHARACTERS
    assert len(report.address) == MAX_CHARACTERS


@pytest.mark.parametrize("tld", sorted(words("special_names", "special_use")))
def test_special_use_names_are_refused_without_dns(tld: str) -> None:
    for domain in (tld, f"shop.{tld}", f"shop.{tld.upper()}", f"shop．{tld}"):
        assert check_syntax(f"taro@{domain}").reason is Reason.SPECIAL_USE_DOMAIN


@pytest.mark.parametrize("tld", sorted(words("special_names", "private_tlds")))
def test_names_of_private_networks_are_refused_without_dns(tld: str) -> None:
    for domain in (tld, f"db.{tld}", f"DB.{tld.upper()}", f"db。{tld}"):
        assert check_syntax(f"taro@{domain}").reason is Reason.PRIVATE_TLD


def test_invisible_marks_do_not_hide_a_private_name() -> None:
    # IDNA drops them, so the name that would be asked is db.lan.
    for mark in ("\ufe0f", "\u034f", "\U000e0100"):
        assert check_syntax(f"taro@db.l{mark}an").reason is Reason.PRIVATE_TLD


def test_example_domains_are_ordinary_names() -> None:
    assert check_syntax("taro@example.com").status is Status.UNKNOWN


def test_a_host_of_this_machine_or_network_is_reserved() -> None:
    assert is_reserved("localhost")
    assert is_reserved("mail")
    assert is_reserved("db.internal")
    assert not is_reserved("mx.shop.co.jp")


@pytest.mark.parametrize("long", ["a" * 321, "taro@" + "a." * 200 + "jp", "a\u0301" * 500_000 + "@shop.co.jp"])
def test_a_long_text_is_refused_before_anything_parses_it(long: str) -> None:
    # Parsed, each would have another reason (no @, bad domain, bad local part), after seconds.
    report = check_syntax(long)

    assert report.reason is Reason.TOO_LONG
    assert report.address == long[:MAX_CHARACTERS]


@given(st.one_of(NEARLY, st.text(ANY_CHARACTER, max_size=60), st.emails()))
@example("a" * 200 + "@" + "b." * 50 + "jp")
@example("x@\u0301.com")
@example("x@xn--.com")
@example("x@xn--a.jp")
def test_no_text_makes_the_check_raise(raw: str) -> None:
    report = check_syntax(raw)

    assert report.status in {Status.UNKNOWN, Status.INVALID}
    assert json.dumps(report.as_dict())


@given(st.one_of(NEARLY.map(lambda text: f"a{text}@shop.co.jp"), NEARLY, st.emails()))
def test_what_passes_is_one_address_for_a_mail_library_too(raw: str) -> None:
    report = check_syntax(raw)
    if report.normalized is None:
        return

    assert [address for _, address in getaddresses([report.normalized])] == [report.normalized]
    assert report.normalized.isprintable()


def test_globals_of_the_library_do_not_reach_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALLOW_QUOTED_LOCAL", "ALLOW_DOMAIN_LITERAL", "ALLOW_EMPTY_LOCAL", "TEST_ENVIRONMENT"):
        monkeypatch.setattr(email_validator, name, True)  # as a site might have done for itself
    monkeypatch.setattr(email_validator, "GLOBALLY_DELIVERABLE", False)

    assert check_syntax("taro@shop").reason is Reason.BAD_DOMAIN
    assert check_syntax("taro@shop.test").reason is Reason.SPECIAL_USE_DOMAIN
    assert check_syntax("@shop.co.jp").reason is Reason.BAD_LOCAL


def test_checking_syntax_imports_no_dns() -> None:
    code = (
        "import sys; from formwarden.address.syntax import check_syntax; check_syntax('taro@shop.co.jp');"
        "sys.exit(any(name.partition('.')[0] in ('dns', 'publicsuffixlist') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
