"""A question about one person makes nothing, and an older file is named instead of read wrongly."""

from pathlib import Path

import apsw
import pytest

from formwarden.errors import StoreError
from formwarden.stores.ports import Decision
from tests.clock import MovableClock
from tests.soak import runs
from tests.stores.files import names
from tests.stores.samples import DAY, key, send, spend
from tests.stores.sqlite.test_statistics import at, closed

pytestmark = pytest.mark.anyio
ANN = key("address ann")


async def test_where_there_is_no_store_none_is_made_for_a_question(tmp_path: Path, clock: MovableClock) -> None:
    with pytest.raises(StoreError, match=r"there is no store at .*store\.db"):
        await at(tmp_path, clock).statistics.about([ANN], limit=9)
    assert names(tmp_path) == set()


async def test_a_store_of_before_rows_bore_their_person_is_named(tmp_path: Path, clock: MovableClock) -> None:
    connection = apsw.Connection(str(await closed(tmp_path, clock)))
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(StoreError, match="schema 3, of an older formwarden: start the site with this one first"):
        await at(tmp_path, clock).statistics.about([ANN], limit=9)


async def test_a_reply_of_before_rows_bore_their_person_is_found_by_its_slots(
    tmp_path: Path, clock: MovableClock
) -> None:
    store = at(tmp_path, clock)
    await store.ledger.reserve(send(1, spend("DUP_24H", "address ann", limit=1, window_s=DAY)))
    (row,) = (await store.statistics.about([ANN], limit=9)).replies
    assert row.code == "OK"
    await store.aclose()


@pytest.mark.soak
async def test_a_question_is_answered_in_a_flood_of_other_peoples_replies(
    tmp_path: Path, clock: MovableClock
) -> None:
    store = at(tmp_path, clock)
    await store.ledger.reserve(send("ann", decision=Decision.SUPPRESS, code="BOT", subjects=(ANN,)))
    for number in range(runs(20, 20_000)):
        request = send(number, decision=Decision.SUPPRESS, code="BOT", subjects=(key(f"address {number}"),))
        await store.ledger.reserve(request)
    (row,) = (await store.statistics.about([ANN], limit=9)).replies
    assert row.reply_id == b"reply ann"
    await store.aclose()
