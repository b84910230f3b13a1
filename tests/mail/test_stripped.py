"""Row 12: a name that could be more than one changes the mail, and the row says so; no verdict comes of it."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from formwarden import AutoReply, GuardedForm
from formwarden.mail.outbox import STRIPPED
from formwarden.scoring import Verdict
from formwarden.submission import Fields
from tests.clock import MovableClock
from tests.mail.desks import Desk
from tests.mail.gate_samples import FORMS, memory, row_of, verdict


def typed(name: str, message: str = "hello") -> tuple[Verdict, bytes]:
    wanted = verdict()
    fields = {"name": name, "email": wanted.address or "", "message": message}
    return replace(wanted, fields=Fields(fields)), urlencode(fields).encode()


def desk(clock: MovableClock, auto: AutoReply) -> Desk:
    forms = {**FORMS, "contact": GuardedForm("contact", path="/contact", reply=auto)}
    return Desk(store=memory(clock), clock=clock, forms=forms)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "auto", "stripped"),
    [
        ("www evil test", AutoReply(name=True), True),
        ("https://evil.test", AutoReply(name=True), True),
        ("Taro Yamada", AutoReply(name=True), False),
        ("", AutoReply(name=True), False),
        ("www evil test", AutoReply(), False),
    ],
)
async def test_row_12_a_dropped_name_is_told_before_the_relays_word(
    name: str, auto: AutoReply, clock: MovableClock, *, stripped: bool
) -> None:
    here = desk(clock, auto)
    wanted, body = typed(name)
    assert await here.accept(wanted, body=body) == "OK"
    assert await here.outbox.step() == 1
    row = await row_of(here.store, wanted)
    assert row.state == "sent"
    assert row.last.startswith(STRIPPED) is stripped
    assert row.last.endswith("250 2.0.0 queued")


@pytest.mark.anyio
async def test_a_body_that_is_gone_leaves_nobody_to_name(clock: MovableClock) -> None:
    here = desk(clock, AutoReply(name=True))
    wanted, _ = typed("Taro Yamada")
    assert await here.accept(wanted, body=None) == "OK"
    assert await here.outbox.step() == 1
    (mail,) = here.relay.mails
    assert b"Taro" not in mail.data
