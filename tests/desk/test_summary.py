"""The weekly summary, also where nothing was held (G25)."""

import pytest

from formwarden.desk.bulletins import DAY_S, Language
from formwarden.desk.summary import Summary, Week, quoted
from formwarden.desk.summary_words import WORDS
from formwarden.scoring import Standing
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Breaker, Day, Newcomers, Shut, State
from formwarden.stores.statistics import Figures
from formwarden.stores.telling import Mailed
from tests.clock import MovableClock
from tests.mail.desks import ANN, DEAD, DOWN, Desk
from tests.mail.gate_samples import memory, verdict
from tests.stores.samples import inquiry, key


@pytest.fixture
def store(clock: MovableClock) -> MemoryStore:
    return memory(clock)


async def text_of(
    store: MemoryStore, clock: MovableClock, *, language: Language = "en", public_url: str | None = None
) -> str:
    summary = Summary(store, hour=7, language=language, public_url=public_url, clock=clock)
    letter = await summary.write(clock.now())
    await summary.sent()
    assert letter is not None
    return f"{letter.subject}\n{letter.text}"


@pytest.mark.anyio
async def test_g25_it_is_written_also_where_nothing_was_held_and_every_figure_has_its_line(
    store: MemoryStore, clock: MovableClock
) -> None:
    text = await text_of(store, clock)
    for expected in (
        "Weekly summary: 0 inquiries, 0 held, 0 auto-replies",
        "Inquiries: 0 came; 0 accepted, 0 held, 0 rejected, 0 released, 0 discarded.",
        "Auto-replies: 0 sent, 0 wait for you, 0 refused by a relay, 0 not sent (most often: -).",
        "New addresses that a reply was wanted for: 0 (before: not known a week).",
        "Of 0 replies whose end is known 0 came back for good; complaints: 0; alarms: 0.",
        "No relay refused a reply.",
        "No provider is stopped.",
        "Staff mail that waits: 0.",
    ):
        assert expected in text


@pytest.mark.anyio
async def test_g25_inquiries_are_counted_by_where_they_stand(store: MemoryStore, clock: MovableClock) -> None:
    states = [State.DONE, State.REFUSED, State.HELD, State.ASKED, State.REJECTED, State.RELEASED, State.DISCARDED]
    for number, state in enumerate((*states, State.DONE)):
        await store.inquiries.keep(inquiry(number, state=state, received_at=clock.now() - DAY_S), lease_s=0)
    await store.inquiries.keep(inquiry(99, received_at=clock.now() - 8 * DAY_S), lease_s=0)
    assert "8 came; 3 accepted, 2 held, 1 rejected, 1 released, 1 discarded" in await text_of(store, clock)


@pytest.mark.anyio
async def test_g25_replies_bounces_and_the_last_refusal_stand_there_without_an_address(
    store: MemoryStore, clock: MovableClock
) -> None:
    desk = Desk(store=store, clock=clock)
    desk.relay.answers[ANN] = DEAD
    for asked in (verdict(ANN), verdict(), verdict(standing=Standing.DOUBTFUL)):
        await desk.accept(asked)
    for _ in range(5):
        await desk.outbox.step()
    await desk.replies.switch(on=False)
    assert await desk.accept(verdict()) == "AR_OFF"
    clock.move(DAY_S)
    text = await text_of(store, clock)
    assert "1 sent, 1 wait for you, 1 refused by a relay, 1 not sent (most often: AR_OFF 1)" in text
    assert "The last refusal: 550 5.1.1 no such user" in text
    assert "Auto-replies are switched off." in text
    assert "@" not in text


@pytest.mark.anyio
async def test_g25_staff_mail_that_waits_is_counted(store: MemoryStore, clock: MovableClock) -> None:
    desk = Desk(store=store, clock=clock)
    desk.relay.answers.update(dict.fromkeys(desk.site.staff_address, DOWN))
    await desk.tell_staff(verdict())
    await desk.staff_outbox.step()
    assert "Staff mail that waits: 1." in await text_of(store, clock)


def test_g25_breakers_stand_there_with_their_end_newcomers_and_bounces_with_their_comparison() -> None:
    closed = Breaker(subject=key("google"), cause="ratio", label="google", shut=Shut.OPEN, opened_at=0.0, until=DAY_S)
    config = Breaker(subject=key("other"), cause="config", label="", shut=Shut.CONFIG, opened_at=0.0, until=None)
    week = Week(
        until=4 * DAY_S + 7 * 3_600.0,
        figures=Figures(
            now=0.0,
            inquiries=(),
            replies=(),
            replies_off=False,
            staff_waiting=0,
            staff_oldest=None,
            suppressions={},
            tasks={},
        ),
        days=(Day(known=30, hard=1.5, complaints=1), Day(known=10, hard=1.0, alarms=2)),
        newcomers=Newcomers(week=41, before=(10, 14, 12, 12)),
        mailed=Mailed(domains=20, new=12, before=8.25),
        refusal=None,
        breakers=(closed, config),
    )
    text = week.text("en", WORDS["en"])
    assert "The seven days until 5 January 1970, 07:00 UTC." in text
    assert "Stopped now: google until 2 January 1970, 00:00 UTC, not known until it is mended." in text
    assert "wanted for: 41 (before: 12.0 a week)" in text
    assert "freemail apart: 20, 12 of them new (before: 8.2 a week)" in text
    assert "Of 40 replies whose end is known 2.5 came back for good; complaints: 1; alarms: 2." in text
    assert "停止中：google（1970年1月2日 09:00（日本時間） まで）" in week.text("ja", WORDS["ja"])


@pytest.mark.anyio
async def test_it_speaks_japanese_or_both_and_g30_links_only_to_the_public_url(
    store: MemoryStore, clock: MovableClock
) -> None:
    japanese = await text_of(store, clock, language="ja")
    both = await text_of(store, clock, language="both", public_url="https://bows.example")
    assert ("週間まとめ：お問い合わせ 0 件" in japanese, "Inquiries" in japanese, "http" in japanese) == (
        True,
        False,
        False,
    )
    assert ("Inquiries: 0 came" in both, "お問い合わせ：0 件" in both, both.count("https://bows.example")) == (
        True,
        True,
        1,
    )


def test_a_refusal_is_quoted_on_one_line_without_an_address() -> None:
    said = quoted("550 5.7.1 <ann@example.com>:\r\n spam from bob@example.org " + "x" * 500)
    assert "ann" not in said
    assert "bob" not in said
    assert "\n" not in said
    assert len(said) <= 300
