"""What came back from a page."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.facts import MarkerOutcome, ScriptFacts, TrapFacts
from formwarden.page.evidence import (
    COUNT_LIMIT,
    EVIDENCE_CHARACTERS,
    NAMES_LIMIT,
    SECONDS_LIMIT,
    page_facts,
    script_facts,
    typed_fields,
)
from formwarden.page.traps import Trap, TrapKind
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD, Fields

TEXT = Trap(name="event_theme", kind=TrapKind.TEXT)
BOX = Trap(name="weekly_digest", kind=TrapKind.CHECKBOX)
TRAPS = (TEXT, BOX)
TOKEN = "1.abcdefgh.payload.signature_0123456789"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


def judged(fields: Fields, trap: Trap, script: ScriptFacts | None = None) -> TrapFacts:
    page = page_facts(fields, marker=MarkerOutcome.VALID, traps=TRAPS, script=script or ScriptFacts())
    (facts,) = [each for each in page.traps if each.name == trap.name]
    return facts


@pytest.mark.parametrize(("value", "filled"), [("", False), ("0", True), (" ", True), ("\t", True), ("text", True)])
def test_anything_but_absence_and_nothing_is_filled(value: str, *, filled: bool) -> None:
    facts = judged(Fields({"name": "Ada", "event_theme": value}), TEXT)
    assert facts.present
    assert facts.filled is filled


def test_an_absent_trap_is_neither_present_nor_filled() -> None:
    assert judged(Fields({"name": "Ada"}), TEXT) == TrapFacts(name="event_theme", present=False)


def test_the_marker_s_outcome_is_told() -> None:
    facts = page_facts(Fields(), marker=MarkerOutcome.ROTATED, traps=(), script=ScriptFacts())
    assert (facts.marker, facts.traps) == (MarkerOutcome.ROTATED, ())


@pytest.mark.parametrize(
    ("value", "echoes"),
    [("Ada", True), (" Ada ", True), ("ada", False), ("Ad", False), ("", False), (" ", False), ("contact", False)],
)
def test_a_trap_echoes_when_it_holds_the_text_of_a_real_field(value: str, *, echoes: bool) -> None:
    fields = Fields({MARKER_FIELD: "contact", "name": "Ada ", "company": " ", "event_theme": value})
    assert judged(fields, TEXT).echoes is echoes


def test_a_ticked_box_is_never_the_work_of_a_password_manager() -> None:
    script = ScriptFacts(present=True, bound=True, autofilled=frozenset({"weekly_digest"}))
    facts = judged(Fields({"agree": "yes", "weekly_digest": "yes"}), BOX, script)
    assert facts == TrapFacts(name="weekly_digest", present=True, filled=True)


def test_one_trap_is_no_real_field_for_another() -> None:
    assert not judged(Fields({"event_theme": "yes", "weekly_digest": "yes"}), TEXT).echoes


@pytest.mark.parametrize(("bound", "listed"), [(True, True), (False, False)])
def test_autofill_is_believed_only_from_evidence_of_this_very_token(*, bound: bool, listed: bool) -> None:
    script = ScriptFacts(present=True, bound=bound, autofilled=frozenset({"event_theme"}))
    assert judged(Fields({"event_theme": "x"}), TEXT, script).autofilled is listed


def test_typed_fields_are_all_but_ours_and_the_traps() -> None:
    sent = Fields(
        [(MARKER_FIELD, "m"), (TOKEN_FIELD, "t"), (EVIDENCE_FIELD, "e"), ("event_theme", ""), ("a", "1"), ("a", "2")]
    )
    assert typed_fields(sent, TRAPS) == Fields([("a", "1"), ("a", "2")])


def test_a_site_s_own_field_of_a_trap_s_name_is_kept_and_convicts_nobody() -> None:
    sent = Fields([("event_theme", "jazz"), ("name", "Ada"), ("event_theme", "")])
    assert typed_fields(sent, TRAPS) == Fields([("event_theme", "jazz"), ("name", "Ada")])
    assert not judged(sent, TEXT).filled
    assert judged(Fields([("event_theme", "jazz"), ("event_theme", "x")]), TEXT).filled


def evidence(**changes: object) -> str:
    seen = {
        "v": 1,
        "t": TOKEN[-16:],
        "k": 41,
        "p": 1,
        "d": 3,
        "i": 44,
        "f": 3,
        "s": 72,
        "a": ["email"],
        "w": 0,
        "x": 0,
    }
    return json.dumps(seen | changes)


def test_evidence_is_read_as_the_script_writes_it() -> None:
    assert script_facts(evidence(), TOKEN) == ScriptFacts(
        present=True,
        bound=True,
        keys=41,
        pastes=1,
        pointers=3,
        inputs=44,
        focused=3,
        visible_s=72.0,
        autofilled=frozenset({"email"}),
    )
    flags = script_facts(evidence(w=1, x=True), TOKEN)
    assert (flags.automated, flags.traps_visible) == (True, True)


@pytest.mark.parametrize(
    ("end", "token"),
    [
        (TOKEN[-16:], TOKEN + "x"),
        (TOKEN[-15:], TOKEN),
        ("", ""),
        ("", None),
        ("short", "short"),
        (None, TOKEN),
        (16 * "é", TOKEN),
        (16 * "\ud800", 16 * "?"),
        ([TOKEN[-16:]], TOKEN),
    ],
)
def test_evidence_counted_for_another_token_is_not_bound(end: object, token: str | None) -> None:
    facts = script_facts(evidence(t=end), token)
    assert facts.present
    assert not facts.bound


@pytest.mark.parametrize(
    "text", [None, "", " ", "null", "[]", "1", '"{}"', "{", "{}x", "[" * 2000, '{"a":' * 400, "{}" + " " * 2048]
)
def test_what_our_script_does_not_write_is_not_there(text: str | None) -> None:
    assert script_facts(text, TOKEN) == ScriptFacts()


@pytest.mark.parametrize("value", ["9", None, [], {}, True, False, -1, -1e9, float("nan"), -float("inf")])
def test_a_count_of_a_wrong_kind_is_nothing(value: object) -> None:
    facts = script_facts(evidence(k=value, s=value), TOKEN)
    assert (facts.keys, facts.visible_s) == (0, 0.0)


@pytest.mark.parametrize("value", [10**300, 1e300, float("inf"), COUNT_LIMIT * 100])
def test_counts_are_cut(value: float) -> None:
    facts = script_facts(evidence(k=value, s=value), TOKEN)
    assert (facts.keys, facts.visible_s) == (COUNT_LIMIT, SECONDS_LIMIT)


@pytest.mark.parametrize("flag", ["1", 2, 1.0, None, [], "true"])
def test_a_flag_of_a_wrong_kind_is_not_raised(flag: object) -> None:
    assert not script_facts(evidence(w=flag, x=flag), TOKEN).automated


def test_names_are_bounded() -> None:
    names = [*(f"f{number}" for number in range(100)), 7]
    assert len(script_facts(evidence(a=names), TOKEN).autofilled) == NAMES_LIMIT
    assert script_facts(evidence(a=["x" * 65, "", 3, None, "ok"]), TOKEN).autofilled == frozenset({"ok"})
    assert script_facts(evidence(a="email"), TOKEN).autofilled == frozenset()


@given(st.text(max_size=60) | JSON.map(json.dumps), st.none() | st.text(max_size=30))
def test_no_text_makes_reading_raise(text: str, token: str | None) -> None:
    facts = script_facts(text, token)
    assert facts.present or facts == ScriptFacts()


@given(st.dictionaries(st.sampled_from("vtkpdifsawx"), JSON))
def test_no_evidence_leaves_the_bounds(seen: dict[str, object]) -> None:
    facts = script_facts(json.dumps(seen)[:EVIDENCE_CHARACTERS], TOKEN)
    for count in (facts.keys, facts.pastes, facts.pointers, facts.inputs, facts.focused):
        assert 0 <= count <= COUNT_LIMIT
    assert 0 <= facts.visible_s <= SECONDS_LIMIT


def test_evidence_of_hostile_size_is_not_parsed() -> None:
    assert not script_facts(evidence(a=["x" * EVIDENCE_CHARACTERS]), TOKEN).present
