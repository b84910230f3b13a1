"""Alarms are told at least once, by another way, and not in a storm."""

import asyncio
import logging
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.alarm import AlarmChannel, AlarmError, Alarms, Notice
from formwarden.mail.alarm_webhook import Webhook
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Growth, Store
from formwarden.stores.settings import Stores
from tests.clock import MovableClock
from tests.ill_store import IllStore
from tests.mail.measured import NOON, Replied, opened
from tests.servers.hook import HookServer

pytestmark = pytest.mark.anyio
SITE = "bow-makers.jp"


class Heard:
    """A channel: keeps what it hears, and fails as it is told to."""

    def __init__(self, name: str = "heard") -> None:
        self._name = name
        self.notices: list[Notice] = []
        self.fails: Exception | None = None

    @property
    def name(self) -> str:
        return self._name

    async def tell(self, notice: Notice, /) -> None:
        if self.fails is not None:
            raise self.fails
        self.notices.append(notice)

    @property
    def ids(self) -> list[list[int]]:
        """The alarms of each notice."""
        return [[alarm.id for alarm in notice.alarms] for notice in self.notices]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOON)


@pytest.fixture
def store(clock: MovableClock) -> Store:
    return opened(clock)


def alarms(store: Store, clock: MovableClock, *channels: AlarmChannel, faults: Faults | None = None) -> Alarms:
    return Alarms(store, channels, site=SITE, clock=clock, entropy=system_entropy, faults=faults or Faults(clock))


async def drip(store: Store, number: int = 1) -> None:
    """Write one alarm of the kind `drip`."""
    growth = (await store.measures.measure(0))[2]
    assert await store.measures.grow(Growth(cap=number, day=0), after=growth, alarm=f"drip {number}")


async def test_an_alarm_is_told_once_and_written_down(store: Store, clock: MovableClock) -> None:
    heard = Heard()
    teller = alarms(store, clock, heard)
    assert await teller.step() == 0
    await drip(store)
    assert await store.measures.untold() == 1
    assert await teller.step() == 1
    assert await store.measures.untold() == 0
    (notice,) = heard.notices
    assert (notice.kind, notice.site) == ("drip", SITE)
    assert notice.subject == f"formwarden {SITE}: far more new addresses than usual get auto-replies"
    assert "drip 1" in notice.text
    clock.move(7_200)
    assert await teller.step() == 0
    run = (await store.tasks())["alarm drip"].last
    assert run is not None
    assert run.done == 1  # `formwarden stats` shows when a kind was told last


async def test_breakers_and_complaints_are_told_each_as_what_it_is(store: Store, clock: MovableClock) -> None:
    heard, replied = Heard(), Replied(store)
    await replied.grant(10, failed=10)
    await replied.grant(2, label="yahoo_jp")
    await replied.complain()
    await alarms(store, clock, heard).step()
    assert {notice.kind for notice in heard.notices} == {"breaker", "complaint"}
    (breaker,) = [notice for notice in heard.notices if notice.kind == "breaker"]
    assert "google" in breaker.text
    assert await store.measures.untold() == 0


async def test_one_kind_within_an_hour_is_told_together(store: Store, clock: MovableClock) -> None:
    heard = Heard()
    teller = alarms(store, clock, heard)
    for number in range(1, 6):
        await drip(store, number)
        await teller.step()
        clock.move(600)
    assert heard.ids == [[1]]
    await alarms(store, clock, heard).step()  # a process that knows nothing of the first notice: `work --once`
    assert heard.ids == [[1]]
    clock.move(600)
    await teller.step()
    assert heard.ids == [[1], [2, 3, 4, 5]]
    assert heard.notices[1].subject.endswith("(4 alarms)")
    assert await store.measures.untold() == 0


async def test_kinds_do_not_wait_for_each_other(store: Store, clock: MovableClock) -> None:
    heard, replied = Heard(), Replied(store)
    teller = alarms(store, clock, heard)
    await drip(store)
    await teller.step()
    await replied.grant(1)
    await replied.complain()
    await teller.step()
    assert [notice.kind for notice in heard.notices] == ["drip", "complaint"]


async def test_what_no_channel_took_is_told_again_and_logged_once(
    store: Store, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    heard, faults = Heard(), Faults(clock)
    teller = alarms(store, clock, heard, faults=faults)
    await drip(store)
    heard.fails = AlarmError("status 500")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert await teller.step() == 0
            clock.move(301)
    assert await store.measures.untold() == 1
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "alarm (drip): 2024-10-04 12:00 UTC: drip 1"
    ]
    assert faults.of("alarm by heard") == 3
    heard.fails = None
    assert await teller.step() == 1
    assert heard.ids == [[1]]
    assert await store.measures.untold() == 0


async def test_one_real_channel_that_took_it_is_enough_and_the_other_is_counted(
    store: Store, clock: MovableClock
) -> None:
    well, ill, faults = Heard("well"), Heard("ill"), Faults(clock)
    ill.fails = RuntimeError("a bug with taro@example.jp in it")
    await drip(store)
    assert await alarms(store, clock, ill, well, faults=faults).step() == 1
    assert (len(well.notices), await store.measures.untold()) == (1, 0)
    (fault,) = faults.all()
    assert fault.what == "alarm by ill"
    assert "taro" not in fault.why


async def test_whatever_wrote_an_alarm_it_is_one_line_without_an_address(store: Store, clock: MovableClock) -> None:
    heard = Heard()
    text = "550 5.1.1 <taro.yamada@gmail.com> unknown\r\nBcc: hanako@y.example"
    await store.measures.grow(Growth(cap=1, day=0), after=None, alarm=text)
    await alarms(store, clock, heard).step()
    (notice,) = heard.notices
    for said in (notice.text, notice.alarms[0].text):
        assert "taro" not in said
        assert "hanako" not in said
        assert "\r" not in said
    assert "550 5.1.1 <…@gmail.com> unknown Bcc: …@y.example" in notice.text


async def test_where_no_channel_is_set_the_log_must_do(
    store: Store, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    await drip(store)
    with caplog.at_level(logging.ERROR):
        assert await alarms(store, clock).step() == 1
    assert "drip 1" in caplog.text
    assert await store.measures.untold() == 0


async def test_many_are_told_in_one_notice_of_a_length_that_people_read(store: Store, clock: MovableClock) -> None:
    heard = Heard()
    for number in range(1, 51):
        await drip(store, number)
    assert await alarms(store, clock, heard).step() == 50
    (notice,) = heard.notices
    assert len(notice.alarms) == 50
    assert notice.text.count("UTC: drip ") == 20
    assert "and 30 more" in notice.text


async def test_two_processes_tell_each_alarm_once(clock: MovableClock, tmp_path: Path) -> None:
    async with HookServer() as hook:
        stores = [opened(clock, tmp_path / "site.db") for _ in range(3)]
        tellers = [alarms(each, clock, Webhook(hook.url, key=None, local=True, clock=clock)) for each in stores]
        try:
            for number in range(1, 6):
                await drip(stores[0], number)
                assert sum(await asyncio.gather(*(each.step() for each in tellers))) == 1
                assert sum(await asyncio.gather(*(each.step() for each in tellers))) == 0
                clock.move(3_601)
            assert await stores[0].measures.untold() == 0
        finally:
            for each in stores:
                await each.aclose()
        posted = [alarm["id"] for request in hook.requests for alarm in _listed(request.json["alarms"])]
    assert posted == [1, 2, 3, 4, 5]


def _listed(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value


@pytest.mark.parametrize("method", ["alarms", "told"])
async def test_a_store_that_is_down_loses_no_alarm(clock: MovableClock, method: str) -> None:
    store, heard = IllStore(MemoryStore(clock=clock, entropy=system_entropy, settings=Stores())), Heard()
    teller = alarms(store, clock, heard)
    await drip(store)
    store.fails(f"measures.{method}", StoreError("disk full"))
    with pytest.raises(StoreError):
        await teller.step()
    store.fails(f"measures.{method}", None)
    clock.move(3_601)
    assert await teller.step() == 1
    assert await store.measures.untold() == 0
    assert heard.ids[-1] == [1]


class Hanging(Heard):
    """A channel that never comes back."""

    async def tell(self, notice: Notice, /) -> None:
        self.notices.append(notice)
        await asyncio.Event().wait()


async def test_a_channel_that_hangs_keeps_the_others_from_nothing(store: Store, clock: MovableClock) -> None:
    hanging, heard, faults = Hanging("hanging"), Heard(), Faults(clock)
    await drip(store)
    channels = (hanging, heard)
    teller = Alarms(store, channels, site=SITE, clock=clock, entropy=system_entropy, faults=faults, channel_s=0.05)
    assert await teller.step() == 1
    assert len(heard.notices) == 1
    assert faults.of("alarm by hanging") == 1
