"""Four worker processes on one store: a budget is never exceeded, whoever races, whoever is killed."""

import asyncio
import os
import signal
from functools import partial

import httpx2
import pytest

from tests.e2e.crowd import OUT_OF_THE_WAY, body, headers
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


def settings(peer: SmtpPeer, budget: dict[str, str]) -> dict[str, str]:
    return {
        "smtp_url": peer.url,
        "site_domain": DOMAIN,
        "trusted_proxies": "127.0.0.1/32",
        **OUT_OF_THE_WAY,
        **budget,
    }


async def storm(url: str, count: int, killing: asyncio.Event | None = None) -> int:
    """Fetch a page for everybody, then send all forms at once; return how many were answered."""
    gate, answered = asyncio.Semaphore(AT_ONCE), 0
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)  # spread over the workers
    async with httpx2.AsyncClient(base_url=url, timeout=120, limits=limits) as client:

        async def page(number: int) -> dict[str, str]:
            async with gate:
                answer = await client.get("/contact", headers=headers(number))
                return page_fields(answer.text)

        async def post(number: int, fields: dict[str, str]) -> None:
            nonlocal answered
            async with gate:
                try:
                    await client.post("/contact", content=body(fields, number, BOMBED), headers=headers(number))
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
