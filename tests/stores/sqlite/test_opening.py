"""Opening: rights, damage, replacement, and coming back."""

import fcntl
import os
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.ports import Decision, State
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import KEYS_KNOWN_S, SqliteStore
from tests.clock import MovableClock
from tests.stores.files import allow, holding, modes, names, remove_log
from tests.stores.samples import inquiry, key, observation, send, spend, tally
from tests.stores.sqlite.conftest import Awaited

pytestmark = pytest.mark.anyio


async def test_every_file_is_its_owners_alone(store: SqliteStore, tmp_path: Path) -> None:
    await store.inquiries.keep(inquiry(1), lease_s=0)
    await store.counters.observe(observation())
    assert {"store.db", "store.db-wal", "store.db.lock", "store-volatile.db"} <= names(tmp_path)
    assert modes(tmp_path) == {0o600}


@pytest.mark.parametrize(
    "garbage", [b"no database at all, but long enough to be read as a header" * 200, b"\0" * 9000]
)
async def test_a_durable_file_that_is_no_database_is_left_alone_and_named_with_the_remedy(
    store: SqliteStore, tmp_path: Path, clock: MovableClock, faults: Faults, garbage: bytes
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(garbage)
    with pytest.raises(StoreError, match=r"store\.db is no database of ours or is damaged: move it away"):
        await store.ledger.reserve(send(1))
    assert await store.health() is not None
    assert path.read_bytes() == garbage
    assert (await store.counters.observe(observation())).uses == 0, "judging goes on"
    assert faults.of("store") == 1, "while it is ill it is not asked again, nor counted"
    path.unlink()
    clock.move(1)
    assert (await store.ledger.reserve(send(1))).decision is Decision.SEND
    assert await store.health() is None


async def test_a_damaged_page_is_an_error_and_recovery_needs_no_restart(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    path = tmp_path / "store.db"
    for number in range(200):
        await store.inquiries.keep(inquiry(number, body=b"x" * 2000), lease_s=0)
    await store.aclose()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StoreError, match="move it away"):
        await store.inquiries.find(())
    with pytest.raises(StoreError, match="move it away"):
        await store.inquiries.find(())
    path.unlink()
    remove_log(path)
    path.write_bytes(whole)
    clock.move(1)
    assert len((await store.inquiries.find(())).rows) == 50


async def test_an_ill_store_is_tried_again_after_a_second_and_not_before(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    path = tmp_path / "store.db"
    path.mkdir()  # works for root too, whom no right stops
    with pytest.raises(StoreError, match="must have the right to write"):
        await store.inquiries.get(b"1")
    path.rmdir()
    with pytest.raises(StoreError, match="must have the right to write"):
        await store.inquiries.get(b"1")
    clock.move(1)
    assert await store.inquiries.get(b"1") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; a directory in its place is tested above")
async def test_a_read_only_directory_is_an_error_with_the_remedy(store: SqliteStore, tmp_path: Path) -> None:
    allow(tmp_path, 0o500)
    try:
        with pytest.raises(StoreError, match="must have the right to write"):
            await store.inquiries.get(b"1")
    finally:
        allow(tmp_path, 0o700)


async def test_a_file_of_a_newer_formwarden_is_refused(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    await store.inquiries.get(b"1")
    await store.aclose()
    connection = apsw.Connection(str(tmp_path / "store.db"))
    ours: int = connection.execute("PRAGMA user_version").get
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer formwarden"):
        await store.inquiries.get(b"1")
    connection = apsw.Connection(str(tmp_path / "store.db"))
    connection.execute(f"PRAGMA user_version = {ours}")
    connection.close()
    clock.move(1)
    assert await store.inquiries.get(b"1") is None


async def test_a_backup_put_in_its_place_is_used_at_once(store: SqliteStore, tmp_path: Path) -> None:
    await store.inquiries.keep(inquiry(1), lease_s=0)
    await store.aclose()
    backup = tmp_path / "backup.db"
    backup.write_bytes((tmp_path / "store.db").read_bytes())
    await store.inquiries.keep(inquiry(2), lease_s=0)
    backup.replace(tmp_path / "store.db")
    remove_log(tmp_path / "store.db")
    assert [found.receipt for found in (await store.inquiries.find(())).rows] == ["R-1"]
    await store.inquiries.keep(inquiry(3), lease_s=0)
    await store.aclose()
    assert len((await store.inquiries.find(())).rows) == 2


async def test_g19_a_new_store_where_one_stood_is_a_warning(
    store: SqliteStore, tmp_path: Path, faults: Faults
) -> None:
    await store.inquiries.keep(inquiry(1), lease_s=0)
    assert faults.of("store made anew") == 0
    (tmp_path / "store.db").unlink()
    assert await store.inquiries.get(b"submission 1") is None
    assert faults.of("store made anew") == 1


async def test_g16_deleting_or_damaging_the_volatile_file_exceeds_no_budget(
    store: SqliteStore, tmp_path: Path, faults: Faults
) -> None:
    site, client = spend("SITE_RATE", "site", limit=2), observation(None, tallies=(tally("client"),))
    volatile = tmp_path / "store-volatile.db"
    granted = 0
    for number in range(6):
        await store.counters.observe(client)
        granted += (await store.ledger.reserve(send(number, site))).decision is Decision.SEND
        if number % 2:
            volatile.unlink()
        else:
            await store.aclose()
            volatile.write_bytes(b"garbage" * 1000)
        assert (await store.counters.observe(client)).counts == {key("client"): 0}
    assert granted == 2
    assert faults.of("store rebuilt") == 3


async def test_a_volatile_file_damaged_while_it_is_open_is_rebuilt(
    store: SqliteStore, tmp_path: Path, faults: Faults
) -> None:
    for number in range(300):
        await store.counters.observe(observation(b"%d" % number, prints=(b"%d" % number,)))
    await store.aclose()
    volatile = tmp_path / "store-volatile.db"
    whole = volatile.read_bytes()
    volatile.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    for number in range(3):
        assert (await store.counters.observe(observation(b"%d" % number))).uses == 0
    assert (await store.counters.observe(observation(b"0"))).same_body
    assert faults.of("store rebuilt") == 1
    assert (tmp_path / "store-volatile.db.damaged").exists()
    assert await store.health() is None


async def test_two_stores_of_one_process_share_a_rebuilt_file(
    store: SqliteStore, tmp_path: Path, clock: MovableClock, faults: Faults
) -> None:
    path = str(tmp_path / "store.db")
    other = SqliteStore(path, clock=clock, entropy=system_entropy, settings=Stores(), faults=faults)
    await store.counters.observe(observation(b"n"))
    assert (await other.counters.observe(observation(b"n"))).same_body
    (tmp_path / "store-volatile.db").unlink()
    assert not (await store.counters.observe(observation(b"n"))).same_body
    assert (await other.counters.observe(observation(b"n"))).same_body
    await other.aclose()


async def test_a_lock_that_nobody_lets_go_is_an_error_that_names_it(tmp_path: Path, clock: MovableClock) -> None:
    lock = os.open(tmp_path / "store.db.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    settings = Stores(store_deadline_s=0.2)
    store = SqliteStore(
        str(tmp_path / "store.db"), clock=clock, entropy=system_entropy, settings=settings, faults=Faults(clock)
    )
    with pytest.raises(StoreError, match=r"look for one that hangs|another process holds it"):
        await store.inquiries.get(b"1")
    os.close(lock)
    clock.move(1)
    assert await store.inquiries.get(b"1") is None
    await store.aclose()


async def test_nothing_is_made_while_another_process_opens(tmp_path: Path, clock: MovableClock) -> None:
    lock = os.open(tmp_path / "store.db.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    seen: list[set[str]] = []

    def let_go() -> None:
        seen.append(names(tmp_path))
        os.close(lock)

    awaited = Awaited(let_go)
    store = SqliteStore(
        str(tmp_path / "store.db"), clock=clock, entropy=awaited, settings=Stores(), faults=Faults(clock)
    )
    assert await store.inquiries.get(b"1") is None
    assert seen == [{"store.db.lock"}]
    await store.aclose()


async def test_erased_texts_are_overwritten_on_disk(store: SqliteStore, tmp_path: Path, clock: MovableClock) -> None:
    secret = b"a sentence that must not be found again"
    await store.inquiries.keep(inquiry(1, body=secret * 20), lease_s=0)
    clock.move(40 * 86_400)
    await store.inquiries.move(b"submission 1", expect={State.ACCEPTED}, to=State.REFUSED, note="")
    clock.move(3_600)
    assert await store.purge(10) == 1
    await store.aclose()
    assert holding(tmp_path, secret) == set()


async def test_g20_recipient_keys_are_remembered_for_a_second_of_one_opening(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    keys = await store.recipient_keys()
    assert await store.recipient_keys() == keys
    _hand_out_another_key(tmp_path / "store.db")
    assert await store.recipient_keys() == keys
    clock.move(KEYS_KNOWN_S)
    assert await store.recipient_keys() == (b"another", *keys)


async def test_g20_another_file_in_its_place_brings_its_own_recipient_keys(
    store: SqliteStore, tmp_path: Path
) -> None:
    keys = await store.recipient_keys()
    await store.aclose()
    backup = tmp_path / "backup.db"
    backup.write_bytes((tmp_path / "store.db").read_bytes())
    _hand_out_another_key(backup)
    assert [await store.recipient_keys() for _ in range(3)] == [keys] * 3
    backup.replace(tmp_path / "store.db")
    remove_log(tmp_path / "store.db")
    await store.ledger.reputation(())
    assert await store.recipient_keys() == (b"another", *keys)


def _hand_out_another_key(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("INSERT INTO recipient_key (key, made_at) VALUES (?, 0)", (b"another",))
    connection.close()
