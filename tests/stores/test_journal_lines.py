"""Lines of the journal: what was to be settled comes back as it was, from older versions too."""

import json

from hypothesis import given
from hypothesis import strategies as st

from formwarden.stores.breaking import Breaking, Ratio
from formwarden.stores.journal_lines import Settle, entry_of, line_of
from formwarden.stores.ports import Key, Ours, Outcome, OutcomeKind

FIGURES = st.floats(min_value=0.0, max_value=1e6)
OUTCOMES = st.builds(
    Outcome,
    id=st.binary(max_size=20),
    reply_id=st.binary(max_size=20),
    kind=st.sampled_from(OutcomeKind),
    reason=st.text(max_size=40),
    until=st.none() | FIGURES,
    subject=st.none() | st.binary(max_size=20).map(Key),
    ours=st.sampled_from(Ours),
    counts=st.booleans(),
    breaking=st.just(Breaking())
    | st.builds(
        Breaking,
        ratios=st.lists(st.builds(Ratio, hard=FIGURES, last=st.integers(1, 99), bound=FIGURES)).map(tuple),
        open_s=st.lists(FIGURES, min_size=1).map(tuple),
        probes=st.integers(1, 9),
        presumed_s=FIGURES,
    ),
)


@given(OUTCOMES)
def test_an_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    line = line_of(Settle(outcome=outcome), entry="ab", at=1.5)
    entry = entry_of(line.rstrip(b"\n"))
    assert entry is not None
    assert entry.what == Settle(outcome=outcome)


def test_a_line_of_an_older_version_says_nothing_of_what_came_since() -> None:
    outcome = Outcome(id=b"o", reply_id=b"r", kind=OutcomeKind.HARD, reason="no such user")
    written = json.loads(line_of(Settle(outcome=outcome), entry="ab", at=1.5))
    for name in ("ours", "counts", "breaking"):
        del written["outcome"][name]
    entry = entry_of(json.dumps(written, separators=(",", ":")).encode())
    assert entry is not None
    assert entry.what == Settle(outcome=outcome)


def test_a_line_with_figures_that_are_none_is_not_read() -> None:
    outcome = Outcome(id=b"o", reply_id=b"r", kind=OutcomeKind.HARD, reason="", breaking=Breaking(probes=9))
    written = json.loads(line_of(Settle(outcome=outcome), entry="ab", at=1.5))
    written["outcome"]["breaking"]["of a newer version"] = 1
    assert entry_of(json.dumps(written, separators=(",", ":")).encode()) is None
