"""Turnstile, asked over HTTP on loopback."""

from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from formwarden.errors import SettingsError
from formwarden.vouchers import Claim, Vouched, VoucherError
from formwarden.vouchers.turnstile import Turnstile
from tests.vouchers.siteverify import Siteverify, served

pytestmark = pytest.mark.anyio
CLAIM = Claim(response="r1", form="contact", host="bow-makers.jp", client=ip_address("8.8.8.8"))


@pytest.fixture
def service() -> Iterator[Siteverify]:
    with served() as service:
        yield service


def turnstile(service: Siteverify, *, tell_client: bool = False, action: str | None = None) -> Turnstile:
    return Turnstile(
        "s3cret", hostnames=("Bow-Makers.jp",), action=action, url=service.url, tell_client=tell_client, timeout_s=1.0
    )


async def test_a_solved_response_is_told_with_nothing_but_the_secret_and_the_response(service: Siteverify) -> None:
    service.solved("r1")
    assert await turnstile(service).check(CLAIM, timeout_s=2.0) is Vouched.SOLVED
    assert service.asked == [{"secret": "s3cret", "response": "r1"}]


async def test_the_clients_address_is_sent_only_where_the_owner_says_so(service: Siteverify) -> None:
    service.solved("r1")
    await turnstile(service, tell_client=True).check(CLAIM, timeout_s=2.0)
    assert service.asked[0]["remoteip"] == "8.8.8.8"


@pytest.mark.parametrize(
    ("hostname", "action", "word"),
    [
        ("bow-makers.jp", "contact", Vouched.SOLVED),
        ("BOW-MAKERS.JP", "contact", Vouched.SOLVED),
        ("evil.example", "contact", Vouched.FAILED),
        ("", "contact", Vouched.FAILED),
        ("bow-makers.jp", "login", Vouched.FAILED),
    ],
)
async def test_what_was_solved_elsewhere_is_no_solution_here(
    service: Siteverify, hostname: str, action: str, word: Vouched
) -> None:
    service.solved("r1", hostname, action)
    assert await turnstile(service, action="contact").check(CLAIM, timeout_s=2.0) is word


@pytest.mark.parametrize(
    ("codes", "word"),
    [
        (("invalid-input-response",), Vouched.FAILED),
        (("missing-input-response",), Vouched.FAILED),
        (("timeout-or-duplicate",), Vouched.EXPIRED),
        (("timeout-or-duplicate", "invalid-input-response"), Vouched.EXPIRED),
    ],
)
async def test_a_response_that_is_over_is_told_from_one_that_never_was_good(
    service: Siteverify, codes: tuple[str, ...], word: Vouched
) -> None:
    service.fails("r1", *codes)
    assert await turnstile(service).check(CLAIM, timeout_s=2.0) is word


@pytest.mark.parametrize("code", ["missing-input-secret", "invalid-input-secret", "bad-request", "internal-error"])
async def test_trouble_of_site_or_service_is_nothing_of_the_visitors(service: Siteverify, code: str) -> None:
    service.fails("r1", code)
    with pytest.raises(VoucherError, match=code):
        await turnstile(service).check(CLAIM, timeout_s=2.0)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ((503, b"{}"), "status 503"),
        ((200, b"<html>interstitial"), "no JSON"),
        ((200, b"[true]"), "no JSON object"),
        ((200, b"{}"), "no reason given"),
        ((200, b'{"success": "true"}'), "no reason given"),
        ((200, b'{"success": false, "error-codes": "x"}'), "no reason given"),
        ((200, b"[" * 100_000), "endless"),
        ((302, b"{}"), "no reason given"),
    ],
)
async def test_an_answer_that_is_none_is_unknown(service: Siteverify, raw: tuple[int, bytes], told: str) -> None:
    service.raw = raw
    with pytest.raises(VoucherError, match=told):
        await turnstile(service).check(CLAIM, timeout_s=2.0)


async def test_a_service_that_keeps_quiet_is_not_waited_for(service: Siteverify) -> None:
    service.silent.set()
    with pytest.raises(VoucherError, match="Timeout"):
        await turnstile(service).check(CLAIM, timeout_s=0.1)


async def test_a_service_that_is_not_there_is_unknown() -> None:
    with pytest.raises(VoucherError, match="ConnectError"):
        await Turnstile("s3cret", url="http://127.0.0.1:9/").check(CLAIM, timeout_s=1.0)


@pytest.mark.parametrize(
    ("secret", "url"), [("", "https://a.example/"), ("s", "a.example"), ("s", "ftp://a.example")]
)
def test_a_wrong_set_up_is_said_at_construction(secret: str, url: str) -> None:
    with pytest.raises(SettingsError, match="turnstile"):
        Turnstile(secret, url=url)


async def test_a_response_of_any_letters_is_sent_whole(service: Siteverify) -> None:
    odd = Claim(response="é\ud800&secret=x", form="contact")
    assert await turnstile(service).check(odd, timeout_s=2.0) is Vouched.FAILED
    assert service.asked[0]["secret"] == "s3cret"
