"""A folder with a site's module, as cron finds it."""

import sys
from pathlib import Path

import pytest

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
