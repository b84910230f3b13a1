"""The one sentence about an address that a visitor may read."""

from collections.abc import Mapping
from typing import Final

DEFAULT_LANGUAGE: Final = "en"
SENTENCES: Final[Mapping[str, str]] = {
    "en": "Please check that your address is written correctly.",
    "ja": "メールアドレスに誤りがないか、ご確認ください。",
}


def public_message(language: str = DEFAULT_LANGUAGE) -> str:
    """Return the sentence in the language of a tag such as `ja` or `ja-JP`; English where we have no other.

    It takes no report: a sentence that knows nothing of the outcome can tell a stranger nothing.
    """
    primary = language.replace("_", "-").partition("-")[0].lower()
    return SENTENCES.get(primary, SENTENCES[DEFAULT_LANGUAGE])
