import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.page.ratelimit import Refusal

STRING_ITEM = re.compile(r'"[a-z]+"(;[a-z]+=\d{1,15})+')  # RFC 9651: a string with whole numbers as parameters


@pytest.mark.parametrize(
    ("wait_s", "told"), [(599.2, "600"), (1.0, "1"), (0.4, "1"), (0.0, "1"), (-3.0, "1"), (60.0, "60")]
)
def test_the_wait_is_whole_seconds_never_too_few_and_never_none(wait_s: float, told: str) -> None:
    headers = Refusal(policy="tokens", quota=60, window_s=600.0, wait_s=wait_s).headers()
    assert headers["retry-after"] == told
    assert headers["ratelimit"] == f'"tokens";r=0;t={told}'
    assert headers["ratelimit-policy"] == '"tokens";q=60;w=600'


@given(quota=st.integers(1, 10**9), window_s=st.floats(0.1, 10**9), wait_s=st.floats(-(10**9), 10**9))
def test_the_fields_are_structured_whatever_the_limit(quota: int, window_s: float, wait_s: float) -> None:
    headers = Refusal(policy="tokens", quota=quota, window_s=window_s, wait_s=wait_s).headers()
    assert STRING_ITEM.fullmatch(headers["ratelimit"])
    assert STRING_ITEM.fullmatch(headers["ratelimit-policy"])
