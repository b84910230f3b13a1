"""Four worker processes on one store: a budget is never exceeded, whoever races, whoever is killed."""

import asyncio
import os
import signal
from functools import partial
from urllib.parse import urlencode

import httpx2
import pytest

from tests.e2e.demo_site import DemoSite, eventually, nothing_is_due, page_fields
from tests.proof import Proof
from tests.servers.smtp import SmtpPeer
from tests.soak import runs

pytestmark = [pytest.mark.slow, pytest.mark.soak]

DOMAIN = "workshop-of-strings.net"
BOMBED = "victims.played"  # a domain that the demo's own name server plays
WORKERS = 4
BUDGET = 50
SITE_BUDGET = 20
AT_ONCE = 64
BROWSER = {
    "content-type": "application/x-www-form-urlencoded",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept": "text/html",
    "accept-language": "en",
}
ENOUGH = "100000"
# Only the budget under test stands in the way: the others, the shares and the network's 20% (G02), the cap of an
# unproven site (G07) and the velocity signals are put out of it.
OUT_OF_THE_WAY = {
    "site_per_minute": ENOUGH,
    "site_per_hour": ENOUGH,
    "site_per_day": ENOUGH,
    "form_per_hour": ENOUGH,
    "form_per_day": ENOUGH,
    "domain_per_hour": ENOUGH,
    "domain_per_day": ENOUGH,
    "client_per_hour_plain": ENOUGH,
    "client_per_hour": ENOUGH,
    "client_per_day": ENOUGH,
    "unproven_per_hour": ENOUGH,
    "unproven_per_day": ENOUGH,
    "network_share": "1",
    "plain_share": "1",
    "shown_share": "1",
    "provider_share": "1",
    "large_provider_share": "1",
    "min_age_s": "0",
    "weights": "client_velocity=0 network_velocity=0 address_velocity=0 domain_velocity=0 same_text=0 near_text=0",
}
WORDS = ("violin", "viola", "cello", "bass", "guitar", "harp", "lute", "oud", "koto", "biwa", "sitar", "banjo")


def settings(peer: SmtpPeer, budget: dict[str, str]) -> dict[str, str]:
    return {
        "smtp_url": peer.url,
        "site_domain": DOMAIN,
        "trusted_proxies": "127.0.0.1/32",
        **OUT_OF_THE_WAY,
        **budget,
    }


def client_address(number: int) -> str:
    """Give everybody a network of their own."""
    return f"{11 + number // 65_536}.{number // 256 % 256}.{number % 256}.33"


def inquiry(number: int) -> dict[str, str]:
    """Write a text that is like no other."""
    words = " ".join(WORDS[number // 12**place % 12] for place in range(4))
    return {
        "name": f"Person {number}",
        "email": f"person.{number}@{BOMBED}",
        "message": f"My {words} with number {number:x} needs a new {WORDS[number % 12]} string, what would it cost?",
    }


async def storm(url: str, count: int, killing: asyncio.Event | None = None) -> int:
    """Fetch a page for everybody, then send all forms at once; return how many were answered."""
    gate, answered = asyncio.Semaphore(AT_ONCE), 0
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)  # spread over the workers
    async with httpx2.AsyncClient(base_url=url, timeout=120, limits=limits) as client:

        async def page(number: int) -> dict[str, str]:
            async with gate:
                answer = await client.get("/contact", headers={**BROWSER, "x-forwarded-for": client_address(number)})
                return page_fields(answer.text)

        async def post(number: int, fields: dict[str, str]) -> None:
            nonlocal answered
            async with gate:
                body = urlencode({**fields, **inquiry(number)})
                headers = {**BROWSER, "x-forwarded-for": client_address(number)}
                try:
                    await client.post("/contact", content=body, headers=headers)
                except httpx2.TransportError:
                    return  # its worker was killed
                answered += 1
                if killing is not None and answered > count // 4:
                    killing.set()

        pages = await asyncio.gather(*(page(number) for number in range(count)))
        await asyncio.gather(*(post(number, fields) for number, fields in enumerate(pages)))
    return answered


def strangers(peer: SmtpPeer) -> list[str]:
    """Name everybody who was mailed and is no staff."""
    return [mail.rcpt_tos[0] for mail in peer.mails if mail.rcpt_tos[0].endswith(f"@{BOMBED}")]


def all_are_up(site: DemoSite) -> bool:
    return len(site.worker_pids()) == WORKERS


@pytest.mark.parametrize(
    ("budget", "codes", "exactly"),
    [
        ({"domain_per_hour": str(BUDGET), "domain_per_day": str(BUDGET)}, {"DOMAIN_RATE"}, BUDGET),
        (
            {
                "domain_per_hour": str(BUDGET),
                "domain_per_day": str(BUDGET),
                "site_per_hour": str(SITE_BUDGET),
                "site_per_day": str(SITE_BUDGET),
            },
            {"SITE_RATE", "PROVIDER_RATE"},  # a provider's budget is a share of the site's, here the whole
            SITE_BUDGET,
        ),
    ],
    ids=["one domain", "the site"],
)
def test_distinct_people_at_one_domain_get_exactly_the_budget(
    budget: dict[str, str], codes: set[str], exactly: int, proof: Proof
) -> None:
    count = runs(160, 2_000)
    for _ in range(runs(1, 5)):
        with SmtpPeer() as peer, DemoSite(settings(peer, budget), workers=WORKERS) as site:
            eventually("all workers are up", partial(all_are_up, site))
            answered = asyncio.run(storm(site.url, count))
            eventually("every reply is sent", partial(nothing_is_due, site))
            overview = site.overview()
            mailed = strangers(peer)
        assert answered == count
        assert overview.states() == {"done": count}
        assert overview.codes().pop("OK") == exactly
        assert set(overview.codes()) - {"OK"} <= codes
        assert len(mailed) == exactly
        assert len(set(mailed)) == exactly
        proof(
            f"{WORKERS} workers on one store, distinct people at one domain, tightest budget {exactly}",
            submissions=count,
            auto_replies=len(mailed),
        )


def test_a_worker_killed_in_mid_run_never_makes_it_more(proof: Proof) -> None:
    count = runs(160, 2_000)
    budget = {"domain_per_hour": str(BUDGET), "domain_per_day": str(BUDGET)}
    with SmtpPeer() as peer, DemoSite(settings(peer, budget), workers=WORKERS) as site:

        async def kill_one(killing: asyncio.Event) -> None:
            await killing.wait()
            os.kill(site.worker_pids()[0], signal.SIGKILL)

        async def run() -> None:
            killing = asyncio.Event()
            killer = asyncio.create_task(kill_one(killing))
            await storm(site.url, count, killing)
            await killer

        asyncio.run(run())
        eventually("every reply is sent or lost", lambda: nothing_is_due(site), patience_s=150)
        overview = site.overview()
        mailed = strangers(peer)
    assert len(mailed) <= BUDGET
    assert len(set(mailed)) == len(mailed)
    assert overview.codes()["OK"] == BUDGET
    proof(
        f"{WORKERS} workers on one store, one of them killed in mid-run, budget {BUDGET}",
        submissions=count,
        auto_replies=len(mailed),
    )
