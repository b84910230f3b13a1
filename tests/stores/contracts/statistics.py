"""What a store says of itself, for `formwarden stats`."""

import pytest

from formwarden.stores.ports import REPLIES_OFF, Decision, Ours, OutcomeKind, Staff, State, Store
from formwarden.stores.statistics import Figures, InquiryCount, ReplyCount
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, account, inquiry, key, outcome, send


async def kept(
    store: Store, clock: MovableClock, name: str, state: State, *, age: float, form: str = "contact"
) -> None:
    made = inquiry(name, form=form, state=state, received_at=clock.now() - age)
    assert await store.inquiries.keep(made, lease_s=0) is None


@pytest.mark.anyio
class StatisticsContract:
    """Inherited by the test class of each store."""

    async def test_a_new_store_counts_nothing(self, store: Store, clock: MovableClock) -> None:
        await store.health()  # made by now
        figures = await store.statistics.read()
        assert (figures.now, figures.inquiries, figures.replies) == (clock.now(), (), ())
        assert (figures.replies_off, figures.staff_waiting, figures.staff_oldest) == (False, 0, None)
        assert (figures.suppressions, figures.tasks) == ({}, {})
        assert (figures.breakers, figures.alarms, figures.known) == (0, 0, 0)

    async def test_breakers_alarms_and_people_we_know_are_counted(self, store: Store, clock: MovableClock) -> None:
        await store.ledger.reserve(send(1, account=account(1)))
        await store.ledger.settle(outcome(1, OutcomeKind.OURS, ours=Ours.REPUTATION))
        await store.measures.remember(key("ann"))
        figures = await store.statistics.read()
        assert (figures.breakers, figures.alarms, figures.known) == (1, 1, 1)
        await store.measures.told([alarm.id for alarm in await store.measures.alarms(9, lease_s=60)])
        await store.measures.close(key("group google"))
        clock.move(1)
        figures = await store.statistics.read()
        assert (figures.breakers, figures.alarms, figures.known) == (0, 0, 1)

    async def test_inquiries_are_counted_by_form_and_state_for_a_day_and_a_week(
        self, store: Store, clock: MovableClock
    ) -> None:
        await kept(store, clock, "a", State.HELD, age=0)
        await kept(store, clock, "b", State.HELD, age=DAY)
        await kept(store, clock, "c", State.HELD, age=DAY + 1)
        await kept(store, clock, "d", State.HELD, age=7 * DAY + 1)
        await kept(store, clock, "e", State.REJECTED, age=HOUR)
        await kept(store, clock, "f", State.HELD, age=HOUR, form="quote")
        await kept(store, clock, "g", State.DONE, age=6 * DAY)
        assert (await store.statistics.read()).inquiries == (
            InquiryCount(form="contact", state="done", day=0, week=1),
            InquiryCount(form="contact", state="held", day=2, week=3),
            InquiryCount(form="contact", state="rejected", day=1, week=1),
            InquiryCount(form="quote", state="held", day=1, week=1),
        )

    async def test_replies_are_counted_by_state_and_code_for_a_day_and_a_week(
        self, store: Store, clock: MovableClock
    ) -> None:
        for number, then in enumerate((2 * DAY, 5.5 * DAY, 0.75 * DAY, 0.25 * DAY)):
            for each in range(number + 1):
                await store.ledger.reserve(send(100 * number + each))
            clock.move(then)
        await store.ledger.reserve(send(900, decision=Decision.SUPPRESS, code="OWN_DOMAIN"))
        assert (await store.statistics.read()).replies == (
            ReplyCount(state="due", code="OK", day=3 + 4, week=2 + 3 + 4),
            ReplyCount(state="suppressed", code="OWN_DOMAIN", day=1, week=1),
        )

    async def test_a_moment_that_a_wrong_clock_wrote_is_not_counted(self, store: Store, clock: MovableClock) -> None:
        await kept(store, clock, "a", State.HELD, age=-2 * DAY)
        assert (await store.statistics.read()).inquiries == ()

    async def test_staff_mail_that_waits_is_counted_with_its_age(self, store: Store, clock: MovableClock) -> None:
        for name, staff, age in (("a", Staff.DUE, 60.0), ("b", Staff.DUE, 3_600.0), ("c", Staff.NONE, 7_200.0)):
            await store.inquiries.keep(inquiry(name, staff=staff, received_at=clock.now() - age), lease_s=0)
        figures = await store.statistics.read()
        assert (figures.staff_waiting, figures.staff_oldest) == (2, clock.now() - 3_600)

    async def test_suppressions_that_stand_are_counted_by_cause_and_the_switch_is_told_apart(
        self, store: Store, clock: MovableClock
    ) -> None:
        for name, cause, until in (
            ("a", "bounced", None),
            ("b", "bounced", clock.now() + 60),
            ("c", "bounced", clock.now() - 60),
            ("d", "stop", None),
        ):
            await store.ledger.suppress(key(name), cause=cause, until=until)
        await store.ledger.suppress(REPLIES_OFF, cause="formwarden reply off", until=None)
        figures = await store.statistics.read()
        assert (figures.suppressions, figures.replies_off) == ({"bounced": 2, "stop": 1}, True)

    async def test_tasks_stand_in_it(self, store: Store) -> None:
        await store.lease("outbox", "a", seconds=60)
        figures: Figures = await store.statistics.read()
        assert figures.tasks == await store.tasks()
