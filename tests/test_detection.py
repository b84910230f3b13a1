"""The page that `make detection` writes is produced, however little it measures."""

import pytest

from detection.__main__ import main
from detection.peer_scripts import with_script


@pytest.mark.slow
def test_the_table_is_produced_at_a_tiny_size(capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--only", "formwarden", "--no-browser", "--output", "-", "--visits", "2"]
    assert main([*own, "--persona", "blind-poster", "--persona", "slow-writer"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ") for line in lines if line.startswith("|")}
    assert rows["blind-poster"][1:3] == ["2", "0"]
    assert rows["slow-writer"][1:6] == ["2", "2", "0", "0", "0"]


def test_what_a_peers_script_writes_is_written_for_visitors_with_scripts() -> None:
    assert with_script(b"fg_nonce=ab&fg_js=&fg_ia=&name=A") == b"fg_nonce=ab&fg_js=c3&fg_ia=1&name=A"
    assert with_script(b"name=A&b=%2B") == b"name=A&b=%2B"
