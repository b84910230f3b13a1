"""What the staff hears of, on a whole site."""

from pathlib import Path

import pytest

from formwarden import Settings, Warden
from formwarden.facts import Facts
from formwarden.scoring import Evidence, signal
from formwarden.stores.ports import Staff, State
from formwarden.submission import Submission
from tests.clock import MovableClock
from tests.sites import STAFF, ScriptedResolver, Site, contact

DAY = 86_400.0


@signal(weight=6.0, group="trap")
def suspicious(submission: Submission, _facts: Facts) -> Evidence | None:
    """Somebody wrote the word bows."""
    return Evidence(text="bows") if "bows" in str(submission.fields.pairs) else None


@signal(weight=3.0, group="content")
def hopeless(submission: Submission, _facts: Facts) -> Evidence | None:
    """Somebody wrote of pills."""
    return Evidence(text="pills") if "pills" in str(submission.fields.pairs) else None


def site_of(tmp_path: Path, **settings: object) -> Site:
    return Site(tmp_path, signals=(suspicious, hopeless), settings=settings)


async def submit(site: Site, message: str) -> None:
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"message": message})


async def day(site: Site) -> None:
    """Let a day pass, six hours at a time."""
    for _ in range(4):
        await site.later(DAY / 4)


@pytest.mark.anyio
async def test_g25_a_suspect_inquiry_reaches_the_staff_at_once_marked_and_nobody_is_answered(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    await submit(site, "Do you repair bows?")
    await site.later(5.0)
    (mail,) = site.sender.mails
    assert mail.recipient == STAFF
    assert str(mail.message["Subject"]).startswith("[held]")
    assert mail.message["Reply-To"] is None
    assert "Do you repair bows?" in mail.text
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.staff, site.verdicts) == (State.HELD, Staff.SENT, [])
    assert await site.row(inquiry.id) is None
    await day(site)
    assert len(site.sender.mails) == 1  # no digest of what was told


@pytest.mark.anyio
async def test_g25_a_marked_inquiry_that_is_released_is_answered_and_comes_to_the_staff_once(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    await submit(site, "Do you repair bows?")
    await site.later(5.0)
    inquiry = await site.inquiry()
    assert await site.warden.release(inquiry.id)
    await site.later(5.0)
    assert len(site.sender.to(STAFF)) == 1
    assert len(site.sender.mails) == 2


@pytest.mark.anyio
async def test_g23_g25_what_has_eight_points_stands_in_the_digest_of_the_day(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    await site.later(5.0)
    await submit(site, "pills for bows, pills for violins")
    await site.later(5.0)
    assert site.sender.mails == []
    await day(site)
    (mail,) = site.sender.mails
    assert str(mail.message["Subject"]) == "1 inquiries are held"
    assert "pills for bows" in mail.text
    assert "http" not in mail.text
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.staff) == (State.HELD, Staff.NONE)
    await site.warden.release(inquiry.id)
    await site.later(5.0)
    assert "pills for bows" in site.sender.to(STAFF)[-1].text  # the whole of it comes when it is released


@pytest.mark.anyio
@pytest.mark.parametrize(("way", "at_once"), [("digest", 0), ("each", 2)])
async def test_g25_the_owner_chooses_a_digest_or_a_mail_each(tmp_path: Path, way: str, at_once: int) -> None:
    site = site_of(tmp_path, on_hold=way)
    await site.later(5.0)
    for message in ("Do you repair bows?", "pills for bows"):
        await submit(site, message)
    await site.later(5.0)
    assert len(site.sender.mails) == at_once
    await day(site)
    assert len(site.sender.mails) == (at_once or 1)


@pytest.mark.anyio
async def test_g25_a_week_in_which_nothing_came_has_a_summary_all_the_same_and_one(tmp_path: Path) -> None:
    site = site_of(tmp_path, public_url="https://bow-makers.jp")
    await site.later(5.0)
    for _ in range(14):
        await day(site)
    subjects = [str(mail.message["Subject"]) for mail in site.sender.mails]
    assert subjects == ["Weekly summary: 0 inquiries, 0 held, 0 auto-replies"] * 2
    assert "https://bow-makers.jp" in site.sender.mails[0].text


@pytest.mark.anyio
async def test_g25_an_owner_who_wants_no_summary_gets_none(tmp_path: Path) -> None:
    site = site_of(tmp_path, weekly_summary=False)
    await site.later(5.0)
    for _ in range(8):
        await day(site)
    assert site.sender.mails == []


@pytest.mark.anyio
async def test_the_names_of_files_stand_in_the_staffs_mail(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"message": "here"}, files={"photo": ("bow.png", b"x", "image/png")})
    await site.later(5.0)
    assert "File: bow.png" in site.sender.to(STAFF)[0].text


@pytest.mark.anyio
@pytest.mark.parametrize("missing", ["smtp_url", "staff_address"])
async def test_where_nobody_can_be_told_what_is_held_waits_for_no_mail(tmp_path: Path, missing: str) -> None:
    warden = Warden(
        contact(path=()),
        settings=Settings.only(
            **{
                "secret_keys": "k" * 40,
                "site_domain": "bow-makers.jp",
                "staff_address": STAFF,
                "smtp_url": "smtp://127.0.0.1:1",
                "store_url": "memory://",
                "journal_path": str(tmp_path / "journal"),
                "work": "cron",
                missing: () if missing == "staff_address" else None,
            }
        ),
        signals=(suspicious,),
        clock=MovableClock(),
        resolver=ScriptedResolver(),
    )
    await warden.judge(Submission("contact", [("email", "ann@gmail.com"), ("message", "bows")]))
    await warden.work_once()
    (row,) = (await warden.overview()).rows
    assert (row.inquiry.state, row.inquiry.staff) == (State.HELD, Staff.NONE)
    assert warden.faults.of("staff mail") == 0
