"""Mail that comes again and again: once for each moment."""

import asyncio
from dataclasses import dataclass, field

import pytest

from formwarden.desk.bulletins import DAY_S, Bulletins, Letter, Moments, spoken
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.copies import Copies
from formwarden.mail.sender import NothingLeftError, Sender, SendResult
from formwarden.mail.staff_mail import StaffMail
from formwarden.site import Site
from formwarden.stores.ports import Store
from tests.clock import MovableClock
from tests.mail.desks import BOSS, DEAD, DOWN, OFFICE
from tests.mail.gate_samples import OPEN, SITE, RecordingSender, memory, numbered_entropy

HOUR = 3_600.0


@dataclass(kw_only=True)
class News:
    """A bulletin that notes what it was asked."""

    name: str = "news"
    moments: Moments = field(default_factory=lambda: Moments(hour=7))
    letter: Letter | None = field(default_factory=lambda: Letter(subject="News", text="Nothing happened.\n"))
    written: list[float] = field(default_factory=list[float])
    marked: int = 0

    async def write(self, until: float, /) -> Letter | None:
        self.written.append(until)
        return self.letter

    async def sent(self) -> None:
        self.marked += 1


class Board:
    """Bulletins with everything around them."""

    def __init__(self, store: Store, clock: MovableClock, *, sender: Sender | None = None, site: Site = SITE) -> None:
        self.clock, self.faults, self.news = clock, Faults(clock), News()
        self.relay = sender or RecordingSender()
        self.bulletins = Bulletins(
            [self.news],
            telling=store.telling,
            mail=StaffMail(site, OPEN, clock, numbered_entropy()),
            copies=Copies(self.relay, deadline_s=20.0, faults=self.faults),
            lease_s=100.0,
            clock=clock,
            faults=self.faults,
        )

    @property
    def recipients(self) -> list[str]:
        assert isinstance(self.relay, RecordingSender)
        return self.relay.recipients()

    async def run(self, hours: float) -> None:
        """Let the worker come once a minute."""
        for _ in range(int(hours * 60)):
            await self.bulletins.step()
            self.clock.move(60.0)


@pytest.fixture
def store(clock: MovableClock) -> Store:
    clock.move(DAY_S - clock.now() % DAY_S)  # midnight
    return memory(clock)


@pytest.fixture
def board(store: Store, clock: MovableClock) -> Board:
    return Board(store, clock)


def test_a_moment_is_the_last_one_that_is_not_to_come() -> None:
    daily, weekly = Moments(hour=7), Moments(hour=7, days=7, first_day=4)
    assert daily.last_before(7 * HOUR) == 7 * HOUR
    assert daily.last_before(7 * HOUR - 1) == 7 * HOUR - DAY_S
    assert weekly.last_before(4 * DAY_S + 7 * HOUR) == 4 * DAY_S + 7 * HOUR  # Monday, the fifth of January 1970
    assert weekly.last_before(11 * DAY_S + 7 * HOUR - 1) == 4 * DAY_S + 7 * HOUR


def test_both_languages_are_two() -> None:
    assert (spoken("both"), spoken("ja")) == (("en", "ja"), ("ja",))


@pytest.mark.anyio
async def test_it_is_sent_once_a_day_at_its_hour_and_never_of_the_time_before(board: Board) -> None:
    began = board.clock.now()
    await board.run(7)
    assert board.recipients == []
    await board.run(24)
    assert board.recipients == [OFFICE, BOSS]
    await board.run(24)
    assert board.recipients == [OFFICE, BOSS] * 2
    assert board.news.written == [began + 7 * HOUR, began + DAY_S + 7 * HOUR]
    assert board.news.marked == 2


@pytest.mark.anyio
async def test_a_process_that_starts_anew_sends_nothing_twice_and_makes_up_for_what_was_missed(
    store: Store, clock: MovableClock
) -> None:
    await Board(store, clock).run(8)
    again = Board(store, clock)
    await again.run(1)
    assert again.recipients == []
    clock.move(30 * HOUR)
    late = Board(store, clock)
    await late.run(1)
    assert late.recipients == [OFFICE, BOSS]


@pytest.mark.anyio
async def test_of_many_processes_one_sends_it(store: Store, clock: MovableClock) -> None:
    boards = [Board(store, clock) for _ in range(8)]
    await boards[0].bulletins.step()
    clock.move(8 * HOUR)
    await asyncio.gather(*(board.bulletins.step() for board in boards))
    assert sum(len(board.recipients) for board in boards) == 2


@pytest.mark.anyio
async def test_it_is_tried_until_the_relay_takes_it_and_nobody_gets_it_twice(board: Board) -> None:
    assert isinstance(board.relay, RecordingSender)
    await board.run(6.9)
    board.relay.answers.update({OFFICE: DOWN, BOSS: DOWN})
    await board.run(0.5)
    assert 8 <= len(board.recipients) <= 12  # every five minutes
    board.relay.answers = {OFFICE: DEAD}
    board.relay.mails.clear()
    await board.run(1)
    assert board.recipients.count(BOSS) == 1
    assert 3 <= board.recipients.count(OFFICE) <= 6  # an address that is wrong is tried every quarter of an hour
    board.relay.answers.clear()
    await board.run(1)
    assert (board.recipients.count(BOSS), board.news.marked) == (1, 1)


@pytest.mark.anyio
async def test_where_there_is_nothing_to_tell_no_mail_leaves_and_the_moment_is_over(board: Board) -> None:
    board.news.letter = None
    await board.run(10)
    assert (board.recipients, len(board.news.written), board.news.marked) == ([], 1, 0)


@pytest.mark.anyio
async def test_what_cannot_be_written_is_counted_and_tried_again(store: Store, clock: MovableClock) -> None:
    board = Board(store, clock, site=Site(staff_address=(OFFICE,)))
    await board.run(8)
    assert board.faults.of("compose") == 4
    assert board.recipients == []


@pytest.mark.anyio
async def test_without_staff_nothing_is_written(store: Store, clock: MovableClock) -> None:
    board = Board(store, clock, site=Site(site_domain="example.org"))
    await board.run(8)
    assert board.news.written == []


@pytest.mark.anyio
async def test_a_process_that_stops_before_anything_left_gives_it_back_at_once(
    store: Store, clock: MovableClock
) -> None:
    class Stopping:
        async def send(self, *_: object, deadline_s: float) -> SendResult:
            raise NothingLeftError(deadline_s)

    dying = Board(store, clock, sender=Stopping())
    await dying.bulletins.step()
    clock.move(7 * HOUR)
    with pytest.raises(asyncio.CancelledError):
        await dying.bulletins.step()
    other = Board(store, clock)
    await other.bulletins.step()
    assert other.recipients == [OFFICE, BOSS]


@pytest.mark.anyio
async def test_a_clock_that_was_years_ahead_does_not_silence_it_for_years(store: Store, clock: MovableClock) -> None:
    clock.step(1_000 * DAY_S)
    await Board(store, clock).run(8)
    clock.step(-1_000 * DAY_S)
    after = Board(store, clock)
    await after.run(25)
    assert after.recipients[:2] == [OFFICE, BOSS]
    assert len(after.recipients) <= 4


@pytest.mark.anyio
async def test_what_fails_while_it_is_written_down_comes_again(store: Store, clock: MovableClock) -> None:
    board = Board(store, clock)
    await board.run(6.9)

    async def ill() -> None:
        raise StoreError("disk full")

    board.news.sent = ill  # type: ignore[method-assign]  # the port's failure
    clock.move(HOUR)
    with pytest.raises(StoreError):
        await board.bulletins.step()
    assert board.recipients == [OFFICE, BOSS]
    clock.move(101.0)
    other = Board(store, clock)
    await other.bulletins.step()
    assert other.recipients == [OFFICE, BOSS]  # at least once
