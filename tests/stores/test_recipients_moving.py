"""Whose a reply is goes with it to another store, and goes for good when the person is erased (G20)."""

from collections.abc import Collection
from pathlib import Path

import pytest

from formwarden.stores.archive import Erasure
from formwarden.stores.ports import Decision, Key
from formwarden.stores.statistics import About
from tests.clock import MovableClock
from tests.stores.samples import key, send
from tests.stores.test_moving import KINDS, Make, Site, exported, taken

pytestmark = pytest.mark.anyio
ANN, BOB = key("address ann"), key("address bob")


@pytest.fixture
def make(tmp_path: Path, clock: MovableClock) -> Make:
    return lambda kind, name: Site(kind, tmp_path / f"{name}.db", clock)


async def refused(site: Site, number: int, whose: Key) -> None:
    request = send(number, decision=Decision.SUPPRESS, code="BOT", subjects=(whose,))
    await site.store.ledger.reserve(request)


async def about(site: Site, *keys: Key) -> About:
    return await site.store.statistics.about(keys, limit=9)


def erased(site: Site, replies: Collection[bytes]) -> None:
    with site.archive() as archive:
        archive.erase(Erasure(inquiries=[], replies=replies, subjects=[ANN]))


def of_ann(site: Site) -> Collection[bytes]:
    with site.archive() as archive:
        return archive.replies_of([ANN], ()).keys()


@pytest.mark.parametrize("there", KINDS)
@pytest.mark.parametrize("here", KINDS)
async def test_a_refused_reply_is_found_by_its_person_where_it_arrives(make: Make, here: str, there: str) -> None:
    one, other = make(here, "one"), make(there, "other")
    await refused(one, 1, ANN)
    await refused(one, 2, BOB)
    taken(other, exported(one))
    (row,) = (await about(other, ANN)).replies
    assert (row.reply_id, row.code) == (b"reply 1", "BOT")
    await one.store.aclose()
    await other.store.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_g20_erased_a_person_leads_to_no_reply_and_the_suppression_stays(make: Make, kind: str) -> None:
    site = make(kind, "site")
    await refused(site, 1, ANN)
    await refused(site, 2, BOB)
    await site.store.ledger.suppress(ANN, cause="hard", until=None)
    assert list(of_ann(site)) == [b"reply 1"]
    erased(site, of_ann(site))
    found = await about(site, ANN)
    assert (found.replies, [each.cause for each in found.listed]) == ((), ["hard"])
    assert len((await about(site, BOB)).replies) == 1
    assert b"reply 1".hex() not in exported(site)
    assert ANN.hex() not in exported(site).partition('"kind":"suppression"')[0]
    await site.store.aclose()
