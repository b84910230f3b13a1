"""Takes a request's body in, or says why not: what is not ours to read is refused before it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from starlette.types import Receive, Scope

from formwarden.allowance import NoRoomError
from formwarden.bodies import FieldLimits, TooManyFieldsError, UnreadableBodyError, UnsupportedBodyError
from formwarden.forms import GuardedForm
from formwarden.json_bodies import form_parser
from formwarden.spool import Spools
from formwarden.submission import Client
from formwarden.web.body import Body, BodyLimits, BodyTooLargeError
from formwarden.web.pace import BodyLateError, PaceLimits
from formwarden.web.requests import declared_length, is_repeated
from formwarden.web.settings import Web

PLAIN_ENCODINGS: Final = frozenset({"", "identity"})
UNREADABLE: Final = 400
LATE: Final = 408
TOO_LARGE: Final = 413
UNSUPPORTED: Final = 415
BUSY: Final = 503


@dataclass(frozen=True, slots=True)
class Refusal:
    """The status for a request that cannot be read, and why, in words of ours."""

    status: int
    why: str


LARGE: Final = Refusal(TOO_LARGE, "larger than the limit")
REFUSALS: Final[Mapping[type[Exception], Refusal]] = {
    BodyTooLargeError: LARGE,
    TooManyFieldsError: Refusal(TOO_LARGE, "more fields or text than the limits allow"),
    BodyLateError: Refusal(LATE, "sent too slowly"),
    UnreadableBodyError: Refusal(UNREADABLE, "not what its content type says"),
    UnsupportedBodyError: Refusal(UNSUPPORTED, "a content type that no form sends"),
}


class Intake:
    """Reads bodies within the bounds of the settings."""

    def __init__(self, web: Web, spools: Spools) -> None:
        self._spools = spools
        self._fields = FieldLimits(text_bytes=web.fields_limit, count=web.fields_count)
        self._limits = BodyLimits(size=web.body_limit, in_memory=web.spool_above, pace=PaceLimits.of(web))

    async def read(
        self, form: GuardedForm, client: Client, scope: Scope, headers: Mapping[str, str], receive: Receive
    ) -> Body | Refusal:
        """Read and parse the body once. Raises ClientGoneError; what `receive` raises passes."""
        refusal = _of_headers(scope, headers)
        if refusal is not None:
            return refusal
        limits = replace(self._limits, size=form.limits.body) if form.limits.body else self._limits
        declared = declared_length(headers)
        if declared is not None and declared > limits.size:
            return LARGE
        try:
            parser = form_parser(headers.get("content-type", ""), self._fields)
            return await _read(Body(receive, parser, limits, self._spools, client.network))
        except NoRoomError as error:
            return Refusal(BUSY, str(error))
        except tuple(REFUSALS) as error:
            return REFUSALS[type(error)]


async def _read(body: Body) -> Body:
    try:
        await body.read()
    except BaseException:
        body.close()
        raise
    return body


def _of_headers(scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
    """Refuse what two readers would read in two ways, and what would have to be inflated without a bound."""
    if is_repeated(scope, b"content-type"):
        return Refusal(UNREADABLE, "two content types")
    if len({length.strip() for length in headers.get("content-length", "").split(",")}) > 1:
        return Refusal(UNREADABLE, "two lengths")  # RFC 9112 section 6.3
    if headers.get("content-encoding", "").strip().lower() not in PLAIN_ENCODINGS:
        return Refusal(UNSUPPORTED, "a compressed body")
    return None
