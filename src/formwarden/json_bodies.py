"""JSON bodies beside urlencoded and multipart ones: the same fields, the same errors."""

from typing import Final

from python_multipart.multipart import parse_options_header

from formwarden.bodies import (
    NO_LIMITS,
    BodyParser,
    FieldLimits,
    Held,
    ParsedBody,
    Source,
    TooManyFieldsError,
    UnreadableBodyError,
    Whole,
    body_parser,
)
from formwarden.json_values import JsonTooMuchError, JsonUnreadableError, is_json, json_pairs
from formwarden.submission import Fields

CHARSETS: Final = frozenset({b"utf-8", b"utf8", b"us-ascii"})


def form_parser(content_type: str, limits: FieldLimits = NO_LIMITS) -> BodyParser:
    """Choose the parser of any kind of body that forms are sent in: urlencoded, multipart, or JSON.

    Raises UnreadableBodyError or UnsupportedBodyError.
    """
    return _Json(content_type, limits) if is_json(content_type) else body_parser(content_type, limits)


def read_body(content_type: str, body: bytes, limits: FieldLimits = NO_LIMITS) -> ParsedBody:
    """Parse a body of any such kind that is in memory.

    Raises UnreadableBodyError, TooManyFieldsError or UnsupportedBodyError.
    """
    parser = form_parser(content_type, limits)
    parser.write(body)
    return parser.finish(Held(body))


class _Json(Whole):
    """JSON has no charset but UTF-8: who reads by another one sees other text than who does not."""

    def __init__(self, content_type: str, limits: FieldLimits) -> None:
        super().__init__(limits)
        _, options = parse_options_header(content_type.encode("latin-1", "replace"))
        if options.get(b"charset", b"utf-8").lower() not in CHARSETS:
            raise UnreadableBodyError("JSON in another charset")

    def finish(self, _: Source) -> ParsedBody:
        """Return the fields. Raises UnreadableBodyError or TooManyFieldsError."""
        limits = self._limits
        try:
            pairs = json_pairs(self.body, text_bytes=limits.text_bytes, count=limits.count)
        except JsonUnreadableError as error:
            raise UnreadableBodyError(str(error)) from error
        except JsonTooMuchError as error:
            raise TooManyFieldsError(str(error)) from error
        return ParsedBody(fields=Fields(pairs))
