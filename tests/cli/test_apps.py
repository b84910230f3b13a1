"""A site's warden is found by `module:attribute`."""

from pathlib import Path

import pytest

from formwarden.cli.apps import load
from formwarden.errors import SettingsError
from formwarden.warden import Warden


@pytest.mark.parametrize("name", ["guarded_site:warden", "guarded_site:Holder.guard"])
def test_a_warden_is_found_by_module_and_attribute(site: Path, name: str) -> None:
    assert site.exists()
    assert isinstance(load(name), Warden)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("guarded_site", "give module:attribute"),
        (":warden", "give module:attribute"),
        ("guarded_site:", "give module:attribute"),
        ("no_such_site:warden", "there is no module no_such_site here"),
        ("no_such.site:warden", "there is no module no_such.site here"),
        ("guarded_site:watchman", "watchman is no Warden"),
        ("guarded_site:SETTINGS", "SETTINGS is no Warden"),
        ("guarded_site:Holder.guard.nothing", "is no Warden"),
    ],
)
def test_what_is_no_warden_is_told(site: Path, name: str, said: str) -> None:
    assert site.exists()
    with pytest.raises(SettingsError, match=said):
        load(name)


def test_a_name_that_python_has_itself_is_told(site: Path) -> None:
    """`site` is Python's own, and imported before anything else."""
    (site / "guarded_site.py").rename(site / "site.py")
    with pytest.raises(SettingsError, match=r"Python has a module site of its own.*rename site\.py"):
        load("site:warden")
