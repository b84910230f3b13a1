"""A small complete site with a guarded form, to look at and to start from."""

from starlette.applications import Starlette


def create_app() -> Starlette:
    """Make the site; it obeys the settings of any site, and needs the extra `demo`."""
    from formwarden.demo.site import Workshop

    return Workshop().app()
