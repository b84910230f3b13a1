"""Figures, shares and the order of budgets; and that no sequence of replies exceeds any of them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.address.report import Flag
from formwarden.forms import FormLimits
from formwarden.mail.budgets import LINEAGE_S, WEEK_S, Draw, spends_for
from formwarden.mail.codes import CODES
from formwarden.mail.figures import DAY_S, HOUR_S, MINUTE_S, part
from formwarden.mail.settings import Mail
from formwarden.scoring import Standing
from formwarden.stores.ports import Decision, Growth, Key, ReplyRequest, Spend
from formwarden.subjects import Subjects
from tests.clock import MovableClock
from tests.mail.gate_samples import DEFAULTS, memory, report, tight
from tests.soak import runs

SUBJECTS = Subjects((b"newest key", b"older key"))
CLIENT, NETWORK = (Key(b"client"),), (Key(b"network"),)


def draw(**changes: object) -> Draw:
    fine = Draw(
        form="contact",
        limits=FormLimits(),
        report=report("ann@example.com"),
        standing=Standing.SHOWN,
        lineage=b"lineage",
        client=CLIENT,
        network=NETWORK,
    )
    return replace(fine, **changes)  # type: ignore[arg-type]  # names and types are the caller's to get right


def spends(settings: Mail = DEFAULTS, **changes: object) -> tuple[Spend, ...]:
    return spends_for(draw(**changes), SUBJECTS, settings)


def limits(budget: str, settings: Mail = DEFAULTS, **changes: object) -> list[tuple[float, int]]:
    return [(each.window_s, each.limit) for each in spends(settings, **changes) if each.budget == budget]


def codes(**changes: object) -> list[str]:
    return list(dict.fromkeys(each.budget for each in spends(DEFAULTS, **changes)))


def test_rows_14_to_17_stand_in_the_order_of_the_table() -> None:
    assert codes(limits=FormLimits(replies_per_hour=4)) == [
        "DUP_LINEAGE",
        "DUP_24H",
        "DUP_7D",
        "IP_RATE",
        "NETWORK_RATE",
        "DOMAIN_RATE",
        "PROVIDER_RATE",
        "FORM_RATE",
        "SITE_RATE",
        "WARMUP",
    ]


def test_every_budget_says_what_it_means_when_it_is_spent() -> None:
    drip = Growth(cap=50, day=20_000, drip_cap=5)
    for code in codes(bounced=CLIENT, growth=drip):
        assert CODES[code].row in range(14, 18)
    assert {code for code, each in CODES.items() if each.row in range(14, 18)} == set(
        codes(bounced=CLIENT, growth=drip)
    )


def test_g04_row_17_a_form_with_figures_of_its_own_is_named_before_the_site() -> None:
    assert codes(limits=FormLimits(replies_per_hour=4))[-3:] == ["FORM_RATE", "SITE_RATE", "WARMUP"]
    assert codes()[-3:] == ["SITE_RATE", "WARMUP", "FORM_RATE"]


def test_g05_row_14_one_address_has_1_a_day_on_a_form_2_on_all_and_3_a_week() -> None:
    assert limits("DUP_24H") == [(DAY_S, 1), (DAY_S, 2)]
    assert limits("DUP_7D") == [(WEEK_S, 3)]


def test_g04_row_14_a_lineage_is_answered_once() -> None:
    assert limits("DUP_LINEAGE") == [(LINEAGE_S, 1)]
    assert limits("DUP_LINEAGE", lineage=None) == []


def test_row_14_all_spellings_of_one_mailbox_are_one_address() -> None:
    plain, dotted = spends(report=report("ann.lee@gmail.com")), spends(report=report("a.n.n.lee+x@googlemail.com"))
    assert [each.keys for each in plain[1:4]] == [each.keys for each in dotted[1:4]]


def test_row_14_two_forms_share_the_address_and_not_its_form_budget() -> None:
    here, there = spends(), spends(form="order")
    assert here[1].keys != there[1].keys
    assert here[2].keys == there[2].keys == here[3].keys


def test_g26_the_owner_s_tests_skip_row_14_and_have_10_a_day() -> None:
    owners = [each for each in spends(owner=True) if each.budget.startswith("DUP")]
    assert [(each.budget, each.window_s, each.limit) for each in owners] == [("DUP_24H", DAY_S, 10)]


def test_g05_row_15_a_client_has_3_an_hour_plain_6_shown_and_20_a_day() -> None:
    assert limits("IP_RATE", standing=Standing.PLAIN) == [(HOUR_S, 3), (DAY_S, 20)]
    assert limits("IP_RATE", standing=Standing.SHOWN) == [(HOUR_S, 6), (DAY_S, 20)]
    assert limits("IP_RATE", standing=Standing.KNOWN) == [(HOUR_S, 6), (DAY_S, 20)]


def test_g02_row_15_a_network_has_20_percent_of_the_site_s_hour_and_g05_a_carrier_s_half() -> None:
    assert limits("NETWORK_RATE", Mail(site_per_hour=20)) == [(HOUR_S, 4)]
    assert limits("NETWORK_RATE", Mail(site_per_hour=20), carrier=True, client=()) == [(HOUR_S, 10)]


def test_g04_row_15_stands_in_the_order_client_bounced_ip_network() -> None:
    row = [code for code in codes(bounced=(Key(b"bounced"),)) if CODES[code].row == 15]
    assert row == ["CLIENT_BOUNCED", "IP_RATE", "NETWORK_RATE"]


def test_g12_row_15_a_bounce_of_this_client_is_only_asked_for_and_7_days_back() -> None:
    asked = [each for each in spends(bounced=(Key(b"bounced"),)) if each.budget == "CLIENT_BOUNCED"]
    expected = Spend(budget="CLIENT_BOUNCED", keys=(Key(b"bounced"),), window_s=WEEK_S, limit=1, taken=False)
    assert asked == [expected]
    assert "CLIENT_BOUNCED" not in {each.budget for each in spends(Mail(client_bounced_s=0), bounced=CLIENT)}
    assert "CLIENT_BOUNCED" not in codes(bounced=())


def test_g31_an_unknown_client_has_no_client_budget() -> None:
    assert {"IP_RATE", "NETWORK_RATE"}.isdisjoint(codes(client=(), network=()))


def test_g05_row_16_a_domain_has_3_an_hour_and_5_a_day_and_freemail_has_none() -> None:
    assert limits("DOMAIN_RATE") == [(HOUR_S, 3), (DAY_S, 5)]
    assert limits("DOMAIN_RATE", report=report("ann@gmail.com")) == []


def test_row_16_names_below_one_registered_domain_are_one_domain() -> None:
    one, other = (
        [each.keys for each in spends(report=report(address)) if each.budget == "DOMAIN_RATE"]
        for address in ("a@x.example.com", "b@y.example.com")
    )
    assert one == other


def test_g11_row_16_a_domain_without_mx_is_counted_as_a_provider_too() -> None:
    weak = report("a@b.com", Flag.WEAK, provider=None)
    assert len(limits("PROVIDER_RATE", report=weak)) == 4


@pytest.mark.parametrize(
    ("standing", "shares"),
    [(Standing.PLAIN, [4, 12, 15]), (Standing.SHOWN, [12, 15]), (Standing.KNOWN, [15])],
)
def test_g02_row_17_the_site_s_hour_is_shared_out_by_standing(standing: Standing, shares: list[int]) -> None:
    site = [each for each in spends(standing=standing) if each.budget == "SITE_RATE" and each.taken]
    assert [each.limit for each in site if each.window_s == HOUR_S] == shares


@pytest.mark.parametrize("budget", ["PROVIDER_RATE", "FORM_RATE", "SITE_RATE", "WARMUP"])
def test_g02_shared_budgets_are_shared_in_each_of_their_windows(budget: str) -> None:
    drawn = [each for each in spends(standing=Standing.PLAIN) if each.budget == budget and each.taken]
    tiers = Counter(each.window_s for each in drawn)
    assert set(tiers.values()) == {3}
    assert {HOUR_S, DAY_S} <= set(tiers)


@pytest.mark.parametrize("budget", ["DUP_24H", "IP_RATE", "NETWORK_RATE", "DOMAIN_RATE"])
def test_g02_address_client_network_and_domain_are_not_shared_out(budget: str) -> None:
    kinds = {each.keys for each in spends(standing=Standing.PLAIN) if each.budget == budget}
    assert kinds == {each.keys for each in spends(standing=Standing.KNOWN) if each.budget == budget}


def test_g02_a_release_by_hand_draws_on_the_whole() -> None:
    by_hand = limits("SITE_RATE", standing=Standing.DOUBTFUL, released=True)
    assert by_hand == limits("SITE_RATE", standing=Standing.KNOWN)


def test_g02_tiers_are_other_keys_and_no_form_s_name_reaches_them() -> None:
    tiers = {each.keys for each in spends(standing=Standing.PLAIN) if each.budget == "FORM_RATE"}
    lookalike = {each.keys for each in spends(form="contact|plain") if each.budget == "FORM_RATE"}
    assert len(tiers) == 3
    assert tiers.isdisjoint(lookalike)


def test_row_17_the_site_has_a_minute_too() -> None:
    assert limits("SITE_RATE", standing=Standing.KNOWN) == [(MINUTE_S, 5), (HOUR_S, 15), (DAY_S, 50)]


def test_g06_every_shared_budget_follows_the_day_that_history_allows() -> None:
    grown = Growth(cap=200, day=20_000)

    def known(budget: str) -> list[tuple[float, int]]:
        at = report("ann@gmail.com", provider="google")
        return limits(budget, standing=Standing.KNOWN, growth=grown, report=at)

    assert known("SITE_RATE") == [(MINUTE_S, 10), (HOUR_S, 40), (DAY_S, 200)]
    assert known("PROVIDER_RATE") == [(HOUR_S, 30), (DAY_S, 150)]
    assert known("FORM_RATE") == [(HOUR_S, 40), (DAY_S, 200)]
    assert known("NETWORK_RATE") == [(HOUR_S, 8)]


def test_g10_a_suspected_drip_leaves_few_replies_a_day_shared_out_by_standing() -> None:
    dripping = Growth(cap=50, day=20_000, drip_cap=5)
    assert limits("DRIP", growth=dripping, standing=Standing.PLAIN) == [(DAY_S, 2), (DAY_S, 4), (DAY_S, 5)]
    assert limits("DRIP", growth=dripping, standing=Standing.KNOWN) == [(DAY_S, 5)]
    assert limits("DRIP", growth=replace(dripping, drip_cap=None)) == []
    assert codes(growth=dripping)[-4:] == ["DRIP", "SITE_RATE", "WARMUP", "FORM_RATE"]


def test_g02_a_spent_hour_of_the_site_is_written_down_and_plain_asks_for_it() -> None:
    site = [each for each in spends(standing=Standing.PLAIN) if each.budget == "SITE_RATE"]
    asked, counted = site[0], site[1:]
    assert (asked.taken, asked.window_s, asked.limit) == (False, HOUR_S, 1)
    marking = [each for each in counted if each.marks is not None]
    assert [(each.window_s, each.limit) for each in marking] == [(HOUR_S, 12), (HOUR_S, 15)]
    assert {each.marks for each in marking} == {asked.keys[0]}


@pytest.mark.parametrize("who", [{"standing": Standing.SHOWN}, {"standing": Standing.KNOWN}, {"released": True}])
def test_g02_shown_known_and_releases_do_not_ask_for_a_spent_hour(who: dict[str, object]) -> None:
    assert all(each.taken for each in spends(**who))  # type: ignore[arg-type]  # names and types are the table's


def test_g02_only_the_budgets_of_everybody_are_shared() -> None:
    drip = Growth(cap=50, day=20_000, drip_cap=5)
    shared = {each.budget for each in spends(bounced=CLIENT, growth=drip) if each.shared}
    assert shared == {"PROVIDER_RATE", "FORM_RATE", "DRIP", "SITE_RATE", "WARMUP"}
    assert not any(each.shared for each in spends(bounced=CLIENT) if each.budget not in shared)


def test_g07_without_feedback_5_an_hour_and_20_a_day() -> None:
    assert limits("WARMUP", standing=Standing.KNOWN) == [(HOUR_S, 5), (DAY_S, 20)]
    assert limits("WARMUP", proven=True) == []


def test_g20_a_budget_is_written_under_the_newest_key_and_counted_under_all() -> None:
    before = spends_for(draw(), Subjects((b"older key",)), DEFAULTS)
    now = spends_for(draw(), SUBJECTS, DEFAULTS)
    for old, new in zip(before, now, strict=True):
        if old.budget not in {"IP_RATE", "NETWORK_RATE"}:
            assert old.keys[0] in new.keys
            assert new.keys[0] != old.keys[0]


# ------------------------------------------------------------------------------------ no sequence exceeds a figure
@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One reply that is wanted."""

    wait_s: float
    standing: Standing
    who: int
    client: int


POSTS = st.lists(
    st.builds(
        Post,
        wait_s=st.sampled_from((0.0, 1.0, 59.0, 60.0, 61.0, 700.0, 3_599.0, 3_601.0, 40_000.0)),
        standing=st.sampled_from((Standing.KNOWN, Standing.SHOWN, Standing.PLAIN)),
        who=st.integers(0, 5),
        client=st.integers(0, 2),
    ),
    min_size=15,
    max_size=70,
)
TIGHT = tight(
    site_per_minute=3,
    site_per_hour=6,
    site_per_day=12,
    plain_share=0.25,
    shown_share=0.75,
    client_per_hour=4,
    client_per_hour_plain=2,
    address_per_day=3,
)


async def granted(posts: list[Post], settings: Mail) -> list[tuple[float, Post]]:
    clock = MovableClock()
    ledger = memory(clock).ledger
    taken = []
    for number, post in enumerate(posts):
        clock.move(post.wait_s)
        wanted = Draw(
            form="contact",
            limits=FormLimits(),
            report=report(f"person{post.who}@example.com"),
            standing=post.standing,
            client=(Key(b"client %d" % post.client),),
        )
        request = ReplyRequest(
            reply_id=b"reply %d" % number,
            submission_id=b"submission %d" % number,
            decision=Decision.SEND,
            code="OK",
            spends=spends_for(wanted, SUBJECTS, settings),
        )
        if (await ledger.reserve(request)).decision is Decision.SEND:
            taken.append((clock.now(), post))
    return taken


def most_within(times: list[float], window_s: float) -> int:
    """Count the most that fell into any closed interval of this length."""
    return max((sum(start <= time <= start + window_s for time in times) for start in times), default=0)


@settings(max_examples=runs(25, 1_000), deadline=None)
@pytest.mark.soak
@given(POSTS)
def test_no_sequence_is_granted_more_than_any_figure_in_any_window(posts: list[Post]) -> None:
    taken = asyncio.run(granted(posts, TIGHT))

    def most(window_s: float, *standings: Standing) -> int:
        return most_within([at for at, post in taken if post.standing in (standings or Standing)], window_s)

    assert most(MINUTE_S) <= 3
    assert most(HOUR_S) <= 6
    assert most(DAY_S) <= 12
    assert most(HOUR_S, Standing.PLAIN) <= part(0.25, 6)
    assert most(DAY_S, Standing.PLAIN) <= part(0.25, 12)
    assert most(HOUR_S, Standing.PLAIN, Standing.SHOWN) <= part(0.75, 6)
    assert most(DAY_S, Standing.PLAIN, Standing.SHOWN) <= part(0.75, 12)
    for client in range(3):
        assert most_within([at for at, post in taken if post.client == client], HOUR_S) <= 4
    for who in range(6):
        assert most_within([at for at, post in taken if post.who == who], DAY_S) <= 3


def test_g02_plain_posts_never_take_what_shown_and_known_may_have() -> None:
    flood = [Post(wait_s=61.0, standing=Standing.PLAIN, who=number % 6, client=number % 3) for number in range(40)]
    shown = [Post(wait_s=61.0, standing=Standing.SHOWN, who=9, client=7)] * 2
    known = [Post(wait_s=61.0, standing=Standing.KNOWN, who=8, client=8)]
    settings = tight(site_per_hour=8, plain_share=0.25, shown_share=0.75)
    taken = asyncio.run(granted([*flood, *shown, *known], settings))
    assert Counter(post.standing for _, post in taken) == {
        Standing.PLAIN: 2,
        Standing.SHOWN: 2,
        Standing.KNOWN: 1,
    }
