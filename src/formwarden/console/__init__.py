"""The owner's page: what came in, why it stands where it stands, and what failed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from formwarden.console.app import Console as Console

__all__ = ["Console"]


def __getattr__(name: str) -> type["Console"]:
    """Load the page when it is asked for: its settings are read by every site, its templates by few (PEP 562)."""
    if name == "Console":
        from formwarden.console.app import Console

        return Console
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
