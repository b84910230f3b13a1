import smtplib
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from formwarden.demo.letters import Letters
from formwarden.demo.sink import MailSink


def mail(subject: str = "受付番号 FW-1") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "noreply@tsukimizaka.played"
    message["To"] = "hanako@gmail.com"
    message["Subject"] = subject
    message.set_content("ありがとうございます。\n")
    return message


def send(url: str, message: EmailMessage, *recipients: str) -> None:
    parts = urlsplit(url)
    with smtplib.SMTP(str(parts.hostname), parts.port or 0, timeout=10) as relay:
        relay.send_message(message, "bounce+x@tsukimizaka.played", recipients or ("hanako@gmail.com",))


def test_what_the_relay_is_given_stands_in_the_mailbox(tmp_path: Path) -> None:
    with MailSink(tmp_path / "mail").running() as sink:
        assert sink.url.startswith("smtp://127.0.0.1:")
        send(sink.url, mail())
    (letter,) = Letters(tmp_path / "mail").latest()
    assert (letter.subject, letter.recipient) == ("受付番号 FW-1", "hanako@gmail.com")
    assert letter.text == "ありがとうございます。\n"
    assert ("MAIL FROM", "bounce+x@tsukimizaka.played") in letter.envelope
    assert ("RCPT TO", "hanako@gmail.com") in letter.envelope


def test_the_envelope_tells_recipients_that_no_header_names(tmp_path: Path) -> None:
    with MailSink(tmp_path / "mail").running() as sink:
        send(sink.url, mail(), "hanako@gmail.com", "hidden@gmail.com")
    (letter,) = Letters(tmp_path / "mail").latest()
    assert ("RCPT TO", "hanako@gmail.com, hidden@gmail.com") in letter.envelope


def test_two_sinks_have_two_ports(tmp_path: Path) -> None:
    with MailSink(tmp_path / "a").running() as one, MailSink(tmp_path / "b").running() as other:
        assert one.url != other.url


def test_nobody_listens_after_the_end(tmp_path: Path) -> None:
    with MailSink(tmp_path / "mail").running() as sink:
        url = sink.url
    with pytest.raises(ConnectionRefusedError):
        send(url, mail())
    sink.stop()


def test_a_connection_that_is_open_delays_no_end_and_is_closed(tmp_path: Path) -> None:
    with MailSink(tmp_path / "mail").running() as sink:
        parts = urlsplit(sink.url)
        idle = smtplib.SMTP(str(parts.hostname), parts.port or 0, timeout=10)
    assert idle.sock is not None
    with idle.sock as line:
        assert line.recv(100) == b""


def test_an_address_that_is_not_ours_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"assign|address"):
        MailSink(tmp_path / "mail", host="192.0.2.1").start()
