from dataclasses import replace

import pytest

from formwarden.stores.eviction import DROPPED, MORE, ROW_BYTES, bytes_of, cluster_of, counting_note, dropped_note
from tests.stores.samples import Spooled, inquiry


def test_the_first_band_is_what_near_duplicates_share() -> None:
    assert cluster_of({"observation": {"prints": ["00", "aa", "bb"]}}) == b"\xaa"
    assert cluster_of({"observation": {"prints": ["cc"]}}) == b"\xcc", (
        "a text too short for bands has its exact print"
    )


@pytest.mark.parametrize(
    "facts",
    [{}, {"observation": None}, {"observation": {"prints": []}}, {"observation": {"prints": ["00", "no hex"]}}],
)
def test_facts_of_another_making_have_no_cluster(facts: dict[str, object]) -> None:
    assert cluster_of(facts) is None


def test_an_inquiry_takes_its_row_and_its_body_wherever_that_lies() -> None:
    assert bytes_of(inquiry(1, body=None)) == ROW_BYTES
    assert bytes_of(inquiry(1, body=b"12345")) == ROW_BYTES + 5
    source = Spooled(b"123")
    assert bytes_of(replace(inquiry(1, body=None), spooled=source)) == ROW_BYTES + 3


def test_a_note_says_first_why_it_stands_there_and_then_why_the_body_is_gone() -> None:
    assert dropped_note("") == DROPPED
    assert dropped_note("no answer") == f"no answer; {DROPPED}"
    assert dropped_note("", like="R-1") == f"{DROPPED}, like R-1"


def test_a_note_counts_what_an_inquiry_stands_for() -> None:
    once = counting_note("")
    assert once == f"stands for 1{MORE}"
    assert counting_note(once) == f"stands for 2{MORE}"
    assert counting_note("stands for nothing") == f"stands for nothing; stands for 1{MORE}"
    held = counting_note("endpoint failed: 500")
    assert held == f"endpoint failed: 500; stands for 1{MORE}"
    for _ in range(10):
        held = counting_note(held)
    assert held == f"endpoint failed: 500; stands for 11{MORE}"
