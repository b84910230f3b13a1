"""Network file systems are told from the mount table."""

from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.mounts import network_type, system_mounts
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.stores.files import names

TABLE = """\
/dev/vda / ext4 rw,relatime 0 0
server:/export /srv nfs4 rw,vers=4.2 0 0
/dev/vdb /srv/local xfs rw 0 0
//nas/share /srv/local/my\\040share cifs rw 0 0
host:/home /home fuse.sshfs rw 0 0
/dev/vdc /home btrfs rw 0 0
torn
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/site.db", None),
        ("/srv/site.db", "nfs4"),
        ("/srv/deep/er/site.db", "nfs4"),
        ("/srvx/site.db", None),
        ("/srv/local/site.db", None),
        ("/srv/local/my share/site.db", "cifs"),
        ("/home/site.db", None),
    ],
)
def test_the_deepest_and_latest_mount_decides(path: str, kind: str | None) -> None:
    assert network_type(path, TABLE) == kind
    assert network_type(path, "") is None


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    table = f"a / ext4 rw 0 0\nb {tmp_path}/real nfs rw 0 0\n"
    assert network_type(str(tmp_path / "link" / "site.db"), table) == "nfs"


def test_the_system_has_a_mount_table() -> None:
    assert " / " in system_mounts()


@pytest.mark.anyio
async def test_g19_a_store_on_a_network_file_system_counts_as_down_with_the_remedy(
    tmp_path: Path, clock: MovableClock, faults: Faults
) -> None:
    mounted = [f"server:/x {tmp_path} nfs4 rw 0 0\n"]
    store = SqliteStore(
        str(tmp_path / "store.db"),
        clock=clock,
        entropy=system_entropy,
        settings=Stores(),
        faults=faults,
        mounts=lambda: mounted[0],
    )
    with pytest.raises(StoreError, match=r"network file system \(nfs4\).*FORMWARDEN_STORE_URL to a local disk"):
        await store.ledger.reputation(())
    assert names(tmp_path) == set()
    mounted[0] = ""
    clock.move(1)
    assert await store.health() is None
    await store.aclose()
