"""What alarms say: in two languages, what to do next, and nobody's address."""

import pytest

from formwarden.mail.alarm_words import ENGLISH, JAPANESE, subject_of, text_of
from formwarden.stores.breakers import Kind
from formwarden.stores.ports import Alarm


def alarm(text: str, kind: str = "breaker") -> Alarm:
    return Alarm(id=1, kind=kind, text=text, at=1_790_000_000.0)


@pytest.mark.parametrize("kind", [*Kind, "of-a-later-release"])
def test_every_kind_says_what_happened_what_was_done_and_what_to_do_next(kind: str) -> None:
    text = text_of(kind, (alarm("no replies to google", kind),))
    for head in ("What happened: ", "What formwarden did: ", "What to do next: "):
        assert head in text
    for head in ("起きたこと：", "formwarden の対応：", "次にすること："):
        assert head in text
    assert "- 2026-09-21 14:13 UTC: no replies to google\n" in text


def test_no_kind_is_forgotten_in_either_language() -> None:
    assert set(ENGLISH) == set(JAPANESE) == set(Kind)


def test_one_line_names_the_site_and_how_many() -> None:
    assert subject_of("drip", "a.example", 1) == (
        "formwarden a.example: far more new addresses than usual get auto-replies"
    )
    assert subject_of("drip", "a.example", 3).endswith("(3 alarms)")
    assert subject_of("new", "a.example", 1) == "formwarden a.example: something needs a look"
