"""Lists of abusive networks, in process and over a real socket."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType

import pytest

from formwarden import GuardedForm, Settings, Submission, Verdict, Warden
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.blocklists import FAILURES, QUIET_S, UNLISTED_S, Blocklists, Zone, read_answer, reversed_name
from formwarden.entropy import system_entropy
from formwarden.errors import SettingsError
from formwarden.facts import BlocklistFacts
from formwarden.faults import Faults
from formwarden.stores.memory import MemoryStore
from formwarden.stores.settings import Stores
from formwarden.testing import FakeDNS
from tests.clock import MovableClock
from tests.page.elements import Elements

pytestmark = pytest.mark.anyio

LIST, OTHER = "abuse.list.test", "other.list.test"
LISTED, CLEAN = "8.8.4.4", "8.8.8.8"  # nobody is asked about them but the played lists
V6 = "2001:4860:4860::8888"
NIBBLES = "8.8.8.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.8.4.0.6.8.4.1.0.0.2"


def test_addresses_are_written_as_lists_name_them() -> None:
    assert reversed_name(ip_address("192.0.2.99")) == "99.2.0.192"
    assert reversed_name(ip_address(V6)) == NIBBLES


def answer(*records: str, rcode: Rcode = Rcode.OK) -> DnsAnswer:
    return DnsAnswer(rcode=rcode, records=tuple((0, each) for each in records))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (answer("127.0.0.2"), True),
        (answer("127.0.0.10", "127.0.0.4"), True),
        (answer("127.0.0.10", "127.0.0.11"), False),  # a household's address is no abuse
        (answer(rcode=Rcode.NXDOMAIN), False),
        (answer(rcode=Rcode.NODATA), False),
        (answer("127.0.0.1"), None),
        (answer("127.255.255.252"), None),
        (answer("127.255.255.254"), None),
        (answer("127.255.255.255"), None),
        (answer("127.0.0.2", "127.255.255.255"), None),
        (answer("192.175.48.99"), None),  # a resolver that rewrites names that do not exist
        (answer("8.127.0.0"), None),
        (answer(), None),
        *((answer(rcode=rcode), None) for rcode in Rcode if rcode not in {Rcode.OK, Rcode.NXDOMAIN, Rcode.NODATA}),
    ],
)
def test_only_a_lists_own_answers_name_a_client(given: DnsAnswer, told: object) -> None:
    assert read_answer(given, Zone(LIST)) is told


def test_an_owner_may_name_the_answers_that_count() -> None:
    zone = Zone.parse(" Zen.List.test.=4,10 ")
    assert zone == Zone("zen.list.test", frozenset({4, 10}))
    assert [read_answer(answer(f"127.0.0.{code}"), zone) for code in (2, 4, 10)] == [False, True, True]


@pytest.mark.parametrize(
    "word", ["", "list", "list..test", "=2", "a.test=", "a.test=x", "a.test=2,", "-/a.test", "ü.test"]
)
def test_a_wrong_zone_is_refused_at_construction_without_repeating_it(word: str) -> None:
    with pytest.raises(ValueError, match="no blocklist") as caught:
        Zone.parse(word)
    assert "list..test" not in str(caught.value)
    with pytest.raises(SettingsError, match="number 2 is no blocklist"):
        Warden(GuardedForm("contact"), settings=only(client_blocklists=(LIST, word or " ")))


def only(**values: object) -> Settings:
    return Settings.only(secret_keys="k" * 40, store_url="memory://", **values)


def lists(dns: Resolver, *zones: str, clock: MovableClock | None = None) -> Blocklists:
    clock = clock or MovableClock()
    return Blocklists(dns, zones or (LIST,), clock=clock, faults=Faults(clock))


def played(**behaving: str) -> FakeDNS:
    zone: Mapping[str, Sequence[str]] = {
        f"{reversed_name(ip_address(LISTED))}.{LIST}": ["A 127.0.0.2"],
        f"{reversed_name(ip_address(LISTED))}.{OTHER}": ["A 127.0.0.4"],
        f"{NIBBLES}.{LIST}": ["A 127.0.0.3"],
    }
    dns = FakeDNS(zone)
    for name, row in behaving.items():
        dns.behave({"first": LIST, "other": OTHER}[name], row)
    return dns


async def test_every_list_is_asked_and_those_that_know_the_client_are_counted() -> None:
    asked = lists(played(), LIST, OTHER)
    assert await asked.ask(ip_address(LISTED), timeout_s=1.0) == BlocklistFacts(asked=2, listed=2)
    assert await asked.ask(ip_address(V6), timeout_s=1.0) == BlocklistFacts(asked=2, listed=1)
    assert await asked.ask(ip_address(CLEAN), timeout_s=1.0) == BlocklistFacts(asked=2, listed=0)


@pytest.mark.parametrize(
    "ip", [None, "127.0.0.1", "10.1.2.3", "192.168.0.4", "169.254.1.1", "::1", "fe80::1", "fc00::1"]
)
async def test_g31_nobody_is_asked_about_an_unknown_a_private_or_a_loopback_client(ip: str | None) -> None:
    dns = played()
    assert await lists(dns).ask(None if ip is None else ip_address(ip), timeout_s=1.0) is None
    assert not dns.queries


async def test_a_list_that_fails_is_unknown_counted_and_left_alone_for_a_minute() -> None:
    dns, clock = played(first="servfail"), MovableClock()
    faults = Faults(clock)
    asked = Blocklists(dns, (LIST, OTHER), clock=clock, faults=faults)
    ips = [ip_address(f"8.8.4.{each}") for each in range(1, FAILURES + 3)]
    told = [await asked.ask(ip, timeout_s=1.0) for ip in ips]
    assert {each.asked for each in told if each} == {1}
    assert faults.of("blocklists") == FAILURES
    assert [dns.asked(f"{reversed_name(ip)}.{LIST}", "A") > 0 for ip in ips] == [True] * FAILURES + [False] * 2
    clock.move(QUIET_S + 1)
    await asked.ask(ips[-1], timeout_s=1.0)
    assert dns.asked(f"{reversed_name(ips[-1])}.{LIST}", "A") > 0


async def test_an_answer_is_remembered_for_a_while() -> None:
    dns, clock = played(), MovableClock()
    asked = lists(dns, clock=clock)
    name = f"{reversed_name(ip_address(CLEAN))}.{LIST}"
    for _ in range(3):
        await asked.ask(ip_address(CLEAN), timeout_s=1.0)
    assert dns.asked(name, "A") == 1
    clock.move(UNLISTED_S + 1)
    await asked.ask(ip_address(CLEAN), timeout_s=1.0)
    assert dns.asked(name, "A") == 2


# ---------------------------------------------------------------- through the warden, over a socket
async def judged(
    dns: FakeDNS,
    client: str,
    *,
    message: str = "Do you mend bows?",
    settings: Mapping[str, object] = MappingProxyType({}),
) -> Verdict:
    clock = MovableClock()
    given: dict[str, object] = {"client_blocklists": (LIST,), **settings}
    with dns.served() as address:
        warden = Warden(
            GuardedForm("contact", path="/contact"),
            settings=only(dns_servers=address, work="cron", **given),
            clock=clock,
            store=MemoryStore(clock=clock, entropy=system_entropy, settings=Stores()),
        )
        inputs = Elements(str(warden.markup("contact"))).all("input")
        page = {str(each["name"]): each.get("value") or "" for each in inputs if each.get("type") != "checkbox"}
        clock.move(20.0)
        fields = {**page, "name": "Ann", "email": "", "message": message}
        return await warden.judge(Submission("contact", fields, client=client))


def points(verdict: Verdict) -> dict[str, float]:
    return {hit.signal: hit.points for hit in verdict.hits if hit.group == "outside"}


async def test_g33_a_listed_client_gets_few_points_over_a_real_socket() -> None:
    verdict = await judged(played(), LISTED)
    assert points(verdict) == {"client_listed": 0.9}
    assert verdict.accepted


@pytest.mark.parametrize("row", ["servfail", "resolver_refused", "garbage", "timeout", "nxdomain"])
async def test_a_list_in_trouble_changes_nothing(row: str) -> None:
    verdict = await judged(played(first=row), LISTED, settings={"dns_deadline_s": 0.2})
    assert points(verdict) == {}
    assert verdict.accepted


async def test_a_list_that_refuses_us_changes_nothing() -> None:
    dns = FakeDNS({f"{reversed_name(ip_address(LISTED))}.{LIST}": ["A 127.255.255.254"]})
    assert points(await judged(dns, LISTED)) == {}


def test_nobody_is_asked_about_a_client_unless_the_owner_names_a_list() -> None:
    assert only().address.client_blocklists == ()


async def test_without_a_zone_and_without_dns_no_list_is_asked() -> None:
    off: tuple[dict[str, object], ...] = ({"client_blocklists": ()}, {"dns": "off"})
    for settings in off:
        dns = played()
        await judged(dns, LISTED, settings=settings)
        assert not [name for name, _ in dns.queries if name.endswith(LIST)]


async def test_g33_no_list_is_asked_once_the_rest_decides() -> None:
    dns = played()
    verdict = await judged(dns, LISTED, message="https://a.example " * 9 + "<a href=x> 𝐅𝐫𝐞𝐞 𝐌𝐨𝐧𝐞𝐲")
    assert not verdict.accepted
    assert not dns.queries
