"""Whether a file lies on a network file system, where SQLite's write-ahead log must not be used.

SQLite's documentation (wal.html): "WAL does not work over a network filesystem", for its processes share memory.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

Mounts = Callable[[], str]
"""Returns the mount table as Linux writes it; empty where there is none."""

NETWORK: Final = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.ceph",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb2",
        "smb3",
        "smbfs",
    }
)
ESCAPED: Final = re.compile(r"\\([0-7]{3})")  # proc(5): space, tab, newline and backslash are written in octal


def system_mounts() -> str:
    """Read the mount table of this process."""
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def network_type(path: str, mounts: str) -> str | None:
    """Return the type of the network file system this path lies on; None: it is local, or nobody knows."""
    directory = os.path.realpath(Path(path).parent)
    kind, longest = "", -1
    for line in mounts.splitlines():
        _, _, rest = line.partition(" ")
        written, _, rest = rest.partition(" ")
        point = ESCAPED.sub(lambda found: chr(int(found[1], 8)), written)
        if len(point) >= longest and _below(directory, point):  # the last of equals lies on top
            kind, longest = rest.partition(" ")[0], len(point)
    return kind if kind in NETWORK else None


def _below(directory: str, point: str) -> bool:
    return directory == point or directory.startswith(point.rstrip("/") + "/")
