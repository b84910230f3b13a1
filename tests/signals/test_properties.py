"""Whatever comes, no signal raises, and more evidence is never treated more kindly."""

import math
from dataclasses import fields as dataclass_fields
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.challenge import Click
from formwarden.facts import (
    BlocklistFacts,
    Facts,
    MarkerOutcome,
    Origin,
    PageFacts,
    RepeatFacts,
    Roles,
    ScriptFacts,
    TokenFacts,
    TokenOutcome,
    TrapFacts,
    Vouched,
    VoucherFacts,
    WorkFacts,
)
from formwarden.scoring import GROUP_CAPS, Action, Evidence, Signal, Standing, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.signals.limits import SignalLimits
from formwarden.standing import standing_of
from formwarden.submission import Fields, Submission
from tests.soak import runs

KINDER: Final = [Action.ACCEPT, Action.ASK, Action.QUARANTINE, Action.REJECT]
BETTER: Final = list(Standing)
EXAMPLES: Final = runs(60, 3_000)

# Letters that break what reads them carelessly: surrogates, marks without a letter, joiners, direction, digits that
# are none to int(), case that changes length, and everything else Unicode has.
NASTY: Final = "\0\r\n\t\ud800\udfff\u0300\u0301\u200b\u200d\u202e\u2066\ufeff\uffff\U0010ffff²④٣৪İßŉǰΐﬀ𝟘𝐀Ⓐ🏴"
PIECES: Final = (
    *("http://", "www.", ".", "<a ", "[url=", "@", "xn--", "無料", "御社", "=", ";q=", ","),
    *("a" * 300, "bcdfgh" * 60),
)
letters = st.characters() | st.sampled_from(NASTY) | st.characters(categories=["Cs", "Mn", "Cf", "Nd", "No", "So"])
hostile = st.lists(st.text(letters, max_size=20) | st.sampled_from(PIECES), max_size=12).map("".join)
HEADERS: Final = [
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "origin",
    "host",
    "via",
    "sec-ch-ua",
    "sec-ch-ua-platform",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "x-requested-with",
    "x-forwarded-proto",
]
VALUES: Final = [
    "Mozilla/5.0 (X11; Linux) Chrome/" + "9" * 5_000,
    "Mozilla/5.0 Chrome/²",
    "Mozilla/4.0 (compatible; MSIE -1; Windows NT 5.1)",
    "Mozilla/5.0 (Macintosh) Version/17.4 Safari/605",
    '"Chromium";v="' + "1" * 5_000,
    '"Chromium";v="④"',
    "https://[::1",
    "[",
    ",;,;" * 2_000,
    "navigate",
    "cors",
    "document",
    "same-origin",
]
whole = st.integers(-(10**40), 10**40) | st.sampled_from([0, -1, 2**63, 10**400])
moments = st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1e308])
counts = st.none() | whole
hashes = st.none() | st.binary(max_size=20)
reports = st.builds(
    AddressReport,
    address=hostile,
    status=st.sampled_from(Status),
    reason=st.sampled_from(Reason),
    flags=st.frozensets(st.sampled_from(Flag)),
    domain=st.none() | hostile,
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Submission, Facts]:
    """Draw what no reader of ours would make, too."""
    names = st.sampled_from(["name", "email", "message", "phone", "tel", "subject", "company"]) | hostile
    typed = Fields(draw(st.lists(st.tuples(names, hostile), max_size=6)))
    facts = Facts(
        typed=typed,
        roles=Roles(site_domain=draw(st.none() | hostile | st.just("shop.example"))),
        token=TokenFacts(
            outcome=draw(st.sampled_from(TokenOutcome)),
            age_s=draw(st.none() | moments),
            issued_s=draw(st.none() | moments),
            nonce=draw(hashes),
            lineage=draw(hashes),
            reissues=draw(whole),
            uses=draw(counts),
            parent=draw(hashes),
            doubtful=draw(st.booleans()),
            challenged=draw(st.booleans()),
            same_network=draw(st.none() | st.booleans()),
        ),
        page=PageFacts(
            marker=draw(st.sampled_from(MarkerOutcome)),
            traps=draw(
                st.lists(
                    st.builds(
                        TrapFacts,
                        name=hostile,
                        present=st.booleans(),
                        filled=st.booleans(),
                        echoes=st.booleans(),
                        autofilled=st.booleans(),
                    ),
                    max_size=3,
                ).map(tuple)
            ),
        ),
        script=draw(
            st.builds(
                ScriptFacts,
                present=st.booleans(),
                bound=st.booleans(),
                keys=whole,
                pastes=whole,
                pointers=whole,
                focused=whole,
                inputs=whole,
                visible_s=moments,
                autofilled=st.frozensets(hostile, max_size=2),
                automated=st.booleans(),
                traps_visible=st.booleans(),
            )
        ),
        work=draw(st.builds(WorkFacts, level=whole, solved=st.booleans(), clears=st.booleans())),
        origin=draw(st.sampled_from(Origin)),
        client_known=draw(st.booleans()),
        repeats=draw(st.builds(RepeatFacts, **{each.name: counts for each in dataclass_fields(RepeatFacts)})),
        blocklists=draw(st.none() | st.builds(BlocklistFacts, asked=whole, listed=whole)),
        vouchers=draw(
            st.lists(st.builds(VoucherFacts, name=hostile, word=st.sampled_from(Vouched)), max_size=2).map(tuple)
        ),
        address=draw(st.none() | reports),
        addresses=tuple(draw(st.lists(hostile, max_size=3))),
        limits=draw(st.builds(SignalLimits, max_urls=st.integers(0, 3), client_per_10_min=st.integers(0, 3))),
    )
    headers = draw(st.dictionaries(st.sampled_from(HEADERS) | hostile, st.sampled_from(VALUES) | hostile, max_size=8))
    content_type = draw(st.sampled_from(["application/json", "multipart/form-data; boundary=x"]) | hostile)
    host = draw(st.none() | hostile)
    return Submission("contact", typed, headers=headers, content_type=content_type, host=host, body=b""), facts


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_no_hostile_text_header_token_or_number_makes_a_signal_raise(case: tuple[Submission, Facts]) -> None:
    weighed = weigh(DEFAULT_SIGNALS, *case, composites=DEFAULT_COMPOSITES)
    assert weighed.failed == ()
    assert math.isfinite(weighed.score)
    assert weighed.score >= 0
    assert decide(weighed, Thresholds()) in KINDER
    assert standing_of(case[1], weighed.score) in BETTER


def _more(name: str, group: str, weight: float, strength: float, kind: str) -> Signal:
    def rule(_submission: Submission, _facts: Facts) -> Evidence | None:
        return Evidence(text="one more", strength=strength)

    asks, rejects = kind == "asks", kind == "rejects"
    return Signal(name=name, group=group, weight=weight, rule=rule, summary="More.", asks=asks, rejects=rejects)


additions = st.builds(
    _more,
    name=st.just("one_more"),
    group=st.sampled_from(sorted(GROUP_CAPS)),
    weight=st.floats(0, 15),
    strength=st.floats(0, 1),
    kind=st.sampled_from(["settles", "asks", "rejects"]),
)
some = st.lists(
    st.builds(
        _more,
        name=st.uuids().map(str),
        group=st.sampled_from(sorted(GROUP_CAPS)),
        weight=st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 4.999, 5.0, 7.0, 8.0]),
        strength=st.sampled_from([0.2, 0.5, 1.0]),
        kind=st.sampled_from(["settles", "settles", "asks"]),
    ),
    max_size=8,
)
thresholds = st.tuples(st.floats(0.1, 20), st.floats(0.1, 20)).map(sorted)


@pytest.mark.soak
@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(some, additions, thresholds, st.sampled_from(Click))
def test_any_hit_more_never_yields_a_kinder_action_or_a_better_standing(
    signals: list[Signal], added: Signal, between: list[float], click: Click
) -> None:
    facts = Facts(token=TokenFacts(outcome=TokenOutcome.FRESH, uses=0), page=PageFacts(marker=MarkerOutcome.VALID))
    limits = Thresholds(quarantine=between[0], reject=between[1])
    before, after = (weigh(each, Submission("contact", {}), facts) for each in (signals, [*signals, added]))
    assert before.score <= after.score + 1e-9
    assert KINDER.index(decide(before, limits, click)) <= KINDER.index(decide(after, limits, click))
    assert BETTER.index(standing_of(facts, before.score)) <= BETTER.index(standing_of(facts, after.score))


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None)
@given(cases(), st.sets(st.sampled_from([signal.name for signal in DEFAULT_SIGNALS])), st.sampled_from(Click))
def test_fewer_of_our_own_signals_never_yield_a_harsher_action_or_a_worse_standing(
    case: tuple[Submission, Facts], left_out: set[str], click: Click
) -> None:
    fewer = [signal for signal in DEFAULT_SIGNALS if signal.name not in left_out]
    less, all_of_them = (weigh(each, *case, composites=DEFAULT_COMPOSITES) for each in (fewer, DEFAULT_SIGNALS))
    kinder, harsher = (KINDER.index(decide(each, Thresholds(), click)) for each in (less, all_of_them))
    assert kinder <= harsher
    better, worse = (BETTER.index(standing_of(case[1], each.score)) for each in (less, all_of_them))
    assert better <= worse
