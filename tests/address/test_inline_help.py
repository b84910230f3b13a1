"""Help where the address is typed, in place of a refusal: from the page to the mail that never leaves."""

import asyncio
from pathlib import Path

import pytest

from formwarden.address.messages import SENTENCES
from formwarden.address.report import Flag, Status
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.scoring import Standing
from formwarden.stores.ports import State
from tests.address.played_resolver import PlayedResolver, a
from tests.sites import MESSAGE, ScriptedResolver, Site, read_page

TYPED = "taro@gmial.com"


@pytest.mark.anyio
async def test_g22_a_definite_no_is_asked_about_once_and_sent_unchanged_it_is_accepted_and_never_mailed(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    site.resolver.gone.add("gmial.com")
    visitor = site.visitor()
    asked = await visitor.send(await visitor.open(), {"email": TYPED})

    assert SENTENCES["en"] in asked.text
    assert "taro@gmail.com" in asked.text
    assert MESSAGE in asked.text
    assert not any(word in asked.text.lower() for word in ("nxdomain", "dns", "undeliverable"))  # no oracle of names
    assert site.verdicts == []

    taken = await visitor.send(read_page(asked), {"email": TYPED})
    assert taken.status_code == 303  # asked once
    (verdict,) = site.verdicts
    assert verdict.report is not None
    assert (verdict.address, verdict.report.status) == (TYPED, Status.UNDELIVERABLE)
    assert (verdict.fields["message"], verdict.standing) == (MESSAGE, Standing.DOUBTFUL)
    row = await site.row(verdict.id)
    assert row is not None
    assert (row.state, row.code) == ("suppressed", "ADDR_UNDELIVERABLE")

    site.resolver.gone.clear()  # and if DNS changes its mind
    for seconds in (60, 600, 3_600, 86_400, 3 * 86_400):
        await site.later(seconds)
    assert site.sender.to(TYPED) == []
    assert {inquiry.state for inquiry in await site.inquiries()} <= {State.DONE, State.DISCARDED}


@pytest.mark.anyio
@pytest.mark.parametrize("ill", ["silent", "late"])
async def test_nobody_is_asked_where_dns_does_not_say(ill: str, tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"dns_deadline_s": 0.02})
    if ill == "silent":
        site.resolver.silent.add("nagoya-bow.jp")
    else:
        site.resolver.late = asyncio.Event()
    visitor = site.visitor()

    assert (await visitor.send(await visitor.open(), {"email": "taro@nagoya-bow.jp"})).status_code == 303
    (verdict,) = site.verdicts
    row = await site.row(verdict.id)
    assert row is not None
    assert (verdict.score, row.state, row.code) == (0, "held", "ADDR_DNS_TEMP")


class WithoutMx(ScriptedResolver):
    """Knows one domain without MX, whose server does not say how it sends until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        nodata = DnsAnswer(rcode=Rcode.NODATA, soa=True)
        self.table = {("web.com", "MX"): nodata, ("web.com", "A"): a()}
        self.spf = DnsAnswer(rcode=Rcode.TIMEOUT)

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        if (name, rdtype) == ("web.com", "TXT"):
            return self.spf
        return await PlayedResolver(self.table).resolve(name, rdtype, timeout_s=timeout_s)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("said", "mails", "code"),
    [
        (DnsAnswer(rcode=Rcode.NODATA, soa=True), 1, "OK"),
        (DnsAnswer(rcode=Rcode.OK, records=((0, "v=spf1 -all"),), ttl_s=300), 0, "HELD_SUSPECT"),
        (DnsAnswer(rcode=Rcode.TIMEOUT), 0, "HELD_SUSPECT"),
    ],
    ids=["nothing", "sends nothing", "never heard"],
)
async def test_a_reply_to_a_domain_without_mx_waits_until_it_is_heard_how_that_sends(
    said: DnsAnswer, mails: int, code: str, tmp_path: Path
) -> None:
    site = Site(tmp_path, resolver=WithoutMx())
    resolver = site.resolver
    assert isinstance(resolver, WithoutMx)
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open(), {"email": "taro@web.com"})).status_code == 303
    (verdict,) = site.verdicts
    assert verdict.report is not None
    assert verdict.report.flags == {Flag.WEAK, Flag.SPF_UNKNOWN}
    held = await site.row(verdict.id)
    assert held is not None
    assert (held.state, held.code, verdict.standing) == ("held", "ADDR_DNS_TEMP", Standing.SHOWN)

    resolver.spf = said
    for seconds in (60, 1, 540, 1, 3_000, 1, 300):
        await site.later(seconds)
    row = await site.row(verdict.id)
    assert row is not None
    assert len(site.sender.to("taro@web.com")) == mails
    assert row.code == code
