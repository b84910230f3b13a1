"""Who hands mail over by himself has the same gate, held replies and breakers: a Sender (issue 7, 8) and permits."""

import asyncio
import re
import smtplib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from formwarden import Verdict
from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.scoring import Standing
from formwarden.stores.ports import Decision
from tests.clock import MovableClock
from tests.mail.own_mailer import OwnSite, own_site
from tests.sites import STAFF

pytestmark = pytest.mark.anyio
TEXT = (Path(__file__).parents[2] / "docs" / "replies.md").read_text(encoding="utf-8")
ENOUGH = 5  # hard refusals that open a breaker (G09)
DEAD = SendResult(state=SendState.REFUSED, code=550, text="5.1.1 no such user")
TAKEN = SendResult(state=SendState.TAKEN, code=250, text="2.0.0 queued")
DOWN = SendResult(state=SendState.NOT_SENT, text="connection refused")


class Postbox:
    """A sender of the user's own."""

    def __init__(self) -> None:
        self.to: list[str] = []
        self.says = TAKEN

    async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        assert envelope_from
        assert data
        assert deadline_s > 0
        self.to.append(recipient)
        return self.says


async def test_g16_a_sender_of_ones_own_needs_no_relay(clock: MovableClock) -> None:
    postbox = Postbox()
    site = own_site(postbox, clock)
    verdict = await site.judged("taro@gmail.com")
    await site.warden.notify(verdict)
    assert (await site.warden.reply(verdict)).code == "OK"
    await site.later(1.0)
    assert sorted(postbox.to) == [STAFF, "taro@gmail.com"]


async def test_without_sender_and_relay_no_reply_is_promised(clock: MovableClock) -> None:
    site = own_site(None, clock)
    assert (await site.warden.reply(await site.judged())).code == "NO_RELAY"


async def test_a_reply_held_for_dns_is_handed_to_ones_own_sender_later(clock: MovableClock) -> None:
    postbox = Postbox()
    site = own_site(postbox, clock)
    site.resolver.silent.add("slow.jp")
    result = await site.warden.reply(verdict := await site.judged("ann@slow.jp"))
    assert (result.decision, result.code) == (Decision.HOLD, "ADDR_DNS_TEMP")
    await site.later(1.0)
    assert postbox.to == []
    site.resolver.silent.clear()
    await site.later(600.0)
    await site.later(1.0)
    assert postbox.to == ["ann@slow.jp"]
    row = await site.row(verdict)
    assert row is not None
    assert row.state == "sent"


async def test_a_reply_held_for_the_owner_is_handed_to_ones_own_sender_when_he_says_so(clock: MovableClock) -> None:
    postbox = Postbox()
    site = own_site(postbox, clock)
    verdict = doubted(await site.judged())
    assert (await site.warden.reply(verdict)).code == "HELD_SUSPECT"
    await site.later(3_600.0)
    assert postbox.to == []
    assert await site.warden.release_reply(verdict.id)
    await site.later(1.0)
    assert postbox.to == [verdict.address]


async def test_g15_what_cannot_have_left_ones_own_sender_is_tried_again(clock: MovableClock) -> None:
    postbox = Postbox()
    site = own_site(postbox, clock)
    postbox.says = DOWN
    await site.warden.reply(await site.judged())
    await site.later(1.0)
    postbox.says = TAKEN
    await site.later(30.0)
    assert len(postbox.to) == 1
    await site.later(40.0)
    assert len(postbox.to) == 2


async def test_g09_what_ones_own_sender_says_opens_the_breaker_and_permits_are_closed_too(
    clock: MovableClock,
) -> None:
    postbox = Postbox()
    site = own_site(postbox, clock)
    postbox.says = DEAD
    for _ in range(ENOUGH):
        await site.warden.reply(await site.judged())
        await site.later(1.0)
    last = await site.judged()
    assert (await site.warden.preview(last)).code == "BREAKER_SITE"
    async with site.warden.permit(last) as permit:
        assert (permit.granted, permit.code) == (False, "BREAKER_SITE")
    assert (await site.warden.reply(last)).code == "BREAKER_SITE"
    assert len(postbox.to) == ENOUGH


async def test_g09_what_a_relay_says_inside_permits_opens_the_breaker_for_everybody(clock: MovableClock) -> None:
    postbox = Postbox()
    site = own_site(postbox, clock)
    for _ in range(ENOUGH):
        verdict = await site.judged()
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await refused(site, verdict)
        row = await site.row(verdict)
        assert row is not None
        assert row.state == "refused"
    assert (await site.warden.reply(await site.judged())).code == "BREAKER_SITE"
    assert postbox.to == []


async def test_g18_a_preview_says_what_reply_does_and_leaves_everything_as_it_was(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock, site_per_hour=1, shown_share=1.0)
    first, second = await site.judged(), await site.judged()
    assert [(await site.warden.preview(each)).code for each in (first, second, first)] == ["OK", "OK", "OK"]
    assert await site.row(first) is None
    assert (await site.warden.reply(first)).code == "OK"
    assert (await site.warden.preview(second)).code == "SITE_RATE"
    assert await site.row(second) is None


def doubted(verdict: Verdict) -> Verdict:
    """Make it one of whom nothing is known."""
    return replace(verdict, standing=Standing.DOUBTFUL)


async def refused(site: OwnSite, verdict: Verdict) -> None:
    """Send with smtplib, whose relay knows no such user."""
    async with site.warden.permit(verdict) as permit:
        assert permit.granted
        raise smtplib.SMTPRecipientsRefused({str(verdict.address): (550, b"5.1.1 no such user")})


# ------------------------------------------------------------------------------------------------ docs/replies.md
@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    """What the page's code defines; its warden reads the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORMWARDEN_SECRET_KEYS", "k" * 40)
    monkeypatch.setenv("FORMWARDEN_SITE_DOMAIN", "example.jp")
    monkeypatch.setenv("FORMWARDEN_STORE_URL", "memory://")
    blocks = re.findall(r"^```python\n(.+?)^```", TEXT, re.DOTALL | re.MULTILINE)
    defined: dict[str, object] = {}
    exec("\n".join(blocks), defined)  # noqa: S102 - the page's own code
    return defined


async def test_the_pages_mailer_sends_what_a_permit_grants_and_refunds_what_cannot_have_left(
    names: dict[str, object], clock: MovableClock
) -> None:
    site = own_site(None, clock)
    names["warden"] = site.warden
    answer: object = names["answer"]
    sent: list[str] = []
    verdict = await site.judged()
    assert await called(answer, verdict, sent.append) == "OK"
    assert await called(answer, verdict, sent.append) == "DUP_LINEAGE"
    assert sent == [verdict.address]

    def down(_: str) -> None:
        raise ConnectionRefusedError

    unlucky = await site.judged()
    await called(answer, unlucky, down)
    row = await site.row(unlucky)
    assert row is not None
    assert (row.state, row.last) == ("dropped", "refunded by the caller")


async def called(function: object, verdict: Verdict, send: Callable[[str], None]) -> object:
    """Call the page's coroutine."""
    assert callable(function)
    result: Awaitable[object] = function(verdict, send)
    return await result


def test_the_pages_mailer_without_a_loop_sends_what_a_permit_grants(
    names: dict[str, object], clock: MovableClock
) -> None:
    site = own_site(None, clock)
    names["warden"] = site.warden
    answer: object = names["answer_without_a_loop"]
    assert callable(answer)
    sent: list[str] = []
    verdict = asyncio.run(site.judged())
    assert answer(verdict, sent.append) == "OK"
    assert answer(verdict, sent.append) == "DUP_LINEAGE"
    assert sent == [verdict.address]


def postbox_of(names: dict[str, object], post: Callable[[str, bytes], int]) -> Sender:
    """Make the page's sender."""
    made: object = names["Postbox"]
    assert callable(made)
    postbox: Sender = made(post)
    return postbox


@pytest.mark.parametrize(
    ("status", "state"), [(202, "sent"), (422, "refused"), (None, "due")], ids=["taken", "refused", "down"]
)
async def test_the_pages_sender_tells_the_outbox_what_became_of_a_reply(
    names: dict[str, object], clock: MovableClock, status: int | None, state: str
) -> None:
    posted: list[tuple[str, bytes]] = []

    def post(recipient: str, data: bytes) -> int:
        if status is None:
            raise ConnectionRefusedError("no route")
        posted.append((recipient, data))
        return status

    site = own_site(postbox_of(names, post), clock)
    verdict = await site.judged()
    await site.warden.reply(verdict)
    await site.later(1.0)
    row = await site.row(verdict)
    assert row is not None
    assert row.state == state
    assert [recipient for recipient, _ in posted] == [verdict.address] * (status is not None)
    assert all(b"Auto-Submitted: auto-generated" in data for _, data in posted)
