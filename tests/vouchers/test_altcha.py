"""ALTCHA: payloads solved by the package itself, and what else may come."""

import base64
import json

import altcha
import pytest
from altcha import v1

from formwarden.errors import SettingsError
from formwarden.vouchers import Claim, Vouched
from formwarden.vouchers.altcha import Altcha

pytestmark = pytest.mark.anyio
KEY = "hmac" * 8
LONG_AGO, FAR_AHEAD = 1_000_000_000, 4_000_000_000


def payload(key: str = KEY, expires_at: int = FAR_AHEAD) -> str:
    """Solve an easy challenge of the second version."""
    challenge = altcha.create_challenge("SHA-256", 1, key_prefix="0", hmac_secret=key, expires_at=expires_at)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def payload_v1(key: str = KEY) -> str:
    """Solve an easy challenge of the first version."""
    challenge = v1.create_challenge(v1.ChallengeOptions(hmac_key=key, max_number=50))
    solution = v1.solve_challenge(challenge.challenge, challenge.salt, challenge.algorithm, 50)
    assert solution is not None
    return v1.Payload(
        challenge.algorithm, challenge.challenge, solution.number, challenge.salt, challenge.signature
    ).to_base64()


async def check(response: str) -> Vouched:
    return await Altcha(KEY).check(Claim(response=response, form="contact"), timeout_s=5.0)


async def test_a_solved_challenge_of_the_site_is_solved() -> None:
    assert await check(payload()) is Vouched.SOLVED
    assert await check(payload_v1()) is Vouched.SOLVED


async def test_a_challenge_that_somebody_else_signed_is_not() -> None:
    assert await check(payload("other" * 8)) is Vouched.FAILED
    assert await check(payload_v1("other" * 8)) is Vouched.FAILED


async def test_an_old_challenge_is_told_from_a_wrong_one() -> None:
    assert await check(payload(expires_at=LONG_AGO)) is Vouched.EXPIRED


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


HOSTILE = [
    "x",
    "é",
    "\ud800",
    "=" * 50,
    encoded(1),
    encoded([]),
    encoded({}),
    encoded({"challenge": 1}),
    encoded({"challenge": {}}),
    encoded({"challenge": {"parameters": []}}),
    encoded({"challenge": {"parameters": {"nonce": [], "salt": {}}}, "solution": {}}),
    encoded({"challenge": "x"}),
    encoded({"challenge": "x", "salt": 1, "number": [], "algorithm": "SHA-256", "signature": None}),
    base64.b64encode(b"[" * 5_000).decode(),
    base64.b64encode(b'{"challenge": {"parameters": {"expiresAt": NaN}}}').decode(),
]


@pytest.mark.parametrize("response", HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_comes_is_never_solved_and_its_identity_never_raises(response: str) -> None:
    Altcha(KEY).identity(response)
    assert await check(response) is Vouched.FAILED


def test_every_spelling_of_one_payload_is_the_same() -> None:
    first = payload()
    opened = json.loads(base64.b64decode(first))
    respelt = base64.b64encode(json.dumps(opened, indent=3).encode() + b"\n").decode()
    solved_again = encoded({**opened, "solution": {**opened["solution"], "time": 7}})
    voucher = Altcha(KEY)
    assert voucher.identity(first) is not None
    assert {voucher.identity(each) for each in (first, respelt, solved_again)} == {voucher.identity(first)}
    assert voucher.identity(payload()) != voucher.identity(first)


def test_without_a_key_it_is_refused_at_construction() -> None:
    with pytest.raises(SettingsError, match="hmac_key"):
        Altcha("")
