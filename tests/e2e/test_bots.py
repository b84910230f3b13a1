"""Bots that do the same a thousand times: held back, kept with their reasons, and no stranger is mailed."""

import asyncio
from functools import partial
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest
from playwright.sync_api import Request

from tests.e2e.demo_site import DemoSite, eventually, nothing_is_due, page_fields
from tests.e2e.people import SENTENCE, fill_in, person_browser, visit
from tests.proof import Proof
from tests.servers.smtp import SmtpPeer
from tests.soak import runs

pytestmark = [pytest.mark.slow]

DOMAIN = "workshop-of-strings.net"
AT_ONCE = 16


def settings(peer: SmtpPeer) -> dict[str, str]:
    return {
        "smtp_url": peer.url,
        "site_domain": DOMAIN,
        "staff_address": f"staff@{DOMAIN}",
        "trusted_proxies": "127.0.0.1/32",
    }


def client_address(number: int) -> str:
    """Give each bot a network of its own."""
    return f"{11 + number // 65_536}.{number // 256 % 256}.{number % 256}.77"


async def post_all(url: str, bodies: list[tuple[str, dict[str, str]]]) -> list[int]:
    """Post each body from the client it comes with, several at once; return the statuses."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:

        async def post(address: str, headers: dict[str, str], body: str) -> int:
            async with gate:
                answer = await client.post("/contact", content=body, headers={**headers, "x-forwarded-for": address})
                return answer.status_code

        return list(
            await asyncio.gather(
                *(post(client_address(n), headers, body) for n, (body, headers) in enumerate(bodies))
            )
        )


@pytest.mark.browser
@pytest.mark.soak
def test_one_recorded_browser_post_replayed_from_many_clients_mails_nobody_else(proof: Proof) -> None:
    times = runs(100, 1_000)
    recorded: list[tuple[str, dict[str, str]]] = []

    def record(request: Request) -> None:
        if request.method == "POST":
            recorded.append((request.post_data or "", dict(request.headers)))

    with SmtpPeer() as peer, DemoSite(settings(peer)) as site:
        with person_browser() as browser:
            context = visit(browser, language="en-GB")
            context.on("request", record)
            fill_in(context, site.url, name="Hanako", address="hanako.sato@gmail.com", message=SENTENCE)
            context.close()
        peer.wait_for(2)
        [(body, headers)] = recorded
        typed = parse_qsl(body, keep_blank_values=True)

        def with_address(number: int) -> str:
            return urlencode([(k, f"invented.{number}@gmail.com" if k == "email" else v) for k, v in typed])

        statuses = asyncio.run(post_all(site.url, [(with_address(n), headers) for n in range(times)]))
        eventually("every reply is sent", partial(nothing_is_due, site))
        overview = site.overview()
        mailed = [mail for mail in peer.mails if mail.rcpt_tos != (f"staff@{DOMAIN}",)]
    assert [mail.rcpt_tos for mail in mailed] == [("hanako.sato@gmail.com",)]
    assert set(statuses) <= {200, 303, 403}
    assert len(overview.inquiries) == times + 1
    bots = overview.inquiries[:-1]
    assert overview.states().get("done") == 1
    assert all(bot["hits"] for bot in bots)
    assert sum("token_replayed" in str(bot["hits"]) for bot in bots) == times
    assert overview.page["faults"] == []
    proof(
        "one recorded browser post replayed with other Gmail addresses from many clients",
        posts=times,
        auto_replies_beyond_the_first=len(mailed) - 1,
        kept_with_reasons=len(bots),
        states=overview.states(),
    )


@pytest.mark.soak
def test_a_script_that_fetches_the_page_and_sends_the_same_text_a_thousand_times_is_held(proof: Proof) -> None:
    times = runs(60, 1_000)
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "accept": "text/html",
        "accept-language": "en",
    }
    own = {"min_age_s": "0"}  # it waits as long as it is asked to
    with SmtpPeer() as peer, DemoSite({**settings(peer), **own}) as site:
        bodies = []
        with httpx2.Client(base_url=site.url) as client:
            for number in range(times):
                page = client.get("/contact", headers={"x-forwarded-for": client_address(number)})
                typed = {
                    "name": "Best Offers",
                    "email": f"someone.{number}@gmail.com",
                    "message": "We bring a thousand visitors to your shop every day, ask us for a price.",
                }
                bodies.append((urlencode({**page_fields(page.text), **typed}), headers))
        asyncio.run(post_all(site.url, bodies))
        eventually("every reply is sent", partial(nothing_is_due, site))
        overview = site.overview()
        mailed = [mail for mail in peer.mails if mail.rcpt_tos != (f"staff@{DOMAIN}",)]
    assert len(overview.inquiries) == times
    assert (
        len(mailed) <= 5
    )  # what an unproven site sends in an hour, and `plain` has a quarter of its share (G02, G07)
    assert overview.states().get("held", 0) + overview.states().get("rejected", 0) >= times * 0.9
    proof(
        "a script that fetches a fresh page for each of many posts of one text",
        posts=times,
        auto_replies=len(mailed),
        states=overview.states(),
    )


@pytest.mark.soak
def test_a_blind_post_without_our_page_is_kept_and_never_accepted(proof: Proof) -> None:
    times = runs(30, 200)
    typed = {"name": "A", "email": "someone@gmail.com", "message": "Buy now, this is a very good offer for you."}
    bodies = [(urlencode({**typed, "email": f"s{n}@gmail.com"}), _form_headers()) for n in range(times)]
    with SmtpPeer() as peer, DemoSite(settings(peer)) as site:
        asyncio.run(post_all(site.url, bodies))
        eventually("every reply is sent", partial(nothing_is_due, site))
        overview = site.overview()
        assert peer.mails == ()
    assert sum(overview.states().values()) == times
    assert not {"accepted", "done"} & set(overview.states())
    proof("a blind post without our page", posts=times, auto_replies=0, states=overview.states())


def _form_headers() -> dict[str, str]:
    return {"content-type": "application/x-www-form-urlencoded"}
