"""Workers die by SIGKILL at random moments under load: no inquiry lost, no second reply, no budget exceeded."""

import asyncio
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs

import apsw
import httpx2
import pytest

from formwarden.clock import SystemClock
from formwarden.demo.played_dns import PlayedDns
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.judge import ENDPOINT_LEASE_S
from formwarden.stores.journal import Journal
from formwarden.stores.ports import Inquiry, ReplyRow, State
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.work import LEASE_S
from tests.e2e.crowd import OUT_OF_THE_WAY, body, headers
from tests.e2e.demo_site import eventually, page_fields
from tests.e2e.forking_site import RAN, TOLD, ForkingSite
from tests.proof import Proof
from tests.servers.smtp import Delivery, SmtpPeer
from tests.soak import runs

pytestmark = [pytest.mark.slow, pytest.mark.soak]

DOMAIN = "workshop-of-strings.net"
STAFF = f"staff@{DOMAIN}"
WORKERS = 3
VISITORS = 5
PAUSE_S = (0.2, 0.8)  # of a visitor between two inquiries: with the rushes some 15 a second, the staff's mail's pace
BETWEEN_KILLS_S = (0.3, 1.4)
RUSH = 6  # people who come at once, shortly before each kill
INTO_THE_RUSH_S = 0.12  # at most: their requests are under way
RESENDS = 2  # whose connection broke sends the same form again, as people do
AT_ONE_DOMAIN = 10  # people
PER_DOMAIN = 6  # replies
PER_MINUTE = 50
PER_KILL = 8  # replies of the site's hour, for as many as there are kills
RELAY_PAUSE_S = 0.006  # before each answer: a third of the time a reply is on the wire
SEND_DEADLINE_S = 5.0
DRAINED_S = 120.0
MINUTE_S, HOUR_S = 60.0, 3_600.0
CHARGED = {"due", "taken", "sent", "lost", "refused"}
ADDRESS = re.compile(r"person\.\d+@[a-z0-9.-]+[a-z]")
MOST = 1_000_000


@dataclass
class Visits:
    """What the visitors did, and what they were told."""

    posts: int = 0
    resets: int = 0
    submissions: set[str] = field(default_factory=set[str])
    answers: dict[str, list[int]] = field(default_factory=dict[str, list[int]])


def domain_of(number: int) -> str:
    return f"shop-{number // AT_ONE_DOMAIN}.played"


def address_of(number: int) -> str:
    return f"person.{number}@{domain_of(number)}"


async def visits(url: str, kills: int, site: ForkingSite, chance: random.Random) -> Visits:
    """Send inquiries until the last kill is done."""
    done, found, numbers = asyncio.Event(), Visits(), count()
    limits = httpx2.Limits(max_keepalive_connections=0)  # spread over the workers
    async with httpx2.AsyncClient(base_url=url, timeout=60, limits=limits) as client:

        async def visit() -> None:
            while not done.is_set():
                await inquire(client, next(numbers), found)
                await asyncio.sleep(chance.uniform(*PAUSE_S))

        async def kill() -> None:
            async with asyncio.TaskGroup() as rushes:
                for _ in range(kills):
                    await asyncio.sleep(chance.uniform(*BETWEEN_KILLS_S))
                    for _ in range(RUSH):
                        rushes.create_task(inquire(client, next(numbers), found))
                    await asyncio.sleep(chance.uniform(0, INTO_THE_RUSH_S))
                    kill_one(site, chance)
            done.set()

        await asyncio.gather(kill(), *(visit() for _ in range(VISITORS)))
    return found


async def inquire(client: httpx2.AsyncClient, number: int, found: Visits) -> None:
    """Fetch the form and send it, again where the connection breaks."""
    address = address_of(number)
    try:
        page = await client.get("/contact", headers=headers(number))
    except httpx2.TransportError:
        return  # nothing was sent
    content = body(page_fields(page.text), number, domain_of(number))
    found.submissions.add(address)
    for _ in range(1 + RESENDS):
        found.posts += 1
        try:
            answer = await client.post("/contact", content=content, headers=headers(number))
        except httpx2.TransportError:
            found.resets += 1
            continue
        found.answers.setdefault(address, []).append(answer.status_code)
        return


def kill_one(site: ForkingSite, chance: random.Random) -> None:
    """Kill a worker; time leaps to where the work's leases of the dead are over, so that another goes on with it."""
    os.kill(chance.choice(site.worker_pids()), signal.SIGKILL)
    site.clock.step(LEASE_S)


def drained(store: Path) -> bool:
    """Say whether nothing is under way any more: read beside the processes that write."""
    connection = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(1_000)
    waiting = connection.execute(
        "SELECT (SELECT count(*) FROM inquiry WHERE state = 'accepted' OR staff = 'due')"
        " + (SELECT count(*) FROM reply WHERE state IN ('due', 'taken'))"
    ).get
    connection.close()
    return bool(waiting == 0)


async def kept(store: Path) -> tuple[dict[str, Inquiry], dict[str, ReplyRow]]:
    """Read every page the owner sees, and the replies; by the submitter's address."""
    faults = Faults(SystemClock())
    opened = SqliteStore(
        str(store), clock=SystemClock(), entropy=system_entropy, settings=Stores.model_construct(), faults=faults
    )
    inquiries: list[Inquiry] = []
    replies: dict[bytes, ReplyRow] = {}
    after: str | None = None
    for _ in range(MOST):
        page = await opened.inquiries.find((), after=after, limit=500)
        inquiries += page.rows
        replies |= await opened.ledger.replies([row.id for row in page.rows])
        after = page.after
        if after is None:
            break
    await opened.aclose()
    by_address = {typed(inquiry): inquiry for inquiry in inquiries}
    assert len(by_address) == len(inquiries), "one submission was kept twice"
    return by_address, {a: replies[i.id] for a, i in by_address.items() if i.id in replies}


async def journaled(path: Path) -> set[str]:
    journal = Journal(path, limit_bytes=1, clock=SystemClock(), entropy=system_entropy, faults=Faults(SystemClock()))
    return {typed(inquiry) for inquiry in await journal.entries(MOST)}


def typed(inquiry: Inquiry) -> str:
    """Return the address that was typed."""
    assert inquiry.body is not None, f"{inquiry.state}: its body is gone"
    return parse_qs(inquiry.body.decode())["email"][0]


def staff_told(mails: Iterable[Delivery]) -> Counter[str]:
    """Count the staff's mails by the submitter they tell of."""
    return Counter(address for mail in mails if mail.rcpt_tos == (STAFF,) for address in set(addresses(mail)))


def addresses(mail: Delivery) -> Iterator[str]:
    message = message_from_bytes(mail.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    text = message.get_body(("plain",))
    assert text is not None
    yield from ADDRESS.findall(str(text.get_content()))


def answered(mails: Iterable[Delivery]) -> Counter[str]:
    """Count the auto-replies by recipient."""
    return Counter(mail.rcpt_tos[0] for mail in mails if mail.rcpt_tos != (STAFF,))


def most_in_a_window(times: Sequence[float], window_s: float) -> int:
    """Return how many of these moments lie in one closed interval of that length, at most."""
    ordered, first, most = sorted(times), 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] > window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def integrity(path: Path) -> object:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return found


def assert_no_budget_grew(replies: Mapping[str, ReplyRow], mailed: Counter[str], per_hour: int) -> tuple[int, ...]:
    charged = {address: row.created_at for address, row in replies.items() if row.state in CHARGED}
    assert set(mailed) <= set(charged), "a mail left that no budget counts"
    domains: dict[str, list[float]] = {}
    for address, at in charged.items():
        domains.setdefault(address.partition("@")[2], []).append(at)
    in_minute = most_in_a_window(list(charged.values()), MINUTE_S)
    in_hour = most_in_a_window(list(charged.values()), HOUR_S)
    at_domain = max(most_in_a_window(times, HOUR_S) for times in domains.values())
    assert in_minute <= PER_MINUTE
    assert in_hour <= per_hour
    assert at_domain <= PER_DOMAIN
    assert len(mailed) <= per_hour  # the whole run is shorter than an hour
    assert max(Counter(address.partition("@")[2] for address in mailed).values()) <= PER_DOMAIN
    return in_minute, in_hour, at_domain


@pytest.mark.timeout(1_800)
def test_workers_killed_at_random_moments_lose_no_inquiry_answer_nobody_twice_and_exceed_no_budget(
    tmp_path: Path, proof: Proof
) -> None:
    kills, seed = runs(4, 200), random.getrandbits(32)  # printed with the figures, whether it fails or not
    chance, per_hour = random.Random(seed), PER_KILL * kills  # noqa: S311 - moments, not secrets
    with SmtpPeer(pause_s=RELAY_PAUSE_S) as peer, PlayedDns().in_thread() as dns:
        settings = {
            "secret_keys": "k" * 40,
            "site_domain": DOMAIN,
            "staff_address": STAFF,
            "smtp_url": peer.url,
            "dns_servers": dns.address,
            "trusted_proxies": "127.0.0.1/32",
            "send_deadline_s": str(SEND_DEADLINE_S),
            "retry_wait_s": "0.5",
            **OUT_OF_THE_WAY,
            "site_per_minute": str(PER_MINUTE),
            "site_per_hour": str(per_hour),
            "domain_per_hour": str(PER_DOMAIN),
        }
        with ForkingSite(tmp_path, settings, workers=WORKERS) as site:
            eventually("all workers are up", lambda: len(site.worker_pids()) == WORKERS)
            visited = asyncio.run(visits(site.url, kills, site, chance))
            site.clock.step(ENDPOINT_LEASE_S + LEASE_S)  # the leases of the dead are over
            eventually("all is done", lambda: drained(tmp_path / "formwarden.db"), patience_s=DRAINED_S)
            ran, told = Counter(site.written(RAN)), set(site.written(TOLD))
        staff, mailed = staff_told(peer.mails), answered(peer.mails)
    inquiries, replies = asyncio.run(kept(tmp_path / "formwarden.db"))
    journal = asyncio.run(journaled(tmp_path / "journal"))
    states = Counter(inquiry.state for inquiry in inquiries.values())
    held = {address for address, inquiry in inquiries.items() if inquiry.state is State.HELD}
    done = {address for address, inquiry in inquiries.items() if inquiry.state is State.DONE}
    in_minute, in_hour, at_domain = assert_no_budget_grew(replies, mailed, per_hour)
    proof(
        f"{WORKERS} workers on one store, killed by SIGKILL under load",
        kills=kills,
        seed=seed,
        inquiries=len(visited.submissions),
        posts=visited.posts,
        connections_broken=visited.resets,
        accepted_answers=len(visited.answers),
        at_the_endpoint=len(ran),
        kept=len(inquiries),
        held=len(held),
        in_the_journal=len(journal),
        staff_mails=sum(staff.values()),
        of_them_twice=sum(staff.values()) - len(staff),
        auto_replies=sum(mailed.values()),
        lost=sum(row.state == "lost" for row in replies.values()),
        most_in_a_minute=f"{in_minute} of {PER_MINUTE}",
        most_in_an_hour=f"{in_hour} of {per_hour}",
        most_at_a_domain=f"{at_domain} of {PER_DOMAIN}",
    )
    assert {status for statuses in visited.answers.values() for status in statuses} == {303}
    assert set(visited.answers) - set(ran) - held - journal == set()
    assert set(states) <= {State.DONE, State.HELD}
    assert done - set(ran) == set()
    assert {address for address, times in ran.items() if times > 1} - journal == set()
    assert told - set(staff) == set()
    assert {address for address, times in mailed.items() if times > 1} == set()
    for name in ("formwarden.db", "formwarden-volatile.db"):
        assert integrity(tmp_path / name) == [("ok",)]
