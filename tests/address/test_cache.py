import pytest

from formwarden.address.cache import MAX_ENTRIES, STALE_S, DomainVerdict, VerdictCache
from formwarden.address.outcomes import Outcome
from formwarden.address.report import Flag, Reason
from tests.clock import MovableClock


def verdict(reason: Reason, ttl_s: float = 0.0) -> DomainVerdict:
    return DomainVerdict(outcome=Outcome(reason=reason, ttl_s=ttl_s))


@pytest.mark.parametrize(
    ("reason", "ttl_s", "kept_s"),
    [
        (Reason.MX_OK, 0, 300),
        (Reason.MX_OK, 3600, 3600),
        (Reason.MX_OK, 2**31, 21_600),
        (Reason.NXDOMAIN, 0, 60),
        (Reason.NXDOMAIN, 120, 120),
        (Reason.NXDOMAIN, 86_400, 900),
        (Reason.SERVFAIL, 86_400, 5),
    ],
)
def test_the_time_of_a_verdict_is_clamped(reason: Reason, ttl_s: float, kept_s: float) -> None:
    clock = MovableClock()
    cache = VerdictCache(clock)
    cache.put("shop.co.jp", verdict(reason, ttl_s))

    clock.move(kept_s - 0.5)
    assert cache.get("shop.co.jp") == verdict(reason, ttl_s)
    clock.move(0.5)
    assert cache.get("shop.co.jp") is None


def test_failures_are_kept_twice_as_long_each_time_up_to_five_minutes(clock: MovableClock) -> None:
    cache = VerdictCache(clock)
    for kept_s in (5, 10, 20, 40, 80, 160, 300, 300, 300):
        cache.put("shop.co.jp", verdict(Reason.TIMEOUT))
        clock.move(kept_s - 0.5)
        assert cache.get("shop.co.jp") is not None
        clock.move(0.5)
        assert cache.get("shop.co.jp") is None


def test_an_answer_ends_the_row_of_failures(clock: MovableClock) -> None:
    cache = VerdictCache(clock)
    for reason in (Reason.TIMEOUT, Reason.TIMEOUT, Reason.NXDOMAIN, Reason.TIMEOUT):
        cache.put("shop.co.jp", verdict(reason))

    clock.move(5)
    assert cache.get("shop.co.jp") is None


def test_a_step_of_the_wall_clock_ages_nothing(clock: MovableClock) -> None:
    cache = VerdictCache(clock)
    cache.put("shop.co.jp", verdict(Reason.MX_OK))

    clock.step(86_400)
    assert cache.get("shop.co.jp") is not None


def test_the_cache_is_bounded_and_what_is_used_stays(clock: MovableClock) -> None:
    cache = VerdictCache(clock, max_entries=3)
    cache.put("shop.co.jp", verdict(Reason.MX_OK))
    for number in range(10):
        assert cache.get("shop.co.jp") is not None
        cache.put(f"invented-{number}.com", verdict(Reason.NXDOMAIN))

    assert len(cache) == 3
    assert cache.get("shop.co.jp") is not None


def test_g33_a_domain_once_deliverable_is_remembered_through_failures_but_not_through_a_no(
    clock: MovableClock,
) -> None:
    cache = VerdictCache(clock)
    assert not cache.seen_deliverable("shop.co.jp")

    cache.put("shop.co.jp", verdict(Reason.MX_OK))
    clock.move(86_400)
    cache.put("shop.co.jp", verdict(Reason.TIMEOUT))
    assert cache.seen_deliverable("shop.co.jp")

    cache.put("shop.co.jp", verdict(Reason.NXDOMAIN))
    assert not cache.seen_deliverable("shop.co.jp")


def test_a_good_verdict_past_its_time_is_stale_for_a_day_and_a_bad_one_never(clock: MovableClock) -> None:
    cache = VerdictCache(clock)
    cache.put("shop.co.jp", verdict(Reason.MX_OK))
    cache.put("gone.com", verdict(Reason.NXDOMAIN))
    clock.move(900)
    assert cache.get("shop.co.jp") is None
    assert cache.stale("shop.co.jp") == verdict(Reason.MX_OK)
    assert cache.stale("gone.com") is None
    clock.move(300 + STALE_S - 900 - 1)
    assert cache.stale("shop.co.jp") is not None
    clock.move(1)
    assert cache.stale("shop.co.jp") is None


def test_a_failure_leaves_a_good_verdict_stale_and_is_tried_again_later_each_time(clock: MovableClock) -> None:
    cache = VerdictCache(clock)
    cache.put("shop.co.jp", verdict(Reason.MX_OK))
    clock.move(300)
    for wait_s in (5, 10, 20, 40, 80, 160, 300, 300):
        assert cache.refresh_due("shop.co.jp")
        cache.put("shop.co.jp", verdict(Reason.TIMEOUT))
        assert cache.get("shop.co.jp") is None
        assert cache.stale("shop.co.jp") == verdict(Reason.MX_OK)
        clock.move(wait_s - 0.5)
        assert not cache.refresh_due("shop.co.jp")
        clock.move(0.5)


def test_failures_do_not_make_a_stale_verdict_last_longer_than_its_day(clock: MovableClock) -> None:
    cache = VerdictCache(clock)
    cache.put("shop.co.jp", verdict(Reason.MX_OK))
    for _ in range(400):
        clock.move(300)
        cache.put("shop.co.jp", verdict(Reason.TIMEOUT))

    assert cache.stale("shop.co.jp") is None
    assert cache.get("shop.co.jp") == verdict(Reason.TIMEOUT)
    assert cache.seen_deliverable("shop.co.jp")


def test_a_no_ends_a_stale_verdict_at_once(clock: MovableClock) -> None:
    cache = VerdictCache(clock)
    cache.put("shop.co.jp", verdict(Reason.MX_OK))
    clock.move(300)
    cache.put("shop.co.jp", verdict(Reason.NXDOMAIN))

    assert cache.stale("shop.co.jp") is None
    assert cache.get("shop.co.jp") == verdict(Reason.NXDOMAIN)


def test_invented_names_push_out_each_other_and_neither_what_took_mail_nor_what_is_asked_for_again(
    clock: MovableClock,
) -> None:
    cache = VerdictCache(clock)
    kept = [f"shop-{number}.co.jp" for number in range(100)]
    asked_again = [f"gone-{number}.com" for number in range(100)]
    for name in kept:
        cache.put(name, verdict(Reason.MX_OK, 3600))
    for name in asked_again:
        cache.put(name, verdict(Reason.NXDOMAIN, 900))
        assert cache.get(name) is not None
    for number in range(20_000):
        cache.put(f"invented-{number}.com", verdict(Reason.NXDOMAIN, 900))

    assert all(cache.get(name) is not None for name in (*kept, *asked_again))
    assert cache.get("invented-0.com") is None
    assert cache.get("invented-19999.com") is not None
    assert len(cache) == MAX_ENTRIES


def test_the_protected_are_bounded_too_and_who_leaves_them_is_on_probation(clock: MovableClock) -> None:
    cache = VerdictCache(clock, max_entries=4)
    for number in range(4):
        cache.put(f"shop-{number}.co.jp", verdict(Reason.MX_OK, 3600))
    assert len(cache) == 4
    cache.put("invented.com", verdict(Reason.NXDOMAIN))

    assert cache.get("shop-0.co.jp") is None
    assert all(cache.get(f"shop-{number}.co.jp") is not None for number in range(1, 4))


def test_a_weak_verdict_that_lacks_how_the_domain_sends_is_kept_for_moments_and_replaces_no_whole_one(
    clock: MovableClock,
) -> None:
    cache = VerdictCache(clock)
    half = DomainVerdict(
        outcome=Outcome(reason=Reason.IMPLICIT_MX_A, flags=frozenset({Flag.WEAK, Flag.SPF_UNKNOWN}), ttl_s=3600)
    )
    whole = DomainVerdict(
        outcome=Outcome(reason=Reason.IMPLICIT_MX_A, flags=frozenset({Flag.WEAK, Flag.SPF_REJECT_ALL}), ttl_s=300)
    )
    cache.put("web.com", half)
    assert cache.get("web.com") == half
    clock.move(5)
    assert cache.get("web.com") is None
    cache.put("web.com", whole)
    clock.move(300)
    cache.put("web.com", half)

    assert cache.get("web.com") is None
    assert cache.stale("web.com") == whole
