"""Keyed hashes of what is counted."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from formwarden import AutoReply, GuardedForm, Settings, Submission, Warden
from formwarden.subjects import ClientSubjects, Subjects, bounced
from formwarden.submission import Client
from tests.clock import MovableClock
from tests.sites import BROWSER, DOMAIN, STAFF, RecordingSender, ScriptedResolver

DAY_S = 86_400.0
NOON = 20_000 * DAY_S + DAY_S / 2
PEER = "93.184.215.14"  # not in any other text or figure of the test
SIX = "2001:db8:1234:5678:9abc:def0:1357:2468"
BEHIND = "198.51.100.77"


def test_g20_a_client_has_another_key_every_day() -> None:
    subjects = ClientSubjects((b"secret",))
    today = subjects.keys("client", b"peer", now=NOON, window_s=60)
    tomorrow = subjects.keys("client", b"peer", now=NOON + DAY_S, window_s=60)
    assert len(today) == len(tomorrow) == 1
    assert today != tomorrow


def test_g20_a_question_is_asked_under_every_key_its_window_touches() -> None:
    subjects = ClientSubjects((b"secret",))
    days = [subjects.keys("client", b"peer", now=NOON - day * DAY_S, window_s=60)[0] for day in range(8)]
    assert subjects.keys("client", b"peer", now=NOON, window_s=2 * DAY_S) == tuple(days[:3])
    assert subjects.keys("client", b"peer", now=NOON, window_s=100 * DAY_S) == tuple(days)


def test_a_window_over_midnight_touches_two_days() -> None:
    subjects = ClientSubjects((b"secret",))
    assert len(subjects.keys("client", b"peer", now=20_000 * DAY_S + 30, window_s=60)) == 2


def test_g20_an_inquiry_keeps_its_client_under_the_keys_of_every_day_its_hold_reaches_into() -> None:
    subjects = ClientSubjects((b"secret",))
    facts = subjects.facts(client=b"peer", network=None, now=NOON, hold_s=3 * DAY_S)
    assert set(facts) == {"client"}
    kept = facts["client"]
    assert isinstance(kept, list)
    for day in range(4):
        (key,) = subjects.keys("client", b"peer", now=NOON + day * DAY_S, window_s=60)
        assert key.hex() in kept


@pytest.mark.parametrize("hold_days", [6, 6.5, 7, 30, 1_000])
@pytest.mark.parametrize("hour", [0, 12, 23.99])
def test_g20_however_long_a_hold_every_day_that_can_be_read_then_is_among_the_keys(
    hold_days: float, hour: float
) -> None:
    subjects = ClientSubjects((b"secret",))
    now = 20_000 * DAY_S + hour * 3_600
    kept = subjects.facts(client=b"peer", network=None, now=now, hold_s=hold_days * DAY_S)["client"]
    assert isinstance(kept, list)
    assert len(kept) == 14  # the eight that can be read today, and those of the six days to come
    for day in range(-7, 7):
        (key,) = subjects.keys("client", b"peer", now=now + day * DAY_S, window_s=0)
        assert key.hex() in kept


def test_g20_what_can_be_read_today_are_eight_days_newest_first() -> None:
    subjects = ClientSubjects((b"secret",))
    assert subjects.readable("client", b"peer", now=NOON) == subjects.keys(
        "client", b"peer", now=NOON, window_s=100 * DAY_S
    )


def test_g12_a_bounce_is_written_under_keys_of_its_own_of_the_same_days() -> None:
    keys = ClientSubjects((b"secret",)).readable("client", b"peer", now=NOON)
    other = ClientSubjects((b"secret",)).readable("client", b"other", now=NOON)
    assert [key[0] for key in bounced(keys)] == [key[0] for key in keys]
    assert not set(bounced(keys)) & {*keys, *other, *bounced(other)}
    assert bounced(keys[:1]) == bounced(keys)[:1]


def test_g05_a_carrier_s_client_is_not_named_and_its_network_is() -> None:
    phone = Client.parse("106.128.1.2")
    facts = ClientSubjects((b"secret",)).facts(client=phone.identity, network=phone.network, now=NOON, hold_s=0.0)
    assert set(facts) == {"network", "carrier"}
    assert facts["carrier"] is True


def test_every_secret_key_names_a_client_newest_first() -> None:
    both = ClientSubjects((b"new", b"old")).keys("client", b"peer", now=NOON, window_s=60)
    assert both == (
        *ClientSubjects((b"new",)).keys("client", b"peer", now=NOON, window_s=60),
        *ClientSubjects((b"old",)).keys("client", b"peer", now=NOON, window_s=60),
    )


def test_g20_an_older_key_keeps_its_name_when_a_newer_one_comes() -> None:
    before = Subjects((b"first",)).keys("address", "a@example.com")
    after = Subjects((b"second", b"first")).keys("address", "a@example.com")
    assert after[1] == before[0]
    assert after[0][0] != after[1][0]


def test_kinds_and_values_do_not_run_into_each_other() -> None:
    subjects = Subjects((b"key",))
    assert subjects.keys("form", "a") != subjects.keys("address", "a")
    assert subjects.keys("form", "a") != subjects.keys("forma", "")
    assert subjects.keys("form", "a") == subjects.keys("form", b"a")


def test_a_subject_holds_nothing_of_what_it_names() -> None:
    (key,) = Subjects((b"key",)).keys("address", "somebody@example.com")
    assert len(key) == 17
    assert b"somebody" not in bytes(key)


def test_half_a_surrogate_pair_can_be_named_too() -> None:
    assert Subjects((b"key",)).keys("address", "\ud800@example.com")


# ------------------------------------------------------------------ on disk
def spellings(address: str) -> dict[str, bytes]:
    """How an address, or what one is counted by, could stand in a file."""
    ip = ip_address(address)
    client = Client.parse(address)
    assert client.identity is not None
    assert client.network is not None
    packed = {"address": ip.packed, "client": client.identity, "network": client.network}
    texts = {"text": str(ip).encode(), "long text": ip.exploded.encode(), "head": str(ip)[:-3].encode()}
    return texts | packed | {f"{name} in hex": each.hex().encode() for name, each in packed.items()}


@pytest.mark.anyio
async def test_g20_a_day_of_submissions_leaves_no_address_of_a_client_on_disk(tmp_path: Path) -> None:
    clock = MovableClock()
    settings = Settings.only(
        secret_keys="k" * 40,
        site_domain=DOMAIN,
        staff_address=STAFF,
        store_url=f"sqlite:///{tmp_path / 'fw.db'}",
        trusted_proxies="10.0.0.0/8",
        work="cron",
    )
    form = GuardedForm("contact", reply=AutoReply())
    sender = RecordingSender()
    warden = Warden(form, settings=settings, clock=clock, resolver=ScriptedResolver(), sender=sender)
    ways: tuple[tuple[str, dict[str, str]], ...] = (
        (PEER, {}),
        (SIX, {}),
        ("10.0.0.1", {"x-forwarded-for": f"{PEER}, {BEHIND}"}),
    )
    for hour in range(25):
        peer, headers = ways[hour % len(ways)]
        typed = {"name": "Taro", "email": f"taro{hour}@gmail.com", "message": f"Question number {hour} of today."}
        sent = Submission("contact", typed, peer=peer, headers={**BROWSER, **headers})
        verdict = await warden.judge(sent)
        assert verdict.client is not None
        await warden.notify(verdict)
        await warden.reply(verdict)
        if hour % 8 == 0:
            await warden.work_once()
        clock.move(3_600)
    await warden.work_once()
    while_open = written(tmp_path)
    await warden.aclose()
    assert sender.mails
    for files in (while_open, written(tmp_path)):
        assert b"Question+number+3+of+today" in files  # bodies are there, so these are the bytes that were written
        for address in (PEER, SIX, BEHIND):
            for name, spelling in spellings(address).items():
                assert spelling not in files, (address, name)


def written(folder: Path) -> bytes:
    """Everything that lies in the folder: the store, its log, the journal."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
