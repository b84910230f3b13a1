from itertools import count

from formwarden.mail.likeness import in_groups, prints_of
from formwarden.stores.ports import Inquiry
from tests.stores.samples import inquiry

NUMBERS = count(1)


def printed(*prints: str) -> Inquiry:
    return inquiry(next(NUMBERS), facts={"observation": {"body": "", "tallies": [], "prints": list(prints)}})


def test_what_shares_a_print_stands_together_and_who_is_like_nobody_comes_first() -> None:
    flood = [printed("a", "b"), printed("b", "c"), printed("c")]
    person, other = printed("x"), printed()
    assert in_groups([flood[0], person, flood[1], other, flood[2]]) == ((person,), (other,), tuple(flood))


def test_two_groups_that_a_later_one_joins_are_one() -> None:
    rows = [printed("a"), printed("b"), printed("b"), printed("a", "b")]
    assert in_groups(rows) == (tuple(rows),)


def test_of_nothing_there_is_no_group() -> None:
    assert in_groups([]) == ()


def test_facts_of_another_making_have_no_prints() -> None:
    for facts in (
        {},
        {"observation": None},
        {"observation": {"prints": "no list"}},
        {"observation": {"prints": [1]}},
    ):
        assert prints_of(inquiry(1, facts=facts)) == ()
