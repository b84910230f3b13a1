"""Visitors who come with a real Chromium; needs the extra `browsers`."""

from formwarden.testing.browsers.chromium import REMEDY, Chromium, NoBrowserError, chromium, chromium_path
from formwarden.testing.browsers.hands import NoFormError
from formwarden.testing.browsers.visitors import KINDS, Setting, browser_personas

__all__ = [
    "KINDS",
    "REMEDY",
    "Chromium",
    "NoBrowserError",
    "NoFormError",
    "Setting",
    "browser_personas",
    "chromium",
    "chromium_path",
]
