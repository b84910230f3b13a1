"""What leaves one kind of store arrives in any other, whole."""

import io
import json
import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.archive import Archive, Erasure, KeptMark, Record
from formwarden.stores.breaking import Breaking
from formwarden.stores.memory import MemoryStore
from formwarden.stores.moving import BATCH, NotWhole, read_in, write_out
from formwarden.stores.ports import Growth, Ours, OutcomeKind, Queue, Shut, Staff, State, Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.archive import SqliteArchive
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.stores.samples import DAY, account, hold, inquiry, key, outcome, send, spend

pytestmark = pytest.mark.anyio
KINDS = ("sqlite", "memory")


class Site:
    """A store of either kind, and the archive that commands see of it."""

    def __init__(self, kind: str, path: Path, clock: MovableClock) -> None:
        self._path = str(path)
        self._faults = Faults(clock)
        memory = MemoryStore(clock=clock, entropy=system_entropy, settings=Stores())
        self._memory = memory if kind == "memory" else None
        self.store: Store = memory
        if kind == "sqlite":
            settings = Stores()
            self.store = SqliteStore(
                self._path, clock=clock, entropy=system_entropy, settings=settings, faults=self._faults
            )

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """What a command sees."""
        if self._memory is not None:
            yield self._memory.archive()
            return
        with closing(SqliteArchive(self._path, entropy=system_entropy, faults=self._faults)) as archive:
            yield archive


Make = Callable[[str, str], Site]


@pytest.fixture
def make(tmp_path: Path, clock: MovableClock) -> Make:
    return lambda kind, name: Site(kind, tmp_path / f"{name}.db", clock)


async def fill(store: Store) -> None:
    """Put something of everything into a store."""
    await store.recipient_keys()
    await store.inquiries.keep(inquiry(1), lease_s=60)
    await store.inquiries.keep(inquiry(2, body=None, recipient=None, lineage=None), lease_s=0)
    await store.inquiries.keep(inquiry(3, score=9.5, state=State.REJECTED, staff=Staff.DUE), lease_s=0)
    await store.inquiries.staff(b"submission 3", to=Staff.DUE, note="later", due_at=2e9)
    await store.inquiries.move(
        b"submission 2", expect={State.ACCEPTED}, to=State.DONE, note="", answer=(303, "/thanks")
    )
    site = spend("SITE_RATE", "site", limit=5, window_s=DAY)
    await store.ledger.reserve(send(1, site, spend("DUP_24H", "ann", limit=2, window_s=DAY)))
    await store.ledger.reserve(send(2, site, lease_s=60.0))
    await store.ledger.reserve(hold(3, hold_until=2e9, check_at=1.9e9))
    await store.ledger.settle(outcome(1, OutcomeKind.HARD, subject=key("ann")))
    await store.ledger.suppress(key("bob"), cause="manual", until=2e9)
    await store.ledger.reserve(send("distrusted", account=account("distrusted")))
    at_once = Breaking(open_s=(0.0, 0.0))  # half-open at once
    refusal = outcome("distrusted", OutcomeKind.OURS, ours=Ours.REPUTATION, breaking=at_once)
    await store.ledger.settle(refusal)
    await store.ledger.reserve(send("probe", account=account("probe"), probe=True))
    wait = Queue(limit=3, until=2e9, check_s=60.0, score=0.5)
    full = spend("SITE_RATE", "full", limit=0, shared=True)
    await store.ledger.reserve(send("waits", full, account=account("waits"), queue=wait, probe=True))
    await store.measures.remember(key("friend"))
    await store.measures.grow(Growth(cap=70, day=3, drip_at=1.0), after=None, alarm="a drip")
    (alarm, *_) = await store.measures.alarms(1, lease_s=60)
    await store.measures.told([alarm.id])


def all_of(site: Site) -> tuple[object, list[Record]]:
    """Everything an archive shows, in an order of its own."""
    with site.archive() as archive, archive.snapshot() as snapshot:
        return [each.key for each in snapshot.keys], sorted(snapshot.records(), key=repr)


def exported(site: Site) -> str:
    """A whole export."""
    out = io.StringIO()
    with site.archive() as archive:
        write_out(archive, out, now=1.0, tell=lambda *_: None)
    return out.getvalue()


def taken(site: Site, text: str, *, merge: bool = False) -> int:
    """Import; return how many were new."""
    with site.archive() as archive:
        return read_in(archive, io.StringIO(text), merge=merge, tell=lambda *_: None).new


@pytest.mark.parametrize("there", KINDS)
@pytest.mark.parametrize("here", KINDS)
async def test_everything_arrives_and_twice_changes_nothing(make: Make, here: str, there: str) -> None:
    one, other = make(here, "one"), make(there, "other")
    await fill(one.store)
    await other.store.recipient_keys()  # one of its own, with which nothing was hashed yet
    text = exported(one)
    counts = {"inquiry": 3, "reply": 6, "spend": 3, "account": 2, "outcome": 2, "suppression": 2, "mark": 2}
    counts |= {"breaker": 1, "newcomer": 3, "known": 1, "growth": 1, "alarm": 2, "day": 1}
    assert json.loads(text.splitlines()[0])["counts"] == counts
    assert taken(other, text) == 24
    assert all_of(other) == all_of(one)
    assert taken(other, text, merge=True) == 0
    assert all_of(other) == all_of(one)
    assert await other.store.recipient_keys() == await one.store.recipient_keys()
    await one.store.aclose()
    await other.store.aclose()


@pytest.mark.parametrize("there", KINDS)
async def test_budgets_suppressions_and_leases_hold_where_they_arrive(
    make: Make, there: str, clock: MovableClock
) -> None:
    one, other = make("sqlite", "one"), make(there, "other")
    await fill(one.store)
    taken(other, exported(one))
    ledger = other.store.ledger
    spent = await ledger.reserve(send(9, spend("SITE_RATE", "site", limit=2, window_s=DAY)))
    assert spent.code == "SITE_RATE"
    assert set((await ledger.reputation([key("ann"), key("bob")])).suppressed.values()) == {"hard", "manual"}
    assert (await ledger.reputation([])).feedback_seen
    reputation = await ledger.reputation([key("group google"), key("friend")])
    assert (reputation.breakers, reputation.known) == ({key("group google"): Shut.PROBING}, True)
    assert [each.probes for each in await other.store.measures.breakers()] == [1]
    clock.move(61)
    assert [row.reply_id for row in await ledger.due(10, lease_s=60)] == [b"reply probe", b"reply waits"]
    row = (await ledger.replies([b"submission 2"]))[b"submission 2"]
    assert row.state == "lost", "it was being sent when it was exported: nobody knows whether it left"
    assert await other.store.inquiries.claim_staff(9, lease_s=1) == ()
    claimed = await other.store.inquiries.claim(State.ACCEPTED, 9, older_than=clock.now(), lease_s=1)
    assert [each.receipt for each in claimed] == ["R-1"], "leases stay behind"
    await one.store.aclose()
    await other.store.aclose()


@pytest.mark.parametrize("there", KINDS)
async def test_an_empty_store_keeps_its_own_key_where_none_comes(make: Make, there: str) -> None:
    one, other = make("sqlite", "one"), make(there, "other")
    await one.store.inquiries.keep(inquiry(1), lease_s=0)  # nobody has asked for a key there
    own = await other.store.recipient_keys()
    assert taken(other, exported(one)) == 1
    assert await other.store.recipient_keys() == own
    await one.store.aclose()
    await other.store.aclose()


@pytest.mark.parametrize("there", KINDS)
async def test_a_merge_leaves_what_stands(make: Make, there: str) -> None:
    one, other = make("sqlite", "one"), make(there, "other")
    await fill(one.store)
    text = exported(one)
    taken(other, text)
    await other.store.inquiries.move(b"submission 1", expect={State.ACCEPTED}, to=State.DONE, note="since")
    await one.store.inquiries.keep(inquiry("more"), lease_s=0)
    assert taken(other, exported(one), merge=True) == 1
    stands = await other.store.inquiries.get(b"submission 1")
    assert stands is not None
    assert (stands.state, stands.note) == (State.DONE, "since")
    await one.store.aclose()
    await other.store.aclose()


@pytest.mark.parametrize("there", KINDS)
async def test_g20_other_recipient_keys_are_refused_where_something_stands(make: Make, there: str) -> None:
    one, other = make("sqlite", "one"), make(there, "other")
    for site in (one, other):
        await site.store.recipient_keys()
        await fill(site.store)
    with pytest.raises(StoreError, match="import it into an empty store"):
        taken(other, exported(one), merge=True)
    with pytest.raises(StoreError, match="is not empty"):
        taken(other, exported(one))
    await one.store.aclose()
    await other.store.aclose()


async def test_a_bad_line_takes_its_batch_with_it_and_no_other(make: Make) -> None:
    one, other = make("memory", "one"), make("sqlite", "other")
    for number in range(BATCH + 5):
        await one.store.inquiries.keep(inquiry(number, body=None), lease_s=0)
    lines = exported(one).splitlines()
    lines[BATCH + 3] = lines[BATCH + 3].replace('"R-', '"R', 1).replace('"receipt":"', '"receipt":')
    with pytest.raises(NotWhole, match=f"^line {BATCH + 4}: it is no JSON, or torn. {BATCH} new before it are in"):
        taken(other, "\n".join(lines))
    assert len(all_of(other)[1]) == BATCH
    assert taken(other, exported(one), merge=True) == 5
    await other.store.aclose()


async def test_a_batch_that_the_store_refuses_changes_nothing(make: Make) -> None:
    one, other = make("memory", "one"), make("sqlite", "other")
    await fill(one.store)
    await other.store.recipient_keys()
    wrong = KeptMark(name="feedback_seen", at=math.nan)  # the file has no such number
    with other.archive() as archive, pytest.raises(StoreError, match="refused an operation"):
        archive.add([*all_of(one)[1][:-1], wrong])
    assert all_of(other)[1] == []
    await other.store.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_erased_leaves_its_slots_and_no_way_to_a_person(make: Make, kind: str) -> None:
    site = make(kind, "one")
    await fill(site.store)
    with site.archive() as archive:
        replies = archive.replies_of([key("ann")], [b"submission 3"])
        assert set(replies) == {b"reply 1", b"reply 3"}
        erasure = Erasure(
            inquiries=[b"submission 1", b"submission 3", b"no such"],
            replies=[*replies, b"no such"],
            subjects=[key("ann")],
        )
        assert dict(archive.erase(erasure)) == {"bodies": 2, "recipients": 1, "replies": 2, "outcomes": 1}
        with archive.snapshot() as snapshot:
            assert snapshot.counts["spend"] == 3
            assert snapshot.counts["suppression"] == 2
            left = repr(list(snapshot.records()))
        assert "ann@example.com" not in left
        assert "reply 1" not in left
        forgotten = archive.erase(Erasure(inquiries=[], replies=[], subjects=[key("ann")], forget=True))
        assert (forgotten["suppressions"], forgotten["slots"]) == (1, 1)
    rejected = await site.store.inquiries.get(b"submission 3")
    assert rejected is not None
    assert (rejected.state, rejected.staff) == (State.DISCARDED, Staff.NONE)
    assert (await site.store.ledger.reputation([key("ann")])).suppressed == {}
    await site.store.aclose()
