"""`formwarden work --once` finds the site's warden and does one pass (G19)."""

import sys
import threading
from pathlib import Path

import pytest

from formwarden.cli import main
from formwarden.cli.work import load
from formwarden.errors import SettingsError
from formwarden.warden import Warden

SITE = """
from formwarden import GuardedForm, Settings, Warden

SETTINGS = Settings.only(secret_keys="s3cr3t" * 6, store_url="sqlite:///site.db", dns="off")
warden = Warden(GuardedForm("contact", path="/contact"), settings=SETTINGS)


class Holder:
    guard = warden
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a site's module, as cron finds it."""
    (tmp_path / "guarded_site.py").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "guarded_site", raising=False)
    return tmp_path


def test_g19_one_pass_is_done_and_counted_and_the_store_is_closed(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = threading.active_count()
    assert main(["work", "--once", "--app", "guarded_site:warden"]) == 0
    assert capsys.readouterr().out == "work: 0 done\n"
    assert (site / "site.db").exists()
    assert threading.active_count() == threads


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
