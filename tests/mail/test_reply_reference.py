"""docs/replies.md tells rows, codes, figures as they are. `python -m tests.mail.test_reply_reference` renews it."""

import re
from pathlib import Path
from typing import Final

import pytest

from formwarden.catalogue import describe
from formwarden.forms import FormLimits
from formwarden.mail.codes import CODES
from formwarden.mail.gate import TABLE
from formwarden.mail.settings import Mail
from formwarden.scoring import Standing
from formwarden.sources import DEFAULT
from formwarden.stores.ports import Growth
from tests.mail.test_budgets import spends

PAGE: Final = Path(__file__).parents[2] / "docs" / "replies.md"
RENEW: Final = "docs/replies.md is not of this version: python -m tests.mail.test_reply_reference"
HELD: Final = frozenset(each.number for each in TABLE if each.hold is not None)
SHARED: Final = frozenset({"PROVIDER_RATE", "FORM_RATE", "SITE_RATE", "WARMUP", "DRIP"})
ELSEWHERE: Final = re.compile("smtp|mail_from|envelope|send_deadline|dkim|own_domains|owner_test_addresses|^replies$")
"""Settings of the relay and of the mail itself; what limits replies is all others."""


def result(code: str) -> str:
    """Say what is done where a code is given."""
    row = CODES[code].row
    if code == "OK":
        return "sent"
    if row in HELD:
        return "held, then not sent"
    return "not sent; may wait" if code in SHARED else "not sent"


def row(code: str) -> str:
    number = CODES[code].row or "before"
    return f"| {number} | `{code}` | {result(code)} | {CODES[code].meaning} |"


def table() -> str:
    """Write the rows in the order in which they are read."""
    codes = sorted(CODES, key=lambda code: CODES[code].row)
    head = ["| row | code | the reply is | what it says |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *map(row, codes), ""])


def figures() -> tuple[str, ...]:
    return tuple(name for name in Mail.model_fields if not ELSEWHERE.search(name))


def figure(name: str) -> str:
    setting = describe(name, Mail.model_fields[name].default, DEFAULT)
    default = "by rule" if setting.default is None else f"{setting.default}"
    unit = setting.unit.replace("|", "/")
    return f"| `{name}` | {default} | {unit} | {setting.description} |"


def settings() -> str:
    return "\n".join(["| setting | default | unit | |", "| --- | --- | --- | --- |", *map(figure, figures()), ""])


PARTS: Final = {"table": table, "settings": settings}


@pytest.mark.parametrize("name", PARTS)
def test_the_page_holds_the_tables_of_this_version(name: str) -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(begin(name))
    assert rest.partition(end(name))[0] == PARTS[name](), RENEW


@pytest.mark.parametrize("code", CODES)
def test_every_code_stands_on_the_page_once_with_its_row_and_its_meaning(code: str) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if f"| `{code}` |" in line] == [row(code)], RENEW


def test_every_row_of_the_table_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [each for each in range(1, 20) if f"\n| {each} | `" not in text]
    assert missing == [12], RENEW  # a mark, not a row that decides
    assert "Row 12 is a mark" in text


def test_what_may_wait_is_what_everybody_shares() -> None:
    drip = Growth(cap=50, day=20_000, drip_cap=5)
    drawn = spends(standing=Standing.PLAIN, limits=FormLimits(replies_per_hour=4), growth=drip)
    assert {each.budget for each in drawn if each.shared} == SHARED


def begin(name: str) -> str:
    return f"<!-- {name}: begin -->\n"


def end(name: str) -> str:
    return f"<!-- {name}: end -->\n"


def renewed(text: str) -> str:
    for name, part in PARTS.items():
        before, _, rest = text.partition(begin(name))
        text = before + begin(name) + part() + end(name) + rest.partition(end(name))[2]
    return text


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
