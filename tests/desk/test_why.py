"""Why did this person get no mail: everything that speaks, bounded, and nothing is reserved."""

import pytest

from formwarden.address.report import AddressReport
from formwarden.desk.why import PAGE, PAGES, STANDINGS, Whys
from formwarden.entropy import system_entropy
from formwarden.mail.settings import Mail
from formwarden.scoring import Standing
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import State
from formwarden.subjects import Subjects
from tests.clock import MovableClock
from tests.mail.gate_samples import OPEN, memory, replies, report, tight, verdict
from tests.stores.samples import inquiry

pytestmark = pytest.mark.anyio
ANN = "ann@example.com"


@pytest.fixture
def store(clock: MovableClock) -> MemoryStore:
    return memory(clock)


def whys(store: MemoryStore, clock: MovableClock, settings: Mail = OPEN) -> Whys:
    gate = replies(store, clock, settings)
    return Whys(store=store, replies=gate, preview=gate.preview, form="contact", entropy=system_entropy)


async def keep(store: MemoryStore, clock: MovableClock, count: int, recipient: str) -> None:
    """Let so many inquiries of one address wait."""
    for number in range(count):
        kept = inquiry(
            f"{recipient} {number}", state=State.HELD, recipient=recipient, received_at=clock.now(), body=None
        )
        await store.inquiries.keep(kept, lease_s=0)


async def test_nothing_stands_against_a_stranger_and_asking_takes_no_place(
    store: MemoryStore, clock: MovableClock
) -> None:
    asked = whys(store, clock, tight(site_per_hour=1))
    for _ in range(3):
        why = await asked.of(report(ANN))
        assert not why.stands
        assert (len(why.replies), len(why.against), len(why.shutters), len(why.waiting)) == (0, 0, 0, 0)
        assert (why.known, why.off) == (False, False)
    assert list(why.now) == list(STANDINGS)


async def test_a_budget_that_would_speak_is_named_by_standing(store: MemoryStore, clock: MovableClock) -> None:
    settings = tight(site_per_hour=2, plain_share=0.5, shown_share=1.0)
    await replies(store, clock, settings).reply(verdict(standing=Standing.PLAIN))
    why = await whys(store, clock, settings).of(report(ANN))
    assert {standing: result.code for standing, result in why.now.items()} == {
        Standing.SHOWN: "OK",
        Standing.PLAIN: "SITE_RATE",
        Standing.DOUBTFUL: "HELD_SUSPECT",
    }
    assert not why.stands


async def test_what_is_listed_is_told_with_its_end_and_whether_it_is_the_whole_domain(
    store: MemoryStore, clock: MovableClock
) -> None:
    subjects = Subjects(await store.recipient_keys())
    until = clock.now() + 60.0
    await store.ledger.suppress(subjects.keys("address", ANN)[0], cause="soft", until=until)
    await store.ledger.suppress(subjects.keys("domain", "example.com")[0], cause="domain", until=None)
    why = await whys(store, clock).of(report(ANN))
    assert {(each.whole_domain, each.listed.cause, each.listed.until) for each in why.against} == {
        (False, "soft", until),
        (True, "domain", None),
    }
    assert why.stands


@pytest.mark.parametrize("spelling", ["Ann@example.com", "ann+form@EXAMPLE.com"])
async def test_inquiries_that_wait_are_found_in_every_spelling(
    store: MemoryStore, clock: MovableClock, spelling: str
) -> None:
    await keep(store, clock, 1, spelling)
    await keep(store, clock, 1, "bob@example.com")
    why = await whys(store, clock).of(report(ANN))
    assert [each.recipient for each in why.waiting] == [spelling]
    assert why.looked_at_all


async def test_no_flood_of_inquiries_makes_the_answer_wait_and_that_is_said(
    store: MemoryStore, clock: MovableClock
) -> None:
    await keep(store, clock, 1, ANN)  # the oldest
    clock.move(1.0)
    await keep(store, clock, PAGE * PAGES, "bob@example.com")
    why = await whys(store, clock).of(report(ANN))
    assert (why.waiting, why.looked_at_all) == ((), False)


async def test_what_is_no_address_has_no_inquiries_of_its_own(store: MemoryStore, clock: MovableClock) -> None:
    await keep(store, clock, 1, ANN)
    invalid: AddressReport = report("nobody")
    why = await whys(store, clock).of(invalid)
    assert (why.waiting, why.replies, why.stands) == ((), (), True)
