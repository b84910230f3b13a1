"""The site's own warden, found by `module:attribute`, as servers find an application."""

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from formwarden.errors import SettingsError

if TYPE_CHECKING:
    from formwarden.warden import Warden


def load(app: str) -> "Warden":
    """Import a site's warden by `module:attribute`. Raises SettingsError with what is not there."""
    from formwarden.warden import Warden

    name, _, attribute = app.partition(":")
    if not name or not attribute:
        raise SettingsError((f"--app {app}: give module:attribute, such as main:warden",))
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # a library that the site itself misses
        raise SettingsError((f"--app {app}: there is no module {name} here ({here})",)) from None
    module = found
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Warden):
        if _stands_before(name, getattr(module, "__file__", None), Path(here)):
            raise SettingsError(
                (f"--app {app}: Python has a module {name} of its own, which comes before yours; rename {name}.py",)
            )
        raise SettingsError((f"--app {app}: {attribute} is no Warden; name the one that the site makes",))
    return found


def _stands_before(name: str, origin: str | None, here: Path) -> bool:
    """Say whether another module of this name was imported than the one that lies here."""
    ours = here / f"{name}.py"
    return ours.is_file() and (origin is None or Path(origin).resolve() != ours.resolve())
