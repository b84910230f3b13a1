"""Every code has its row and one sentence, and none is given that has not."""

import re
from pathlib import Path

from formwarden.mail import budgets, gate
from formwarden.mail.codes import CODES, UNLISTED, meaning_of, row_of
from formwarden.mail.gate import TABLE
from formwarden.stores.outcomes import CAUSES, suppression_code

MAIL = Path(gate.__file__).parent


def test_every_meaning_is_one_sentence() -> None:
    for code, each in CODES.items():
        assert each.meaning.endswith("."), code
        assert "\n" not in each.meaning
        assert ". " not in each.meaning.removesuffix("."), code


def test_the_rows_are_those_of_the_table() -> None:
    assert {each.row for each in CODES.values()} == {*range(12), *range(13, 20)}  # 12 is a flag, and decides nothing
    assert {row.number for row in TABLE} <= {each.row for each in CODES.values()}


def test_every_code_in_the_sources_of_gate_and_budgets_is_listed() -> None:
    sources = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (gate, budgets))
    named = set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|DRIP|WARMUP|DISPOSABLE|BOT|OK)"', sources))
    assert len(named) > 20
    assert named <= set(CODES)


def test_every_cause_of_a_suppression_has_a_code() -> None:
    assert {suppression_code(cause) for cause in CAUSES} <= set(CODES)


def test_what_is_not_listed_says_so() -> None:
    assert (meaning_of("FROM_ANOTHER_RELEASE"), row_of("FROM_ANOTHER_RELEASE")) == (UNLISTED, None)
    assert (meaning_of("BOT"), row_of("BOT")) == (CODES["BOT"].meaning, 4)
