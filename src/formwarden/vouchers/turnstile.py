"""Cloudflare Turnstile: its word on a response, asked over HTTPS."""

import hashlib
import ssl
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

from formwarden.errors import SettingsError
from formwarden.vouchers.port import Claim, Vouched, VoucherError

SITEVERIFY: Final = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
FIELD: Final = "cf-turnstile-response"
TIMEOUT_S: Final = 1.5  # its answers take a tenth of that
ANSWER_BYTES: Final = 16_384  # its answers have below a thousand
OVER: Final = "timeout-or-duplicate"  # older than five minutes, or spent: a slow writer's as well as a thief's
OURS: Final = frozenset({"missing-input-secret", "invalid-input-secret", "bad-request", "internal-error"})
"""Errors of the site's set-up or of Cloudflare: nothing of the visitor's."""
MISSING: Final = "turnstile: httpx2 is not installed; install formwarden[turnstile]"


class Turnstile:
    """Asks `siteverify`. `hostnames` and `action`: what the widget was shown for; anything else is no solution.

    `url` is for a service that speaks the same. `tell_client`: send the visitor's address along; off, for it is
    nobody's business. Raises SettingsError.
    """

    name: Final = "turnstile"

    def __init__(
        self,
        secret: str,
        *,
        hostnames: Collection[str] = (),
        action: str | None = None,
        field: str = FIELD,
        url: str = SITEVERIFY,
        timeout_s: float = TIMEOUT_S,
        tell_client: bool = False,
    ) -> None:
        if not secret:
            raise SettingsError(("turnstile: a secret is needed; the dashboard shows it beside the site key",))
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise SettingsError(("turnstile: url is no URL; give https://host/path",))
        try:
            import httpx2  # noqa: F401 - said at construction, not at the first request
        except ImportError:
            raise SettingsError((MISSING,)) from None
        self.field: Final = field
        self._secret = secret
        self._hostnames = frozenset(each.lower() for each in hostnames)
        self._action = action
        self._url = url
        self._timeout_s = timeout_s
        self._tell_client = tell_client
        self._tls = ssl.create_default_context()  # once: reading the system's certificates takes 20 ms

    def identity(self, response: str, /) -> bytes | None:
        """Return the response itself: Cloudflare knows one spelling."""
        return hashlib.sha256(response.encode("utf-8", "surrogatepass")).digest()

    async def check(self, claim: Claim, /, *, timeout_s: float) -> Vouched:
        """Ask what the response is worth. Raises VoucherError where no word came."""
        data = {"secret": self._secret, "response": claim.response.encode("ascii", "replace").decode()}
        if self._tell_client and claim.client is not None:
            data["remoteip"] = str(claim.client)
        return self._word(await self._post(data, min(timeout_s, self._timeout_s)))

    async def _post(self, data: Mapping[str, str], timeout_s: float) -> Mapping[str, object]:
        import httpx2

        try:
            async with (
                httpx2.AsyncClient(timeout=timeout_s, verify=self._tls) as client,  # of no event loop but this one's
                client.stream("POST", self._url, data=data) as response,
            ):
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES:
                        raise VoucherError("an endless answer")
        except httpx2.HTTPError as error:
            raise VoucherError(type(error).__name__) from error
        return _read(response.status_code, body)

    def _word(self, answer: Mapping[str, object]) -> Vouched:
        if answer.get("success") is True:
            host, action = answer.get("hostname"), answer.get("action")
            right = not self._hostnames or (isinstance(host, str) and host.lower() in self._hostnames)
            return Vouched.SOLVED if right and self._action in {None, action} else Vouched.FAILED
        codes = answer.get("error-codes")
        told = {each for each in codes if isinstance(each, str)} if isinstance(codes, list) else set[str]()
        if not told or told & OURS:
            raise VoucherError(", ".join(sorted(told & OURS)) or "no reason given")
        return Vouched.EXPIRED if OVER in told else Vouched.FAILED


def _read(status: int, body: bytes) -> Mapping[str, object]:
    import json

    if status >= 500:  # noqa: PLR2004 - its own trouble; it says 200 or 400 of responses
        raise VoucherError(f"status {status}")
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise VoucherError(f"status {status} and no JSON") from error
    if not isinstance(answer, dict):
        raise VoucherError(f"status {status} and no JSON object")
    return {str(name): value for name, value in answer.items()}
