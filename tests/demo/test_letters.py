import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.demo.letters import LISTED, SHOWN_BYTES, Letters

PLAIN = b"From: a@x.played\r\nTo: b@x.played\r\nSubject: =?utf-8?b?5Y+X5LuY?=\r\nX-MailFrom: \r\n\r\nHello\r\n"


def put(maildir: Path, name: str, raw: bytes, *, at: float = 1_790_000_000.0) -> None:
    (maildir / "new").mkdir(parents=True, exist_ok=True)
    (maildir / "new" / name).write_bytes(raw)
    os.utime(maildir / "new" / name, (at, at))


def test_the_newest_mail_comes_first(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path, f"{number}", PLAIN, at=1_790_000_000.0 + number)
    assert [letter.key for letter in Letters(tmp_path).latest()] == ["2", "1", "0"]


def test_the_list_is_bounded(tmp_path: Path) -> None:
    for number in range(LISTED + 5):
        put(tmp_path, f"{number:03d}", PLAIN, at=1_790_000_000.0 + number)
    letters = Letters(tmp_path).latest()
    assert len(letters) == LISTED
    assert letters[0].key == f"{LISTED + 4:03d}"


def test_headers_are_decoded_and_an_empty_envelope_sender_is_shown(tmp_path: Path) -> None:
    put(tmp_path, "1", PLAIN)
    letter = Letters(tmp_path).get("1")
    assert letter is not None
    assert letter.subject == "受付"
    assert letter.envelope == (("MAIL FROM", ""),)
    assert [name for name, _ in letter.headers] == ["From", "To", "Subject"]
    assert letter.text.strip() == "Hello"
    assert "=?utf-8?b?" in letter.source


@pytest.mark.parametrize("key", ["", "2", "../new/1", "/etc/passwd", "1/../1"])
def test_only_a_mail_that_is_there_is_read(tmp_path: Path, key: str) -> None:
    put(tmp_path, "1", PLAIN)
    assert Letters(tmp_path).get(key) is None


def test_a_mailbox_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert Letters(tmp_path / "nowhere").latest() == ()


def test_a_large_mail_is_read_as_far_as_it_is_shown(tmp_path: Path) -> None:
    put(tmp_path, "1", PLAIN + b"x" * SHOWN_BYTES * 2)
    letter = Letters(tmp_path).get("1")
    assert letter is not None
    assert len(letter.source) == SHOWN_BYTES


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\r\n\r\n\xfe",
        b'Content-Type: text/plain; charset="no-such"\r\n\r\n\xff',
        b"Content-Type: image/png\r\n\r\n\x89PNG",
        b"Subject: =?bad?q?x?=\r\nFrom: <<<\r\n\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Message-ID: <\r\n\r\n",  # IndexError in the standard library's newer parser
        b"Subject: =?unicode_escape?q?\\ud800?=\r\n\r\n",
        b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\ud800",
    ],
)
def test_a_mail_that_is_none_breaks_nothing(tmp_path: Path, raw: bytes) -> None:
    put(tmp_path, "1", raw)
    (letter,) = Letters(tmp_path).latest()
    assert letter.key == "1"
    assert (letter.subject + letter.text + letter.source).encode("utf-8") is not None


@settings(max_examples=100, deadline=None)
@given(head=st.binary(max_size=80), body=st.binary(max_size=80))
def test_no_bytes_break_the_mailbox(tmp_path_factory: pytest.TempPathFactory, head: bytes, body: bytes) -> None:
    maildir = tmp_path_factory.mktemp("mail")
    put(maildir, "1", b"Subject: " + head + b"\r\nContent-Type: text/plain; charset=" + head + b"\r\n\r\n" + body)
    (letter,) = Letters(maildir).latest()
    assert letter.key == "1"
