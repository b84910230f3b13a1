from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from formwarden import Action, Fields, Standing, StoreError, Upload, Verdict
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.mail.notices import NoRelay, Notices
from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.mail.settings import Mail
from formwarden.mail.staff_mail import StaffMail
from formwarden.site import Site
from formwarden.stores.journal import Journal
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Staff
from formwarden.stores.settings import Stores
from tests.clock import MovableClock
from tests.ill_store import IllStore
from tests.sites import RecordingSender
from tests.stores.samples import inquiry

STAFF = ("staff@shop.example.jp", "boss@shop.example.jp")
VERDICT = Verdict(
    id=b"submission 1",
    receipt="FW-AAAA-BBBB",
    form="contact",
    action=Action.ACCEPT,
    judged=Action.ACCEPT,
    score=1.5,
    hits=(),
    standing=Standing.PLAIN,
    fields=Fields([("name", "Taro"), ("message", "Do you repair bows?")]),
    uploads=(Upload(field="photo", filename="bow.png", content_type="image/png", size=1, sha256=b""),),
    address="taro@gmail.com",
    staff_reply_to="taro@gmail.com",
)


class Desk:
    def __init__(self, clock: MovableClock, folder: Path, staff: tuple[str, ...] = STAFF) -> None:
        self.clock = clock
        self.faults = Faults(clock)
        self.journal = Journal(
            folder / "journal", limit_bytes=100_000, clock=clock, entropy=system_entropy, faults=self.faults
        )
        self.sender = RecordingSender()
        self.store = IllStore(MemoryStore(clock=clock, entropy=bytes, settings=Stores()))
        site = Site(site_domain="shop.example.jp", staff_address=staff)
        self._mail = StaffMail(site, Mail(), clock, lambda size: b"1" * size)
        self.notices = self.with_sender(self.sender)

    def with_sender(self, sender: Sender) -> Notices:
        return Notices(
            inquiries=self.store.inquiries,
            journal=self.journal,
            mail=self._mail,
            sender=sender,
            deadline_s=20,
            clock=self.clock,
            faults=self.faults,
        )

    async def staff(self) -> Staff:
        kept = await self.store.well.inquiries.get(VERDICT.id)
        assert kept is not None
        return kept.staff


@pytest.fixture
async def desk(clock: MovableClock, tmp_path: Path) -> Desk:
    desk = Desk(clock, tmp_path)
    await desk.store.well.inquiries.keep(inquiry(1), lease_s=0)
    return desk


@pytest.mark.anyio
async def test_g24_the_staffs_mail_waits_with_its_inquiry(desk: Desk) -> None:
    await desk.notices.notify(VERDICT)
    assert await desk.staff() is Staff.DUE
    assert desk.sender.mails == []


@pytest.mark.anyio
async def test_g24_telling_twice_is_telling_once(desk: Desk) -> None:
    await desk.notices.notify(VERDICT)
    await desk.store.well.inquiries.staff(VERDICT.id, to=Staff.SENT)
    await desk.notices.notify(VERDICT)
    assert await desk.staff() is Staff.SENT


async def unrecorded(_: Desk) -> Verdict:
    return replace(VERDICT, recorded=False)


async def unknown(_: Desk) -> Verdict:
    return replace(VERDICT, id=b"erased meanwhile")


async def ill(desk: Desk) -> Verdict:
    desk.store.fails("inquiries", StoreError("disk full"))
    return VERDICT


@pytest.mark.anyio
@pytest.mark.parametrize("why", [unrecorded, unknown, ill])
async def test_without_its_inquiry_the_mail_is_sent_here_and_now(desk: Desk, why: Callable[[Desk], object]) -> None:
    verdict = await why(desk)  # type: ignore[misc]  # each is a coroutine function
    await desk.notices.notify(verdict)
    assert [mail.recipient for mail in desk.sender.mails] == list(STAFF)
    text = desk.sender.mails[0].text
    for expected in ("Do you repair bows?", "FW-AAAA-BBBB", "bow.png", "taro@gmail.com"):
        assert expected in text
    assert desk.sender.mails[0].message["Reply-To"] == "taro@gmail.com"
    assert desk.faults.of("inquiries") == (1 if why is ill else 0)


@pytest.mark.anyio
async def test_a_store_that_is_known_to_be_down_is_not_asked(desk: Desk) -> None:
    await desk.notices.notify(replace(VERDICT, recorded=False))
    assert desk.store.health_of.calls == []


@pytest.mark.anyio
@pytest.mark.parametrize("state", [SendState.REFUSED, SendState.NOT_SENT, SendState.UNKNOWN])
async def test_a_mail_that_is_not_taken_is_counted_for_each_of_the_staff(desk: Desk, state: SendState) -> None:
    desk.sender.says = SendResult(state=state, code=451, text="try later")
    await desk.notices.notify(replace(VERDICT, recorded=False))
    assert desk.faults.of("staff mail") == 2
    assert desk.faults.all()[0].why == "try later"


@pytest.mark.anyio
async def test_without_a_relay_it_is_counted_with_the_setting_to_set(desk: Desk) -> None:
    await desk.with_sender(NoRelay()).notify(replace(VERDICT, recorded=False))
    assert "FORMWARDEN_SMTP_URL" in desk.faults.all()[0].why


@pytest.mark.anyio
async def test_without_a_staff_address_it_is_counted_with_the_setting_to_set(
    clock: MovableClock, tmp_path: Path
) -> None:
    desk = Desk(clock, tmp_path, staff=())
    await desk.notices.notify(replace(VERDICT, recorded=False))
    assert "FORMWARDEN_STAFF_ADDRESS" in desk.faults.all()[0].why


@pytest.mark.anyio
async def test_a_mail_that_cannot_be_written_is_counted_and_does_not_fail_the_endpoint(
    clock: MovableClock, tmp_path: Path
) -> None:
    desk = Desk(clock, tmp_path)
    nowhere = StaffMail(Site(staff_address=STAFF), Mail(), clock, lambda size: b"1" * size)  # no sender is set
    notices = Notices(
        inquiries=desk.store.inquiries,
        journal=desk.journal,
        mail=nowhere,
        sender=desk.sender,
        deadline_s=20,
        clock=clock,
        faults=desk.faults,
    )
    await notices.notify(replace(VERDICT, recorded=False))
    assert desk.faults.of("compose") == 1
    assert desk.sender.mails == []


@pytest.mark.anyio
async def test_no_relay_takes_nothing() -> None:
    result = await NoRelay().send("a@x.jp", "b@y.jp", b"", deadline_s=1.0)
    assert result.state is SendState.NOT_SENT
