"""A whole site on a disk of its own that falls ill; a program, for the disk is mounted where nobody else sees it.

Run by `unshare --map-root-user --mount`, which needs no rights where the system lets users have namespaces.
"""

import asyncio
import errno
import subprocess
import sys
from pathlib import Path
from typing import Final

from formwarden.stores.ports import Inquiry
from tests.e2e.real_site import RealSite
from tests.sites import MESSAGE, STAFF, Visitor

DISK_BYTES: Final = 3_000_000
MOST: Final = 200  # visitors until the disk must be full


def mount(folder: Path) -> Path:
    """Mount a small disk below this folder."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)], check=True)
    return disk


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends by it
    return filler


def remount(disk: Path, how: str) -> None:
    """Let the disk be read-only (`ro`) or writable (`rw`)."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def address(number: int) -> str:
    """Each visitor has one of his own."""
    return f"person.{number}@shop-{number}.played"


async def visit(site: RealSite, number: int) -> bytes:
    """Send one inquiry, which the endpoint must get, and let the site do what is due; return its id."""
    visitor: Visitor = site.visitor(f"198.51.{number}.7")
    message = f"{number} {MESSAGE[number % 20 :]} " + "".join(f"{number * 7919 + word:x} " for word in range(400))
    answer = await visitor.send(await visitor.open(), {"email": address(number), "message": message})
    assert answer.status_code == 303, answer.text
    verdict = site.verdicts[-1]
    assert verdict.fields["message"] == message
    return verdict.id


async def all_inquiries(site: RealSite) -> dict[bytes, Inquiry]:
    """What is kept in store and journal."""
    found: dict[bytes, Inquiry] = {}
    after = None
    while True:
        overview = await site.warden.overview(after=after)
        found |= {each.id: each for each in overview.journal}
        found |= {row.inquiry.id: row.inquiry for row in overview.rows}
        after = overview.after
        if after is None:
            return found


async def full(folder: Path) -> None:
    """While no byte can be written inquiries go into the journal and no reply leaves; then it goes on by itself."""
    disk = mount(folder)
    async with RealSite(disk, journal_path=str(folder / "journal")) as site:
        sent = {await visit(site, 0)}
        await site.later(1)
        assert site.mailed(address(0)) == 1
        filler = fill(disk)
        number = 0
        while not sent & {each.id for each in (await site.overview()).journal}:
            number += 1
            assert number < MOST
            sent.add(await visit(site, number))
        await visit_while_down(site, number + 1, sent)
        print((await site.overview()).store)  # noqa: T201 - the test reads it
        filler.unlink()
        await come_back(site, number + 2, sent)


async def readonly(folder: Path) -> None:
    """The same on a disk that the system has made read-only, as it does with an ill one."""
    disk = mount(folder)
    async with RealSite(disk, journal_path=str(folder / "journal")) as site:
        sent = {await visit(site, 0)}
        await site.later(1)
        await site.warden.aclose()
        remount(disk, "ro")
        await visit_while_down(site, 1, sent)
        print((await site.overview()).store)  # noqa: T201 - the test reads it
        remount(disk, "rw")
        await come_back(site, 2, sent)


async def visit_while_down(site: RealSite, number: int, sent: set[bytes]) -> None:
    """The staff have their mail, the journal the inquiry, the visitor no reply."""
    staff = site.mailed(STAFF)
    inquiry = await visit(site, number)
    sent.add(inquiry)
    assert inquiry in {each.id for each in (await site.overview()).journal}
    assert site.mailed(address(number)) == 0
    assert site.mailed(STAFF) >= staff
    assert (await site.overview()).store is not None


async def come_back(site: RealSite, number: int, sent: set[bytes]) -> None:
    """Without a restart: a reply leaves again, and nothing was lost."""
    site.clock.move(2)
    sent.add(await visit(site, number))
    for _ in range(10):
        await site.later(20)
    assert (await site.overview()).store is None
    assert site.mailed(address(number)) == 1
    assert set(await all_inquiries(site)) == sent
    assert all(site.mailed(address(each)) <= 1 for each in range(number + 1))


if __name__ == "__main__":
    asyncio.run({"full": full, "readonly": readonly}[sys.argv[1]](Path(sys.argv[2])))
