"""The settings of the staff's mail, and the page that lists them."""

from pathlib import Path
from typing import Final

import pytest

from formwarden.errors import SettingsError
from formwarden.mail.staff_settings import Staffing
from formwarden.settings import Settings

PAGE: Final = Path(__file__).parents[2] / "docs" / "staff-mail.md"
BEGIN: Final = "<!-- settings: begin, written by `python -m tests.mail.test_staff_settings` -->\n"
END: Final = "<!-- settings: end -->"


def table() -> str:
    """Every setting of the group, as the page has it."""
    rows = [
        f"| `{each.name}` | {'by rule' if each.default is None else each.default} | {each.unit.replace('|', '/')} | "
        f"{each.description} |\n"
        for each in Settings.only().describe()
        if each.name in Staffing.model_fields
    ]
    return "| setting | default | unit | meaning |\n| --- | --- | --- | --- |\n" + "".join(rows)


def test_the_page_lists_every_setting_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == table()


def test_g24_g25_the_defaults_are_those_of_the_rulings() -> None:
    staffing = Settings.only().staffing
    assert (staffing.staff_per_hour, staffing.staff_mailbox, staffing.on_hold) == (60, "people", None)
    assert staffing.weekly_summary


@pytest.mark.parametrize(
    ("name", "value"),
    [("staff_per_hour", -1), ("staff_mailbox", "robot"), ("on_hold", "shout"), ("digest_hour", 24)],
)
def test_what_makes_no_sense_is_refused_with_its_name(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"(?i){name}"):
        Settings.only(**{name: value})


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
