from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import ComposeError, SettingsError
from formwarden.mail.compose import Composed
from formwarden.mail.settings import Mail
from formwarden.mail.staff_mail import STAFF_HEADERS, StaffMail, shown
from formwarden.site import Site
from formwarden.submission import Fields
from tests.clock import MovableClock

NOW = 1_790_000_000.0
SITE = Site(site_domain="site.example", site_name="Acme", staff_address=("office@site.example", "boss@other.example"))
VISITOR = "bob@example.org"


def mails(
    fields: Fields | dict[str, str],
    *,
    site: Site = SITE,
    reply_to: str | None = None,
    address: str | None = VISITOR,
    uploads: tuple[str, ...] = (),
    subject_prefix: str = "",
    note: str = "",
) -> tuple[Composed, ...]:
    return StaffMail(site, Mail(), MovableClock(NOW), system_entropy).compose(
        form="contact",
        fields=fields if isinstance(fields, Fields) else Fields(fields),
        uploads=uploads,
        receipt="F-123",
        received_at=NOW,
        score=1.25,
        reply_to=reply_to,
        address=address,
        subject_prefix=subject_prefix,
        note=note,
    )


def parsed(composed: Composed) -> EmailMessage:
    message = message_from_bytes(composed.data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(composed: Composed) -> str:
    content = parsed(composed).get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def test_each_staff_address_gets_a_mail_of_its_own() -> None:
    first, second = mails({"message": "hello"})
    assert (first.recipient, second.recipient) == SITE.staff_address
    assert (parsed(first)["To"], parsed(second)["To"]) == SITE.staff_address
    assert first.envelope_from == second.envelope_from == "noreply@site.example"
    assert parsed(first)["Message-ID"] != parsed(second)["Message-ID"]


def test_without_a_staff_address_there_is_no_mail_and_no_sender_is_needed() -> None:
    assert mails({"message": "hello"}, site=Site()) == ()


def test_the_same_staff_address_given_twice_gets_one_mail() -> None:
    site = Site(site_domain="site.example", staff_address=("office@site.example", "office@site.example"))
    assert len(mails({}, site=site)) == 1


def test_a_staff_address_that_is_none_is_told_at_construction() -> None:
    with pytest.raises(SettingsError, match="FORMWARDEN_STAFF_ADDRESS: number 2"):
        mails({}, site=Site(site_domain="site.example", staff_address=("office@site.example", "boss")))


def test_staff_without_a_sender_is_told() -> None:
    with pytest.raises(ComposeError, match="FORMWARDEN_SITE_DOMAIN"):
        mails({}, site=Site(staff_address=("office@site.example",)))


def test_the_subject_is_ours_and_the_headers_are_too() -> None:
    message = parsed(mails({"subject": "buy now"}, subject_prefix="[suspect]")[0])
    assert message["Subject"] == "[suspect] contact: inquiry F-123"
    assert message["From"] == "Acme <noreply@site.example>"
    assert {name.lower() for name in message} <= STAFF_HEADERS
    assert "reply-to" not in {name.lower() for name in message}


def test_g24_programs_that_answer_for_people_are_asked_not_to() -> None:
    message = parsed(mails({})[0])
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-generated", "All")


def test_every_field_stands_in_the_body_as_it_was_typed() -> None:
    fields = Fields([("name", "山田 太郎"), ("message", "one\r\n\r\n  two\n"), ("topic", "a"), ("topic", "b")])
    text = text_of(mails(fields, uploads=("plan.pdf",), note="held: waiting")[0])
    assert text == (
        "Form: contact\n"
        "Receipt: F-123\n"
        "Received: 21 September 2026, 14:13 UTC\n"
        "Score: 1.2\n"
        "Address: bob@example.org\n"
        "(not in Reply-To: look at it before you answer)\n"
        "Note: held: waiting\n"
        "\n"
        "name: 山田 太郎\n"
        "message:\n"
        "one\n"
        "\n"
        "  two\n"
        "\n"
        "\n"
        "topic: a\n"
        "topic: b\n"
        "File: plan.pdf\n"
    )


@pytest.mark.parametrize("text", ["x" * 1_000_000, "あ" * 300_000, "\n" * 50_000, ".\r\n" * 1_000])
def test_a_long_value_stays_complete(text: str) -> None:
    (composed, _) = mails({"message": text})
    assert text.replace("\r\n", "\n") in text_of(composed)


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("a\tb", "a\tb"),
        ("a\rb", "a\\x0db"),
        ("a\x00b\x0bc\x0cd\x1be", "a\\x00b\\x0bc\\x0cd\\x1be"),
        ("a\x85b\u2028c\u2029d", "a\\x85b\\u2028c\\u2029d"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),
        ("half \ud83d", "half \\ud83d"),
        ("👩‍💻 שלום", "👩‍💻 שלום"),
    ],
)
def test_what_cannot_be_seen_is_written_out(typed: str, seen: str) -> None:
    assert shown(typed) == seen
    assert f"message: {seen}\n" in text_of(mails({"message": typed})[0])


def test_a_frameworks_own_token_is_nobodys_words() -> None:
    typed = {
        "csrfmiddlewaretoken": "x1",
        "csrf_token": "x2",
        "_csrf": "x3",
        "authenticity_token": "x4",
        "token": "mine",
    }
    text = text_of(mails(typed)[0])
    assert "token: mine" in text
    assert not any(each in text for each in ("x1", "x2", "x3", "x4"))


def test_a_field_name_stays_on_its_line() -> None:
    assert "a\\x0ab\\x09c: x\n" in text_of(mails({"a\nb\tc": "x"})[0])


def test_g24_reply_to_is_set_only_where_it_was_found_safe() -> None:
    (safe, _) = mails({}, reply_to=VISITOR)
    assert parsed(safe)["Reply-To"] == VISITOR
    assert "not in Reply-To" not in text_of(safe)
    (unsafe, _) = mails({}, reply_to=None)
    assert parsed(unsafe)["Reply-To"] is None
    assert f"Address: {VISITOR}\n(not in Reply-To" in text_of(unsafe)


@pytest.mark.parametrize(
    "reply_to",
    ["a@b, c@d", "Bob <bob@example.org>", "bob@example.org\r\nBcc: v@x", "用户@example.org", "", "g: a@b;"],
)
def test_a_reply_to_that_is_more_than_one_plain_ascii_address_is_left_out(reply_to: str) -> None:
    for composed in mails({}, reply_to=reply_to, address=reply_to):
        assert parsed(composed)["Reply-To"] is None


def test_a_reply_to_of_a_domain_beyond_ascii_is_written_in_a_labels() -> None:
    assert parsed(mails({}, reply_to="bob@例え.jp")[0])["Reply-To"] == "bob@xn--r8jz45g.jp"


def test_an_inquiry_without_an_address_says_nothing_of_one() -> None:
    assert "Address" not in text_of(mails({}, address=None)[0])
