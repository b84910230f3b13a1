"""docs/reply-mail.md tells the truth: its code runs, and every slot and setting stands in it."""

import re
from pathlib import Path

from formwarden.mail.autoreply import NAME_SLOT, SLOTS
from formwarden.mail.dkim_settings import Signing
from formwarden.mail.outbox import STRIPPED
from formwarden.mail.smtp import NO_SMTPUTF8
from formwarden.mail.stop_links import VALID_DAYS
from formwarden.mail.verp import VALID_DAYS as PATH_DAYS
from formwarden.stopping import CLICKS

TEXT = (Path(__file__).parents[2] / "docs" / "reply-mail.md").read_text(encoding="utf-8")


def test_its_code_runs() -> None:
    (block,) = re.findall(r"^```python\n(.+?)^```", TEXT, re.DOTALL | re.MULTILINE)
    exec(block, {})  # noqa: S102 - the page's own code


def test_every_slot_and_every_setting_of_signatures_stands_in_it() -> None:
    for slot in (*SLOTS, NAME_SLOT):
        assert f"| `${slot}` |" in TEXT
    for name in Signing.model_fields:
        assert f"FORMWARDEN_{name.upper()}" in TEXT


def test_its_figures_are_those_of_the_code() -> None:
    for figure in (f"good for {VALID_DAYS} days", f"good for {PATH_DAYS} days", f"{CLICKS} presses", STRIPPED):
        assert figure in TEXT
    assert f"553 {NO_SMTPUTF8}" in TEXT
