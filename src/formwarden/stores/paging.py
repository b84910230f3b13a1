"""Keys of pages: a place in the list, newest first, as opaque text."""

import math


def page_key(received_at: float, inquiry: bytes) -> str:
    """Return the key of the page that begins after this inquiry."""
    return f"{received_at.hex()}~{inquiry.hex()}".replace("+", "")  # a plus in a URL is a space


def place_of(key: str | None) -> tuple[float, bytes] | None:
    """Return where a page begins; None: at the newest, also for a key that is none (it comes from a URL)."""
    received_at, _, inquiry = (key or "").partition("~")
    try:
        place = float.fromhex(received_at), bytes.fromhex(inquiry)
    except (ValueError, OverflowError):
        return None
    return place if math.isfinite(place[0]) else None
