import asyncio

import pytest

from formwarden.address.flights import Flights


class Tower:
    """Counts starts and lets them land when told."""

    def __init__(self) -> None:
        self.starts = 0
        self.land = asyncio.Event()

    async def fly(self) -> int:
        self.starts += 1
        await self.land.wait()
        return self.starts


@pytest.mark.anyio
async def test_all_who_ask_at_the_same_time_share_one_look_up() -> None:
    flights, tower = Flights[Tower, int](Tower.fly), Tower()
    joined = [flights.join("shop.co.jp", 5, tower) for _ in range(20)]

    assert joined[0] is not None
    assert all(flight is joined[0] for flight in joined)
    assert flights.under_way("shop.co.jp") is joined[0]
    tower.land.set()
    assert await joined[0].task == 1


@pytest.mark.anyio
async def test_the_next_one_starts_afresh() -> None:
    flights, tower = Flights[Tower, int](Tower.fly), Tower()
    tower.land.set()
    for expected in (1, 2):
        flight = flights.join("shop.co.jp", 5, tower)
        assert flight is not None
        assert await flight.task == expected
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_no_more_than_the_limit_are_under_way_but_joining_is_free() -> None:
    flights, tower = Flights[Tower, int](Tower.fly), Tower()
    first = flights.join("a.com", 2, tower)
    second = flights.join("b.com", 2, tower)

    assert flights.join("c.com", 2, tower) is None
    assert flights.join("a.com", 2, tower) is first
    assert flights.join("c.com", 3, tower) is not None
    tower.land.set()
    assert first is not None
    assert second is not None
    await asyncio.gather(first.task, second.task)


def test_a_look_up_of_a_loop_that_ended_holds_no_place() -> None:
    flights = Flights[Tower, int](Tower.fly)

    async def leave_behind() -> None:
        assert flights.join("a.com", 1, Tower()) is not None

    for _ in range(3):
        asyncio.run(leave_behind())


def test_a_loop_that_was_closed_in_mid_flight_holds_no_place() -> None:
    flights, tower = Flights[Tower, int](Tower.fly), Tower()
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for loop in loops:
        loop.set_exception_handler(lambda *_: None)  # it would complain of the task that never ended

        async def leave_behind() -> None:
            assert flights.join("a.com", 1, tower) is not None

        loop.run_until_complete(leave_behind())
        loop.close()
