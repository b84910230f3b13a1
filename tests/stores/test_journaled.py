"""What became of a reply is not forgotten while the ledger is down, and until it is known there no mail leaves."""

from pathlib import Path

import pytest

from formwarden import StoreError
from formwarden.faults import Faults
from formwarden.stores.journaled import UNSETTLED, JournaledLedger
from formwarden.stores.ports import Decision, OutcomeKind
from tests.clock import MovableClock
from tests.stores.samples import hold, key, outcome, send, spend
from tests.stores.test_replay import Spool

pytestmark = pytest.mark.anyio
DOWN = StoreError("disk full")


def ledger_of(spool: Spool) -> JournaledLedger:
    return JournaledLedger(spool.store.ledger, spool.journal, spool.faults)


async def test_it_is_the_ledger_while_that_is_well(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    ledger = ledger_of(spool)
    assert (await ledger.reserve(send(1, spend("SITE_RATE", "site", limit=1)))).decision is Decision.SEND
    (row,) = await ledger.due(9, lease_s=60)
    assert row.state == "taken"
    await ledger.settle(outcome(1, OutcomeKind.SENT))
    assert (await ledger.replies([b"submission 1"]))[b"submission 1"].state == "sent"
    await ledger.suppress(key("ann"), cause="manual", until=None)
    assert (await ledger.reputation([key("ann")])).suppressed == {key("ann"): "manual"}
    assert await ledger.lift(key("ann"))
    assert spool.journal.size == 0


async def test_an_outcome_that_it_cannot_take_is_spooled_and_replayed_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    ledger = ledger_of(spool)
    for number in (1, 2):
        await ledger.reserve(send(number))
    await ledger.due(1, lease_s=60)
    spool.store.fails("ledger.settle", DOWN)
    await ledger.settle(outcome(1, OutcomeKind.HARD, subject=key("ann")))
    assert spool.faults.of("ledger") == 1
    spool.store.fails("ledger.settle", None)
    spool.clock.move(3_600)
    assert await ledger.due(9, lease_s=60) == ()  # neither the next one, nor is the first taken for lost
    with pytest.raises(StoreError, match=UNSETTLED):
        await ledger.reserve(send(3, lease_s=60.0))
    assert (await ledger.reserve(send(4, lease_s=60.0, preview=True))).decision is Decision.SEND
    assert (await ledger.reserve(hold(5, lease_s=60.0))).decision is Decision.HOLD
    assert (await ledger.reserve(send(6))).decision is Decision.SEND  # its row: it leaves later, asked again
    await spool.replay.step()
    assert (await ledger.replies([b"submission 1"]))[b"submission 1"].state == "refused"
    assert key("ann") in (await ledger.reputation([key("ann")])).suppressed
    assert len(await ledger.due(9, lease_s=60)) == 2


async def test_where_neither_can_take_it_that_is_said(tmp_path: Path, clock: MovableClock) -> None:
    spool = Spool(tmp_path, limit=1)
    spool.store.fails("ledger", DOWN)
    ledger = JournaledLedger(spool.store.ledger, spool.journal, Faults(clock))
    with pytest.raises(StoreError):
        await ledger.settle(outcome(1, OutcomeKind.SENT))
    assert spool.faults.of("journal") == 1
