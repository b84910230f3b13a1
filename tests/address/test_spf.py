import pytest

from formwarden.address.spf import rejects_all


@pytest.mark.parametrize(
    "text",
    ["v=spf1 -all", "v=spf1  -all", "V=SPF1 -ALL ", "v=spf1 exp=why.shop.com -all", "v=spf1 -all include:shop.com"],
)
def test_a_domain_that_sends_nothing_says_so_in_several_spellings(text: str) -> None:
    assert rejects_all(["another record", text])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=spf1",
        "v=spf10 -all",
        "v=spf1 ~all",
        "v=spf1 mx -all",
        "v=spf1 ip4:192.175.48.1 -all",
        "v=spf1 exists:a=b.shop.com -all",
        "spf2.0/pra -all",
        "v=spf1 redirect=shop.com",
        "x v=spf1 -all",
    ],
)
def test_all_else_says_nothing_of_the_kind(text: str) -> None:
    assert not rejects_all([text])


def test_two_records_are_an_error_and_say_nothing() -> None:
    assert not rejects_all(["v=spf1 -all", "v=spf1 mx -all"])
    assert not rejects_all([])
