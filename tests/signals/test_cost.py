"""No pattern of the signals backtracks, no text makes one raise, and time per character does not grow."""

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import formwarden.signals
from formwarden import prints
from formwarden.facts import Facts, Roles
from formwarden.scoring import weigh
from formwarden.signals import DEFAULT_SIGNALS
from formwarden.signals.limits import SignalLimits
from formwarden.submission import Fields, Submission
from tests.proof import Proof
from tests.soak import runs

CONTENT = [signal for signal in DEFAULT_SIGNALS if signal.group == "content"]
ROLES = Roles(site_domain="shop.example")
SHORT, LONG = 2_000, 16_000  # characters
FACTOR = 4.0  # a linear pattern takes eight times as long, a quadratic one 64; this much for a busy machine
SLACK_S = 0.002
STEPS = (23, 250, 1_000, 4_000)  # characters: a worse pattern shows on a short text, before it takes for ever
STEP_S = 0.05  # of CPU; a linear one takes a hundredth
PIECES = (
    "a",
    "0",
    " ",
    ".",
    "@",
    "<",
    "[",
    "-",
    "bcdfg",
    "www.",
    "http://",
    "a.",
    "0 ",
    "$",
    "аa",
    "日",
    "あ",
    "𝐀",
    "X",
    "\n",
)


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Find every compiled pattern of the signals and of the prints."""
    rooms = [
        importlib.import_module(f"formwarden.signals.{each.name}")
        for each in pkgutil.iter_modules(formwarden.signals.__path__)
    ]
    for room in (*rooms, prints):
        for name, value in sorted(vars(room).items()):
            if isinstance(value, re.Pattern):
                yield f"{room.__name__.rpartition('.')[2]}.{name}", value


PATTERNS = dict(patterns())


def seconds(run: Callable[[], object], rounds: int = 3) -> float:
    """Take the CPU time of the fastest round."""
    took = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    return min(took)


def grows_linearly(run: Callable[[int], object]) -> bool:
    allowed = FACTOR * LONG / SHORT
    return any(seconds(lambda: run(LONG)) <= allowed * seconds(lambda: run(SHORT)) + SLACK_S for _ in range(3))


def test_the_patterns_are_found() -> None:
    assert len(PATTERNS) >= 20


def backtracks(pattern: re.Pattern[str]) -> str | None:
    """Name the piece on which a pattern takes longer than its length explains; a tail keeps it from matching all."""
    for piece in (*PIECES, *(one + two for one, two in pairwise(PIECES))):
        for tail in ("", "\0"):

            def run(length: int, piece: str = piece, tail: str = tail) -> None:
                text = (piece * length)[:length] + tail
                pattern.findall(text)

            if any(seconds(partial(run, step), rounds=1) > STEP_S for step in STEPS) or not grows_linearly(run):
                return repr(piece + tail)
    return None


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_backtracks(name: str) -> None:
    assert backtracks(PATTERNS[name]) is None


@pytest.mark.parametrize("bad", [r"(?:a+)+$", r"a*a*b", r"\s+$"], ids=["exponential", "cubic", "quadratic"])
def test_a_pattern_that_backtracks_would_be_found(bad: str) -> None:
    assert backtracks(re.compile(bad)) is not None


@pytest.mark.parametrize(
    "piece", ["we offer free prizes ", "ご提案を無料で", "доход ", "a ", "http://a.example ", "$5! "]
)
def test_the_time_of_all_content_signals_per_character_does_not_grow(piece: str) -> None:
    text, limits = piece * LONG, SignalLimits(scored_characters=20_000)

    def judge(length: int) -> None:
        cut = text[:length]
        weigh(CONTENT, Submission("contact", {}), Facts(typed=Fields({"message": cut}), roles=ROLES, limits=limits))
        prints.text_prints([cut], b"k" * 32)

    assert grows_linearly(judge)


@pytest.mark.soak
def test_no_text_makes_a_content_signal_raise(proof: Proof) -> None:
    count = runs(150, 20_000)

    @settings(max_examples=count, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["name", "email", "message", "subject", "phone", "website"]),
            st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=12).map("".join),
        )
    )
    def nothing_fails(fields: dict[str, str]) -> None:
        facts = Facts(typed=Fields(fields), roles=ROLES, addresses=tuple(fields.values()))
        assert weigh(CONTENT, Submission("contact", {}), facts).failed == ()
        prints.text_prints(fields.values(), b"k" * 32)

    nothing_fails()
    proof("no text makes a content signal raise", texts=count)
