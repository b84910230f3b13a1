"""A process that dies at any point of a reply leaves a spent slot, and never a second mail (G15)."""

import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from tests.proof import Proof
from tests.servers.smtp import SmtpPeer
from tests.soak import runs

pytestmark = [pytest.mark.slow, pytest.mark.soak]

ROOT = Path(__file__).parent.parent.parent
LATER_S = 300.0  # the lease of what was taken is over


def run(folder: Path, peer: SmtpPeer, when: str, ahead_s: float) -> int:
    command = [sys.executable, "-m", "tests.e2e.dying_worker", str(folder), peer.url, when, str(ahead_s)]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode


def standing(folder: Path) -> tuple[str, int]:
    """Return the state of the one reply, and how many slots it holds."""
    with apsw.Connection(str(folder / "store.db"), flags=apsw.SQLITE_OPEN_READONLY) as connection:
        state: str = connection.execute("SELECT state FROM reply").get
        slots: int = connection.execute("SELECT count(*) FROM spend").get
    return state, slots


@pytest.mark.parametrize("_", range(runs(1, 5)))
@pytest.mark.parametrize(
    ("when", "mails", "state"),
    [("before-taking", 1, "sent"), ("before-send", 0, "lost"), ("before-commit", 1, "lost")],
)
def test_g15_killed_at_any_point_a_reply_leaves_at_most_once_and_its_slot_is_spent(
    tmp_path: Path, proof: Proof, when: str, mails: int, state: str, _: int
) -> None:
    with SmtpPeer() as peer:
        assert run(tmp_path, peer, when, 0.0) == -signal.SIGKILL
        reserved = standing(tmp_path)[1]
        assert run(tmp_path, peer, "after", LATER_S) == 0
        assert run(tmp_path, peer, "after", 2 * LATER_S) == 0
        assert (len(peer.mails), standing(tmp_path)) == (mails, (state, reserved))
        proof(f"killed {when}", mails=len(peer.mails), state=state, slots_spent=reserved)
    assert reserved > 0
