"""Pure functions of (Submission, Facts) that say what they saw, one file a group.

`DEFAULT_SIGNALS` and `DEFAULT_COMPOSITES` are tuples; they live in `defaults` and are loaded when first asked for,
because `facts` holds the signals' limits and must be importable first.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from formwarden.signals.defaults import DEFAULT_COMPOSITES, DEFAULT_SIGNALS

__all__ = ["DEFAULT_COMPOSITES", "DEFAULT_SIGNALS"]


def __getattr__(name: str) -> object:
    """Load the tuples (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from formwarden.signals import defaults

    return getattr(defaults, name)
