import pytest

from formwarden.address.cache import DomainVerdict, VerdictCache
from formwarden.address.outcomes import Outcome
from formwarden.address.report import Reason
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
