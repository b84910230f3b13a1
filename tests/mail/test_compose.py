from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import count

import pytest

from formwarden.errors import ComposeError
from formwarden.mail.autoreply import AutoReply
from formwarden.mail.compose import REPLY_HEADERS, Composed, Composer, Draft, received_text, write
from formwarden.mail.headers import Mailbox
from formwarden.mail.settings import Mail
from formwarden.mail.stop_links import KEY_BYTES, StopLinks
from formwarden.mail.verp import Verp
from formwarden.site import Site
from formwarden.stores.ports import Key
from formwarden.tokens import Tokens
from tests.clock import MovableClock

NOW = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC
RECIPIENT = "bob@example.org"
SITE = Site(site_domain="site.example", site_name="Acme, Inc.")


def tokens(clock: MovableClock) -> Tokens:
    return Tokens(("k" * 32,), clock=clock, entropy=bytes)


def composer(site: Site = SITE, mail: Mail | None = None) -> Composer:
    numbers = count(1)
    clock = MovableClock(NOW)
    return Composer(site, mail or Mail(), tokens(clock), clock, lambda size: next(numbers).to_bytes(size, "big"))


def reply(
    by: Composer | None = None,
    *,
    auto: AutoReply | None = None,
    recipient: str = RECIPIENT,
    language: str = "en",
    reference: str = "F-123",
    reply_id: bytes = b"sixteen bytes id",
    person: str = "",
    stop: Key | None = None,
) -> Composed:
    return (by or composer()).reply(
        auto or AutoReply(),
        recipient=recipient,
        language=language,
        reference=reference,
        received_at=NOW - 60,
        reply_id=reply_id,
        person=person,
        stop=stop,
    )


def parsed(composed: Composed) -> EmailMessage:
    message = message_from_bytes(composed.data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_r05_a_reply_has_one_recipient_and_no_header_but_ours() -> None:
    composed = reply()
    message = parsed(composed)
    assert composed.recipient == RECIPIENT
    assert message["To"] == RECIPIENT
    assert len(message.keys()) == len(REPLY_HEADERS)
    assert {name.lower() for name in message} == REPLY_HEADERS


@pytest.mark.parametrize("language", ["en", "ja"])
def test_r10_and_r11_a_reply_says_that_it_is_automatic(language: str) -> None:
    message = parsed(reply(language=language))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Content-Language"] == language
    assert "Precedence" not in message


def test_r12_a_reply_comes_from_the_site_and_its_name() -> None:
    assert parsed(reply())["From"] == '"Acme, Inc." <noreply@site.example>'
    by = composer(Site(site_domain="site.example"), Mail(mail_from="office@mail.example"))
    assert parsed(reply(by))["From"] == '"site.example" <office@mail.example>'


def test_r14_a_reply_has_a_date_and_a_message_id_of_our_domain_that_tells_nothing() -> None:
    by = composer()
    first, second = parsed(reply(by)), parsed(reply(by))
    assert first["Date"] == "Mon, 21 Sep 2026 14:13:20 +0000"
    assert first["Message-ID"] == f"<{1:032x}@site.example>"
    assert second["Message-ID"] == f"<{2:032x}@site.example>"


@pytest.mark.parametrize(
    ("language", "subject", "received"),
    [
        ("en", "Auto: we received your inquiry [F-123] - Acme, Inc.", "Received:  21 September 2026, 14:12 UTC"),
        (
            "ja",
            "【Acme, Inc.】お問い合わせを受け付けました（自動返信・受付番号 F-123）",
            "受付日時：2026年9月21日 23:12（日本時間）",
        ),
    ],
)
def test_r15_and_r17_subject_and_text_are_ours(language: str, subject: str, received: str) -> None:
    message = parsed(reply(language=language))
    assert message["Subject"] == subject
    assert received in message.get_content()
    assert "F-123" in message.get_content()
    assert message.get_content_type() == "text/plain"
    assert message["Content-Transfer-Encoding"] in {"base64", "quoted-printable"}


@pytest.mark.parametrize("name", ["In-Reply-To", "References", "Reply-To", "Sender", "Cc", "Bcc", "Return-Path"])
def test_r13_and_r16_a_reply_answers_no_message_and_wants_no_answer(name: str) -> None:
    assert parsed(reply())[name] is None


@pytest.mark.parametrize("name", ["List-Unsubscribe", "List-Id", "Precedence", "Form-Sub", "Feedback-ID", "X-Mailer"])
def test_r11_r23_and_r24_a_receipt_carries_no_mark_of_bulk_mail(name: str) -> None:
    assert parsed(reply())[name] is None


def test_r15_the_subject_says_that_it_is_automatic_in_either_language() -> None:
    assert parsed(reply())["Subject"].startswith("Auto: ")
    assert "自動返信" in parsed(reply(language="ja"))["Subject"]


def test_r17_a_reply_is_one_plain_text_and_nothing_is_attached() -> None:
    message = parsed(reply(auto=AutoReply(name=True), person="Bob"))
    assert not message.is_multipart()
    assert (message.get_content_type(), message.get_content_charset()) == ("text/plain", "utf-8")
    assert message.get_content().splitlines()[0] == "Hello Bob,"


def test_row_12_a_reply_says_whether_a_name_was_dropped_from_it() -> None:
    auto = AutoReply(name=True)
    assert not reply(auto=auto, person="Bob").stripped
    assert not reply(auto=auto).stripped
    dropped = reply(auto=auto, person="www evil test")
    assert dropped.stripped
    assert b"evil" not in dropped.data
    assert not reply(person="www evil test").stripped  # nothing was dropped that would have stood there


def test_r23_a_reply_carries_the_link_where_there_is_one() -> None:
    clock = MovableClock(NOW)
    stops = StopLinks(tokens(clock), clock, public_url="https://site.example", prefix="/_fw/")
    by = Composer(SITE, Mail(), tokens(clock), clock, bytes, stops=stops)
    someone = Key(b"k" * KEY_BYTES)
    assert stops.url(someone) in parsed(reply(by, stop=someone)).get_content()
    assert "http" not in parsed(reply(by)).get_content()
    assert "http" not in parsed(reply(stop=someone)).get_content()


def test_one_text_for_all_tells_the_time_as_its_letters_do() -> None:
    japanese = AutoReply(text="受け付けました。$received")
    assert "日本時間" in parsed(reply(auto=japanese, language="en")).get_content()
    assert "UTC" in parsed(reply(auto=AutoReply(text="$received"), language="ja")).get_content()


def test_a_time_in_a_language_without_months_of_ours_is_in_figures() -> None:
    assert received_text(NOW, "de") == "2026-09-21 14:13 UTC"


def test_one_text_for_all_languages_carries_no_content_language() -> None:
    assert parsed(reply(auto=AutoReply(text="Merci $reference")))["Content-Language"] is None


def test_r19_and_g14_the_envelope_names_the_reply_and_can_be_read_back() -> None:
    composed = reply()
    local, _, domain = composed.envelope_from.partition("@")
    assert domain == "site.example"
    assert Verp(tokens(MovableClock(NOW))).read(local, NOW) == b"sixteen bytes id"


def test_r18_and_g14_the_envelope_may_be_the_account_or_null() -> None:
    by = composer(mail=Mail(mail_from="office@mail.example", envelope="account"))
    assert reply(by).envelope_from == "office@mail.example"
    assert reply(composer(mail=Mail(envelope="null"))).envelope_from == ""
    assert reply(composer(mail=Mail(mail_from="office@mail.example"))).envelope_from.endswith("@mail.example")


def test_a_domain_of_a_recipient_goes_out_in_a_labels() -> None:
    composed = reply(recipient="bob@例え.jp")
    assert composed.recipient == parsed(composed)["To"] == "bob@xn--r8jz45g.jp"
    assert composed.data.isascii()


def test_a_local_part_beyond_ascii_makes_a_mail_that_needs_smtputf8() -> None:
    composed = reply(recipient="用户@例え.jp", language="ja")
    assert composed.recipient == "用户@xn--r8jz45g.jp"
    assert "To: 用户@xn--r8jz45g.jp\r\n".encode() in composed.data


def test_the_longest_address_arrives_whole() -> None:
    longest = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"[:254]
    assert reply(recipient=longest).recipient == longest


@pytest.mark.parametrize("recipient", ["", "bob", "bob@example.org, eve@example.org", "bob@example.org\r\nBcc: v@x"])
def test_r02_and_r05_no_reply_to_what_is_not_one_address(recipient: str) -> None:
    with pytest.raises(ComposeError, match="recipient"):
        reply(recipient=recipient)


@pytest.mark.parametrize("reference", ["", "a\r\nb", "=?utf-8?q?x?=", "x" * 65, "https://x.example", "受付"])
def test_a_reference_is_a_number_of_ours(reference: str) -> None:
    with pytest.raises(ComposeError, match="reference"):
        reply(reference=reference)


@pytest.mark.parametrize(
    ("site", "mail", "setting"),
    [
        (Site(), Mail(), "set FORMWARDEN_SITE_DOMAIN or FORMWARDEN_MAIL_FROM"),
        (Site(site_domain="a b"), Mail(), "FORMWARDEN_SITE_DOMAIN makes"),
        (
            Site(site_domain="site.example"),
            Mail(mail_from="Office <office@site.example>"),
            "FORMWARDEN_MAIL_FROM makes",
        ),
        (Site(site_domain="site.example"), Mail(mail_from="用户@site.example"), "FORMWARDEN_MAIL_FROM makes"),
    ],
)
def test_a_sender_that_is_missing_or_no_address_is_told(site: Site, mail: Mail, setting: str) -> None:
    with pytest.raises(ComposeError, match=setting):
        reply(composer(site, mail))


def test_r17_the_longest_text_that_a_form_takes_fits_into_four_kilobytes() -> None:
    by = composer(
        Site(site_domain="site.example", site_name="山" * 30), Mail(mail_from=f"{'a' * 40}@{'b' * 60}.example")
    )
    longest_address = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example"
    for auto in (
        AutoReply(text="x" * 2_800),
        AutoReply(text="あ" * 600),
        AutoReply(subject="あ" * 150, text="あ" * 400),
    ):
        assert len(reply(by, auto=auto, recipient=longest_address, language="ja").data) <= 4_096


def test_r17_a_mail_beyond_four_kilobytes_does_not_leave() -> None:
    by = composer(Site(site_domain="site.example", site_name="山" * 100))
    with pytest.raises(ComposeError, match="at most 4096"):
        reply(by, auto=AutoReply(text="$site " * 30))


DRAFT = Draft(
    sender=Mailbox(local="noreply", domain="site.example"),
    name="site",
    recipient=Mailbox(local="bob", domain="example.org"),
    subject="x",
    text="y\n",
    date=NOW,
    message_id="<1@site.example>",
)


def test_r21_a_header_outside_the_list_stops_the_mail() -> None:
    assert write(DRAFT, REPLY_HEADERS)
    with pytest.raises(ComposeError, match="would carry the header"):
        write(replace(DRAFT, extra=(("Bcc", "eve@example.org"),)), REPLY_HEADERS)
    with pytest.raises(ComposeError, match="would carry the header"):
        write(DRAFT, REPLY_HEADERS - {"date"})


@pytest.mark.parametrize("value", ["a\r\nBcc: v@x", "a\nb", "=?utf-8?q?Bob=0D=0ABcc:_v@x?="])
def test_r21_a_value_that_breaks_its_line_stops_the_mail(value: str) -> None:
    with pytest.raises(ComposeError):
        write(replace(DRAFT, extra=(("Content-Language", value),)), REPLY_HEADERS)


@pytest.mark.parametrize("text", ["a\r\nBcc: v@x", "a\u2028Bcc: v@x", "=?utf-8?q?Bob=0D=0ABcc:_v@x?="])
@pytest.mark.parametrize("field", ["name", "subject"])
def test_r21_name_and_subject_are_cleaned_as_they_are_written(field: str, text: str) -> None:
    draft = replace(DRAFT, name=text) if field == "name" else replace(DRAFT, subject=text)
    assert b"\nBcc:" not in write(draft, REPLY_HEADERS)


def test_a_subject_is_cut_before_it_fills_a_screen() -> None:
    data = write(replace(DRAFT, subject="x" * 10_000), REPLY_HEADERS)
    assert message_from_bytes(data, policy=default)["Subject"] == "x" * 400


def test_a_large_text_is_written_in_base64_and_a_small_plain_one_readably() -> None:
    assert b"quoted-printable" in write(DRAFT, REPLY_HEADERS)
    assert b"base64" in write(replace(DRAFT, text="x" * 30_000), REPLY_HEADERS)
