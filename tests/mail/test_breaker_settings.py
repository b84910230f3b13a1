"""The figures of the breaker as settings."""

import pytest
from pydantic import ValidationError

from formwarden.mail.breaker_settings import breaking_of
from formwarden.mail.settings import Mail
from formwarden.stores.breaking import DAY_S, DEFAULT, HOUR_S, Breaking, Ratio


def test_g09_unless_set_they_are_those_of_the_rulings() -> None:
    assert breaking_of(Mail()) == DEFAULT
    assert DEFAULT.open_s == (4 * HOUR_S, DAY_S, 3 * DAY_S)


def test_every_figure_can_be_set() -> None:
    settings = Mail(
        breaker_hard=2,
        breaker_last=20,
        breaker_bound=0.2,
        breaker_hard_long=9,
        breaker_last_long=90,
        breaker_bound_long=0.1,
        breaker_first_s=60,
        breaker_second_s=600,
        breaker_third_s=6_000,
        breaker_probes=1,
        breaker_presumed_s=30,
        client_bounced_s=5,
        complaints=4,
        complaints_s=7_200,
        complaint_share=0.5,
        complaint_least=10,
    )
    assert breaking_of(settings) == Breaking(
        ratios=(Ratio(hard=2, last=20, bound=0.2), Ratio(hard=9, last=90, bound=0.1)),
        open_s=(60, 600, 6_000),
        probes=1,
        presumed_s=30,
        bounced_s=5,
        complaints=4,
        complaints_s=7_200,
        complaint_share=0.5,
        complaint_least=10,
    )


@pytest.mark.parametrize(
    "wrong", [{"breaker_hard": 0}, {"breaker_last": 100_000}, {"breaker_bound": 1}, {"client_bounced_s": 8 * DAY_S}]
)
def test_a_figure_that_would_open_always_or_ask_for_more_than_is_kept_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Mail.model_validate(wrong)
