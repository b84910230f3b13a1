import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.errors import ComposeError
from formwarden.mail.verp import ID_LIMIT, PREFIX, VALID_DAYS, Verp
from formwarden.tokens import Tokens
from tests.clock import MovableClock

DAY_S = 86_400.0
NOW = 1_790_000_000.0


def verp(*keys: str) -> Verp:
    return Verp(Tokens(keys or ("a" * 32,), clock=MovableClock(), entropy=bytes))


@given(st.binary(min_size=1, max_size=ID_LIMIT))
def test_g14_a_return_path_names_its_reply_in_64_lower_case_octets(reply_id: bytes) -> None:
    local = verp().make(reply_id, NOW)
    assert local.startswith(PREFIX)
    assert local == local.lower()
    assert len(local) <= 64
    assert verp().read(local, NOW) == reply_id


def test_g14_a_reply_id_of_sixteen_bytes_fits() -> None:
    assert ID_LIMIT >= 16


def test_g14_a_return_path_is_good_for_fourteen_days() -> None:
    local = verp().make(b"reply", NOW)
    assert verp().read(local, NOW + VALID_DAYS * DAY_S) == b"reply"
    assert verp().read(local, NOW + (VALID_DAYS + 1) * DAY_S) is None


def test_a_relay_may_change_the_case_of_a_return_path() -> None:
    assert verp().read(verp().make(b"reply", NOW).upper(), NOW) == b"reply"


def test_a_return_path_made_under_an_older_key_is_read() -> None:
    local = verp("o" * 32).make(b"reply", NOW)
    assert verp("n" * 32, "o" * 32).read(local, NOW) == b"reply"
    assert verp("n" * 32).read(local, NOW) is None


def test_no_return_path_with_one_letter_changed_is_read() -> None:
    local = verp().make(b"sixteen bytes id", NOW)
    for place in range(len(PREFIX), len(local)):
        other = "b" if local[place] != "b" else "c"
        assert verp().read(local[:place] + other + local[place + 1 :], NOW) is None


@given(st.text(max_size=80))
def test_no_text_makes_reading_raise(text: str) -> None:
    assert verp().read(text, NOW) is None
    assert verp().read(PREFIX + text, NOW) is None


@pytest.mark.parametrize("reply_id", [b"", bytes(ID_LIMIT + 1)])
def test_a_reply_id_that_does_not_fit_is_told(reply_id: bytes) -> None:
    with pytest.raises(ComposeError, match="return path"):
        verp().make(reply_id, NOW)
