"""Which inquiries came from one person, and which only name it."""

from dataclasses import replace

import pytest

from formwarden.desk.erasing import Person, find
from formwarden.stores.archive import KeptInquiry, KeptMark, Record
from tests.stores.samples import inquiry


@pytest.mark.parametrize(
    ("typed", "is_it"),
    [
        ("ann@gmail.com", True),
        (" A.N.N+news@GoogleMail.com ", True),
        ("ann@example.com", False),
        ("anna@gmail.com", False),
        ("ann@gmail.com, bob@gmail.com", False),
        ("", False),
    ],
)
def test_every_spelling_of_a_mailbox_is_one_person(typed: str, is_it: bool) -> None:  # noqa: FBT001 - a table
    assert Person.of("Ann@gmail.com").is_it(typed) is is_it


def test_what_is_no_address_is_compared_as_it_was_typed() -> None:
    person = Person.of("ann@@nowhere")
    assert person.canonical is None
    assert person.is_it(" Ann@@Nowhere")
    assert not person.is_it("ann@nowhere.example")


def test_the_recipient_the_field_and_either_reading_of_the_body_tell_who_sent_it() -> None:
    person, boundary = Person.of("ann@gmail.com"), "multipart/form-data; boundary=x"
    multipart = b'--x\r\nContent-Disposition: form-data; name="contact"\r\n\r\nann@gmail.com\r\n--x--\r\n'
    assert person.sent(inquiry(1, recipient="a.nn@gmail.com", body=None), ("email",))
    assert person.sent(inquiry(2, recipient=None, body=b"email=ann%2Bx%40gmail.com"), ("email",))
    assert not person.sent(inquiry(3, recipient=None, body=b"friend=ann%40gmail.com"), ("email",))
    assert not person.sent(inquiry(4, recipient=None, body=b"email=bob%40example.com"), ("email",))
    kept = replace(inquiry(5, recipient=None, body=multipart), content_type=boundary)
    assert person.sent(kept, ("email", "contact"))
    as_json = replace(inquiry(6, recipient=None, body=b'{"email": "ann@gmail.com"}'), content_type="application/json")
    assert person.sent(as_json, ("email",))


def test_a_body_that_only_names_it_or_cannot_be_read_is_left_to_the_owner() -> None:
    records: list[Record] = [
        KeptInquiry(inquiry=inquiry(1, recipient=None, body=b"email=ann%40gmail.com")),
        KeptInquiry(inquiry=inquiry(2, recipient=None, body=b"message=write+to+ANN%40gmail.com")),
        KeptInquiry(inquiry=inquiry(3, recipient=None, body=b'\xff{"email": "ann@gmail.com"')),
        KeptInquiry(inquiry=inquiry(4, recipient=None, body=None)),
        KeptMark(name="feedback_seen", at=1.0),
    ]
    found = find(records, Person.of("ann@gmail.com"), ("email",))
    assert found.sent == {b"submission 1"}
    assert found.mentions == ("R-2", "R-3")
