import base64
import json
import re
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden import Fields
from formwarden.page.header import (
    HEADER_CHARACTERS,
    MEMBERS,
    NAMES,
    own_field,
    read_header,
    render_header,
    with_traps,
)
from formwarden.page.traps import NAMES as TRAP_NAMES
from formwarden.page.traps import Trap, TrapKind

TRAPS = (Trap(name="agenda_angle", kind=TrapKind.TEXT), Trap(name="annual_almanac", kind=TrapKind.CHECKBOX))
FULL = {"_fw_form": "1.a.b.c", "_fw_token": "1.d.e-_.f", "agenda_angle": ""}


def packed(text: str) -> str:
    """A text of any letters, as a byte sequence."""
    return f":{base64.b64encode(text.encode()).decode()}:"


def test_what_is_handed_out_is_read_again() -> None:
    text = render_header(marker="1.a.b.c", token="1.d.e-_.f", traps=TRAPS)
    assert text == 'm="1.a.b.c", t="1.d.e-_.f", agenda_angle=""'
    assert dict(read_header(text)) == FULL
    assert read_header(render_header(marker="x", token=None, traps=()))["_fw_token"] == ""


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (None, {}),
        ("", {}),
        ('t="x"', {"_fw_token": "x"}),
        ('  t="x"  ', {"_fw_token": "x"}),
        ('t="x",m="y"', {"_fw_token": "x", "_fw_form": "y"}),
        ('t="x" \t,\t m="y"', {"_fw_token": "x", "_fw_form": "y"}),
        ('t="x", t="y"', {"_fw_token": "y"}),
        (f"e={packed('{“}')}", {"_fw_seen": "{“}"}),
        ("e=:eA:", {"_fw_seen": "x"}),
        ("e=::", {"_fw_seen": ""}),
        (r'e="{\"v\": 1, \"a\": [\"\\\\\"]}"', {"_fw_seen": r'{"v": 1, "a": ["\\"]}'}),
        ('agenda_angle="a, b=c", annual_almanac', {"agenda_angle": "a, b=c", "annual_almanac": "1"}),
        ("agenda_angle=?1, annual_almanac=?0", {"agenda_angle": "1", "annual_almanac": ""}),
    ],
)
def test_members_are_read(text: str | None, read: dict[str, str]) -> None:
    assert dict(read_header(text)) == read


@pytest.mark.parametrize(
    "text",
    [
        "t=x",
        "t=1",
        't="x',
        't="x",',
        't="x" m="y"',
        't="x";m="y"',
        't="x",,m="y"',
        't = "x"',
        "t='x'",
        't="é"',
        't="\t"',
        r't="\x"',
        "T=?1",
        "e=:x",
        "e=:x:",
        "e=:/w==:",
        "e=:a b:",
        "t=?2",
        "t=(1 2)",
        "=?1",
        't="x"\n',
        't="' + "x" * HEADER_CHARACTERS + '"',
        ", ".join(f"a{number}" for number in range(MEMBERS + 1)),
    ],
)
def test_what_is_malformed_is_as_if_it_had_not_come(text: str) -> None:
    assert read_header(text) == Fields()


@given(st.text(alphabet='mte=:,"?01 \\;(a\té', max_size=40) | st.text(max_size=40))
def test_nothing_is_raised(text: str) -> None:
    read_header(text)


@given(st.text(max_size=100))
def test_any_text_may_be_carried_as_bytes(text: str) -> None:
    try:
        written = packed(text)
    except UnicodeEncodeError:  # a lone surrogate
        return
    assert read_header(f"e={written}") == Fields({"_fw_seen": text})


def test_the_longest_evidence_of_the_script_fits_beside_the_rest() -> None:
    seen = json.dumps({"a": ["é" * 64] * 16}, ensure_ascii=False)
    assert len(seen) < 1_600
    letters = "1.abcdefgh." + "x" * 280
    text = f"{render_header(marker=letters[:90], token=letters, traps=TRAPS)}, e={packed(seen)}"
    assert len(text) < HEADER_CHARACTERS
    assert read_header(text)["_fw_seen"] == seen


def test_every_trap_can_be_a_member_and_none_is_taken_for_ours() -> None:
    for name in chain.from_iterable(TRAP_NAMES.values()):
        assert re.fullmatch(r"[a-z][a-z_]*", name)
        assert name not in NAMES


def test_of_two_places_the_first_one_counts_unless_it_is_empty() -> None:
    fields, header = Fields({"_fw_token": "f", "_fw_form": ""}), Fields({"_fw_token": "h", "_fw_form": "m"})
    assert own_field("_fw_token", fields, header, header_first=False) == "f"
    assert own_field("_fw_token", fields, header, header_first=True) == "h"
    assert own_field("_fw_form", fields, header, header_first=False) == "m"
    assert own_field("_fw_seen", fields, header, header_first=True) is None


def test_only_traps_are_taken_over_from_the_header() -> None:
    header = read_header('agenda_angle="x", name="y", t="z"')
    assert with_traps(Fields({"name": "Taro"}), header, TRAPS).pairs == (("name", "Taro"), ("agenda_angle", "x"))
