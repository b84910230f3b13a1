"""Texts as SQLite can hold them."""


def plain(text: str) -> str:
    """Return a text without lone surrogates, which have no UTF-8; each becomes the replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
