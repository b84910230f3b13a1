"""The resolver that the settings name, in a process where the extra is not installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A finder that knows no aiodns: what a process without the extra sees.
WITHOUT = """
import sys
class Without:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {"aiodns", "pycares"}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Without())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "aiodns" else find(name, *rest)
"""
WARDEN = """
import formwarden
try:
    formwarden.Warden(formwarden.GuardedForm("contact", path="/contact", address="email"))
except formwarden.FormwardenError as error:
    sys.exit(str(error))
"""
COMMAND = "from formwarden.cli import main; sys.exit(main(['check-address', 'taro@gmail.com']))"


@pytest.mark.parametrize("program", [WARDEN, COMMAND], ids=["the warden", "the command"])
def test_without_aiodns_the_setting_is_an_error_at_construction_that_names_both_ways_out(
    program: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "FORMWARDEN_DNS_RESOLVER": "aiodns",
        "FORMWARDEN_DNS_SERVERS": "127.0.0.1:9",
        "FORMWARDEN_SECRET_KEYS": "a-secret-key-of-the-tests-0123456789abcdef",
        "FORMWARDEN_STORE_URL": "memory://",
    }
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT + program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode in {1, 2}
    assert "aiodns is not installed; pip install 'formwarden[aiodns]'" in ended.stderr
    assert "FORMWARDEN_DNS_RESOLVER=dnspython" in ended.stderr
    assert "Traceback" not in ended.stderr
