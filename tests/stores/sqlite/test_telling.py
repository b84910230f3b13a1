"""The staff's mail over several processes, and a store that is older than its digest."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.ports import Staff, State
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.migrating import migrate, migrations
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.soak import runs
from tests.stores.samples import inquiry
from tests.stores.sqlite.fleet import FLEET, together
from tests.stores.sqlite.programs import WAIT_S, new_store
from tests.stores.sqlite.staff_racers import claim_together
from tests.stores.sqlite.test_migrating import PATIENCE

RACERS = 4
PER_HOUR = 6
WAITING = 40
OLDER = 4  # the schema before there was a digest


@pytest.mark.soak
@pytest.mark.anyio
@pytest.mark.parametrize("number", range(runs(1, 20)))
async def test_g24_processes_together_take_so_many_singly_and_all_the_others_once(
    number: int, tmp_path: Path
) -> None:
    path = str(tmp_path / f"{number}.db")
    store = new_store(path)
    for name in range(WAITING):
        await store.inquiries.keep(inquiry(name, staff=Staff.DUE), lease_s=0)
    await store.aclose()
    barrier, told = FLEET.Barrier(RACERS), FLEET.Queue()
    together([FLEET.Process(target=claim_together, args=(path, PER_HOUR, barrier, told)) for _ in range(RACERS)])
    taken = [told.get(timeout=WAIT_S) for _ in range(RACERS)]
    assert sum(len(single) for single, _ in taken) == PER_HOUR
    ids = [each for single, gathered in taken for each in (*single, *gathered)]
    assert sorted(ids) == sorted(f"submission {name}".encode() for name in range(WAITING))


@pytest.mark.anyio
async def test_what_was_held_before_there_was_a_digest_is_no_news(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "store.db"
    with closing(apsw.Connection(str(path))) as older:
        migrate(older, migrations("durable")[:OLDER], PATIENCE)
        for name, state in (("held", "held"), ("asked", "asked")):
            older.execute(
                """INSERT INTO inquiry (id, receipt, form, state, received_at, changed_at, lease_until, score, hits,
                evidence, facts, content_type, clear, staff, staff_note, staff_at, note)
                VALUES (?, 'R', 'contact', ?, 1, 1, 0, 6, '{}', '{}', '{}', '', 0, 'none', '', 0, '')""",
                (name.encode(), state),
            )
    store = SqliteStore(str(path), clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))
    await store.inquiries.move(b"asked", expect={State.ASKED}, to=State.HELD, note="nobody came back")
    assert await store.telling.open_digest(9) == 1
    (row,) = (await store.telling.digest(9)).lowest
    assert (row.id, row.note) == (b"asked", "nobody came back")
    await store.aclose()
