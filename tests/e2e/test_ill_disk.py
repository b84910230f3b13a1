"""A disk that is full or read-only: inquiries go into the journal, no reply leaves, and all goes on by itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from formwarden.stores.ports import State
from tests.e2e.ill_disk import all_inquiries, come_back, visit, visit_while_down
from tests.e2e.real_site import RealSite

ROOT = Path(__file__).parents[2]
ALONE = ("unshare", "--map-root-user", "--mount")
WAIT_S = 60


def may_mount() -> bool:
    """Say whether this machine lets us mount a disk of our own."""
    command = [*ALONE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "remedy"), [("full", "disk is full; make room"), ("readonly", "must have the right to write there")]
)
def test_an_ill_disk_loses_no_inquiry_sends_no_reply_and_heals_without_a_restart(
    tmp_path: Path, trouble: str, remedy: str
) -> None:
    if not may_mount():
        pytest.skip("no right to mount; tests/stores/sqlite/test_processes.py meets a limit of file size instead")
    command = [*ALONE, sys.executable, "-m", "tests.e2e.ill_disk", trouble, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert remedy in done.stdout


@pytest.mark.anyio
async def test_a_durable_file_damaged_under_a_site_stops_replies_names_the_remedy_and_may_be_put_back(
    tmp_path: Path,
) -> None:
    async with RealSite(tmp_path, journal_path=str(tmp_path / "journal")) as site:
        sent = {await visit(site, 0)}
        await site.later(1)
        await site.warden.aclose()
        whole = site.store_path.read_bytes()
        site.store_path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
        await visit_while_down(site, 1, sent)
        overview = await site.overview()
        assert overview.replies_off
        assert "move it away" in (overview.store or "")
        assert "backup in its place" in (overview.store or "")
        assert site.store_path.read_bytes()[4096:] == b"\xff" * (len(whole) - 4096), "left as it is"
        site.store_path.write_bytes(whole)
        await come_back(site, 2, sent)
        states = {each.state for each in (await all_inquiries(site)).values()}
        assert states <= {State.ACCEPTED, State.DONE}
