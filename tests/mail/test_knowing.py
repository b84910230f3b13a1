"""Whom a site knows (G03): told by `warden.remember`, read by the gate, and of no use against any other row."""

from dataclasses import replace
from pathlib import Path

import pytest
from anyio import to_thread

from formwarden import Action, AddressError, Verdict
from formwarden.errors import StoreError
from formwarden.mail.knowing import Knowing
from formwarden.scoring import Standing
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import REPLIES_OFF, Key, Ours, Outcome, OutcomeKind
from formwarden.stores.settings import Stores
from formwarden.subjects import Subjects
from tests.clock import MovableClock
from tests.mail.own_mailer import OwnSite, own_site
from tests.mail.test_own_mailer import DEAD, ENOUGH, Postbox
from tests.sites import DOMAIN, Site

pytestmark = pytest.mark.anyio
ANN = "ann.bee@gmail.com"


def doubtful(verdict: Verdict) -> Verdict:
    return replace(verdict, standing=Standing.DOUBTFUL)


async def known(site: OwnSite, address: str) -> Verdict:
    """Let a known person fill in the form, of whom nothing else is known."""
    await site.warden.remember(address)
    return doubtful(await site.judged(address))


async def test_g03_a_known_persons_reply_is_held_by_no_doubt_row_13(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    verdict = doubtful(await site.judged(ANN))
    assert (await site.warden.preview(verdict)).code == "HELD_SUSPECT"
    await site.warden.remember("Ann.Bee+forms@googlemail.com")
    assert (await site.warden.preview(verdict)).code == "OK"
    await site.warden.remember("annbee@gmail.com", known=False)
    assert (await site.warden.preview(verdict)).code == "HELD_SUSPECT"


async def test_g03_who_writes_is_not_known_by_his_domain(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    await site.warden.remember("ann@town.jp")
    assert (await site.warden.preview(doubtful(await site.judged("bob@town.jp")))).code == "HELD_SUSPECT"


async def test_g03_the_blocking_twin_remembers_too(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    verdict = doubtful(await site.judged(ANN))
    await to_thread.run_sync(site.warden.sync.remember, ANN)  # as a handler on a thread of its own does
    assert (await site.warden.preview(verdict)).code == "OK"


@pytest.mark.parametrize("address", ["", "nobody", "a@b.jp, c@d.jp", "Ann <a@b.jp>", "a@b.jp\r\nBcc: v@x.jp"])
async def test_what_is_no_single_address_is_refused_and_nothing_is_written(clock: MovableClock, address: str) -> None:
    site = own_site(Postbox(), clock)
    with pytest.raises(AddressError, match="no address that mail could go to"):
        await site.warden.remember(address)


async def test_a_ledger_that_is_down_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("measures", StoreError("disk full"))
    with pytest.raises(StoreError, match="disk full"):
        await site.warden.remember(ANN)


async def test_g20_known_under_an_older_key_is_known_and_forgotten_under_all(clock: MovableClock) -> None:
    store = MemoryStore(clock=clock, entropy=lambda size: b"n" * size, settings=Stores())
    old, both = [b"o" * 32], [b"n" * 32, b"o" * 32]

    def knowing(keys: list[bytes]) -> Knowing:
        async def given() -> list[bytes]:
            return keys

        return Knowing(store.measures, given)

    async def is_known() -> bool:
        keys: tuple[Key, ...] = Subjects(both).keys("address", "annbee@gmail.com")
        return (await store.ledger.reputation(keys)).known

    await knowing(old).remember(ANN)
    assert await is_known()
    await knowing(both).remember(ANN)
    await knowing(both).remember(ANN, known=False)
    assert not await is_known()


# ------------------------------------------------------------------------------------- it skips nothing else
async def test_g03_row_1_the_switch_stops_a_known_person_too(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    verdict = await known(site, ANN)
    await site.store.ledger.suppress(REPLIES_OFF, cause="manual", until=None)
    assert (await site.warden.reply(verdict)).code == "AR_OFF"


async def test_g03_row_3_a_known_person_on_the_list_gets_none(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    verdict = await known(site, ANN)
    key = Subjects(await site.store.recipient_keys()).keys("address", "annbee@gmail.com")[0]
    await site.store.ledger.suppress(key, cause="complaint", until=None)
    assert (await site.warden.reply(verdict)).code == "SUPP_COMPLAINT"


async def test_g03_row_4_what_a_bot_types_is_no_known_persons(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    verdict = replace(await known(site, ANN), judged=Action.QUARANTINE)
    assert (await site.warden.reply(verdict)).code == "BOT"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("ann@gone.jp", "ADDR_UNDELIVERABLE"),  # row 5
        ("ann@silent.jp", "ADDR_DNS_TEMP"),  # row 6
        (f"ann@{DOMAIN}", "OWN_DOMAIN"),  # row 7
        ("noreply@town.jp", "ROLE_SYSTEM"),  # row 8
        ("5551234567@vtext.com", "SMS_GATEWAY"),  # row 9
    ],
)
async def test_g03_rows_5_to_9_hold_for_a_known_person_too(clock: MovableClock, address: str, code: str) -> None:
    site = own_site(Postbox(), clock)
    site.resolver.gone.add("gone.jp")
    site.resolver.silent.add("silent.jp")
    assert (await site.warden.reply(await known(site, address))).code == code


async def test_g03_row_11_an_open_breaker_stops_a_known_person_too(clock: MovableClock) -> None:
    postbox = Postbox()
    site = own_site(postbox, clock)
    postbox.says = DEAD
    for _ in range(ENOUGH):
        await site.warden.reply(await site.judged())
        await site.later(1.0)
    assert (await site.warden.reply(await known(site, ANN))).code == "BREAKER_SITE"


async def test_g03_row_14_a_known_person_is_answered_once_too(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    assert (await site.warden.reply(await known(site, ANN))).code == "OK"
    assert (await site.warden.reply(await known(site, ANN))).code == "DUP_24H"


async def test_g03_rows_16_and_17_a_known_person_has_a_share_of_his_own_and_the_whole_ends_for_him_too(
    clock: MovableClock,
) -> None:
    site = own_site(Postbox(), clock, site_per_hour=4)
    codes = [(await site.warden.reply(await site.judged())).code for _ in range(4)]
    assert codes == ["OK", "OK", "OK", "SITE_RATE"]  # three quarters
    mine = [(await site.warden.reply(await known(site, f"ann@city-{number}.jp"))).code for number in range(2)]
    assert mine == ["OK", "SITE_RATE"]


async def test_g03_row_18_a_half_open_breaker_does_not_concern_a_known_person(clock: MovableClock) -> None:
    site = own_site(Postbox(), clock)
    first = await site.judged(ANN)
    await site.warden.reply(first)
    await site.store.ledger.due(1, lease_s=60.0)
    row = await site.row(first)
    assert row is not None
    distrust = Outcome(
        id=b"1", reply_id=row.reply_id, kind=OutcomeKind.OURS, reason="421 4.7.28", ours=Ours.REPUTATION
    )
    await site.store.ledger.settle(distrust)
    other = "bob@gmail.com"
    assert (await site.warden.reply(await known(site, other))).code == "BREAKER_PROVIDER"
    site.clock.move(4 * 3_600.0 + 60.0)
    stranger = replace(await site.judged("cy@gmail.com"), standing=Standing.PLAIN)
    assert (await site.warden.reply(stranger)).code == "BREAKER_PROBE"
    assert (await site.warden.reply(await known(site, "dee@gmail.com"))).code == "OK"
