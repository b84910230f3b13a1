"""Whether a domain says of itself that it sends no mail (RFC 7208)."""

from collections.abc import Iterable
from typing import Final

VERSION: Final = "v=spf1"


def rejects_all(texts: Iterable[str]) -> bool:
    """Tell whether the first thing its one SPF record says is `-all`: nothing behind that is ever read.

    Several records are an error (section 4.5) and say nothing. Letters of either size and any spaces are allowed.
    """
    records = [terms for text in texts if (terms := text.lower().split())[:1] == [VERSION]]
    if len(records) != 1:
        return False
    return next((term for term in records[0][1:] if not _is_modifier(term)), None) == "-all"


def _is_modifier(term: str) -> bool:
    """Tell a modifier, `exp=…`, from a mechanism, whose domain comes behind a colon or a slash."""
    name, equals, _ = term.partition("=")
    return bool(equals) and name.replace("-", "").replace("_", "").replace(".", "").isalnum()
