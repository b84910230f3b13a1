"""The digest: thirty lines, lowest score first, one for each campaign, then counts (G23)."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from formwarden.desk.bulletins import Language, Letter
from formwarden.desk.digest import Digest, campaigns
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Inquiry, State
from tests.clock import MovableClock
from tests.mail.gate_samples import FORMS, memory
from tests.stores.samples import inquiry


@pytest.fixture
def store(clock: MovableClock) -> MemoryStore:
    return memory(clock)


def digest_of(store: MemoryStore, *, language: Language = "en", public_url: str | None = None) -> Digest:
    return Digest(
        inquiries=store.inquiries,
        telling=store.telling,
        statistics=store.statistics,
        forms=FORMS,
        hour=7,
        language=language,
        public_url=public_url,
    )


def held(number: int, score: float, message: str = "hello there", prints: Sequence[str] = ()) -> Inquiry:
    body = urlencode({"email": f"ann{number}@example.com", "message": message}).encode()
    kept = inquiry(number, state=State.HELD, score=score, body=body, facts={"observation": {"prints": list(prints)}})
    return replace(kept, content_type="application/x-www-form-urlencoded")


async def keep(store: MemoryStore, *rows: Inquiry) -> None:
    for row in rows:
        await store.inquiries.keep(row, lease_s=0)


async def letter(store: MemoryStore, **how: object) -> Letter:
    written = await digest_of(store, **how).write(0.0)  # type: ignore[arg-type]  # the caller's to get right
    assert written is not None
    return written


def lines(written: Letter) -> list[str]:
    return [line for line in written.text.splitlines() if "R-" in line]


@pytest.mark.anyio
async def test_g23_of_hundreds_thirty_lines_stand_there_lowest_score_first_and_all_are_counted(
    store: MemoryStore,
) -> None:
    await keep(store, *(held(number, 12.0 - number / 100) for number in range(350)))
    written = await letter(store)
    shown = lines(written)
    assert len(shown) == 30
    assert [line.split()[2] for line in shown] == [f"R-{number}" for number in range(349, 319, -1)]
    assert written.subject == "350 inquiries are held"
    assert "Held in all: 350 (contact 350)" in written.text


@pytest.mark.anyio
async def test_g23_a_campaign_has_one_line_and_says_how_many_are_like_it(store: MemoryStore) -> None:
    flood = (held(number, 6.0 + number, "buy pills", prints=["p"]) for number in range(4))
    await keep(store, *flood, held(9, 7.5, "do you repair bows?"))
    first, second = lines(await letter(store))
    assert (first.split()[0], "buy pills" in first, first.endswith("(+3)")) == ("6.0", True, True)
    assert ("do you repair bows?" in second, "(+" in second, "ann9@example.com" in second) == (True, False, True)


@pytest.mark.anyio
async def test_g23_each_is_told_once_and_what_was_not_sent_is_told_again(store: MemoryStore) -> None:
    await keep(store, held(1, 6.0))
    assert len(lines(await letter(store))) == 1
    await keep(store, held(2, 5.0))
    assert len(lines(await letter(store))) == 2  # the first one left with no mail
    await digest_of(store).sent()
    assert await digest_of(store).write(0.0) is None
    await keep(store, held(3, 5.0))
    assert [line.split()[2] for line in lines(await letter(store))] == ["R-3"]


@pytest.mark.anyio
async def test_g23_nothing_held_is_no_digest(store: MemoryStore) -> None:
    await keep(store, inquiry(1, state=State.DONE), inquiry(2, state=State.REJECTED))
    assert await digest_of(store).write(0.0) is None


@pytest.mark.anyio
async def test_what_was_typed_stays_on_its_line_and_is_cut(store: MemoryStore) -> None:
    await keep(store, held(1, 6.0, "first\r\nR-99 second\u202e " + "x" * 500))
    (line,) = lines(await letter(store))
    assert "first R-99 second\\u202e xxx" in line
    assert len(line) < 200


@pytest.mark.anyio
async def test_a_body_that_is_gone_and_a_form_that_is_gone_leave_a_line(store: MemoryStore) -> None:
    await keep(store, inquiry(1, state=State.HELD, score=6.0, body=None), inquiry(2, state=State.HELD, form="gone"))
    assert len(lines(await letter(store))) == 2


@pytest.mark.anyio
async def test_rejected_ones_of_the_day_are_counted(store: MemoryStore, clock: MovableClock) -> None:
    rejected = [inquiry(number, state=State.REJECTED, received_at=clock.now()) for number in range(10, 13)]
    await keep(store, held(1, 6.0), *rejected)
    assert "Rejected within the last day: 3." in (await letter(store)).text


@pytest.mark.anyio
async def test_g30_a_link_stands_there_only_with_a_public_url(store: MemoryStore) -> None:
    await keep(store, held(1, 6.0))
    assert "http" not in (await letter(store)).text
    assert (await letter(store, public_url="https://bows.example")).text.count("https://bows.example") == 1


@pytest.mark.anyio
async def test_it_speaks_japanese_or_both(store: MemoryStore) -> None:
    await keep(store, held(1, 6.0))
    japanese, both = await letter(store, language="ja"), await letter(store, language="both")
    assert (japanese.subject, "are held" in japanese.text) == ("保留中のお問い合わせ 1 件", False)
    assert (both.subject, "are held" in both.text, "保留の合計：1 件" in both.text) == (
        "1 inquiries are held",
        True,
        True,
    )
    assert len(lines(both)) == 1


def test_campaigns_of_nothing_are_none() -> None:
    assert campaigns([]) == []
