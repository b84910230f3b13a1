"""ALTCHA: a proof of work that the site itself asked for, checked here with the site's own key."""

import asyncio
import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Final

from formwarden.errors import SettingsError
from formwarden.vouchers.port import Claim, Vouched

FIELD: Final = "altcha"
MISSING: Final = "altcha: the package is not installed; install formwarden[altcha]"


class Altcha:
    """Checks the payload of an ALTCHA widget whose challenges the site makes with `hmac_key`.

    The package itself takes one payload as often as it comes; here it vouches for one page only.
    Raises SettingsError.
    """

    name: Final = "altcha"

    def __init__(self, hmac_key: str, *, field: str = FIELD) -> None:
        if not hmac_key:
            raise SettingsError(("altcha: hmac_key is needed: the one that signs the site's challenges",))
        try:
            import altcha  # noqa: F401 - said at construction, not at the first request
        except ImportError:
            raise SettingsError((MISSING,)) from None
        self.field: Final = field
        self._key = hmac_key

    def identity(self, response: str, /) -> bytes | None:
        """Return what the site signed: base64 and JSON have many spellings of it."""
        challenge = _decode(response).get("challenge")
        if isinstance(challenge, str):  # the first version of the scheme
            return hashlib.sha256(challenge.encode("utf-8", "surrogatepass")).digest()
        parameters = challenge.get("parameters") if isinstance(challenge, dict) else None
        if not isinstance(parameters, dict):
            return None
        signed = json.dumps([str(parameters.get(name)) for name in ("nonce", "salt")])
        return hashlib.sha256(signed.encode()).digest()

    async def check(self, claim: Claim, /, *, timeout_s: float) -> Vouched:
        """Verify the payload, in a thread: the second version derives a key as slowly as its challenge says."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.to_thread(self._check, claim.response)

    def _check(self, response: str) -> Vouched:
        import altcha
        from altcha.v1 import verify_solution as verify_v1

        decoded = _decode(response)
        if isinstance(decoded.get("challenge"), str):
            if not isinstance(decoded.get("salt"), str):
                return Vouched.FAILED  # the package raises
            solved, error = verify_v1(response, self._key, check_expires=True)
            return Vouched.SOLVED if solved else Vouched.EXPIRED if "expired" in (error or "") else Vouched.FAILED
        result = altcha.verify_solution(response, self._key)
        return Vouched.SOLVED if result.verified else Vouched.EXPIRED if result.expired else Vouched.FAILED


def _decode(response: str) -> Mapping[str, object]:
    try:
        decoded: object = json.loads(base64.b64decode(response))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return {str(name): value for name, value in decoded.items()} if isinstance(decoded, dict) else {}
