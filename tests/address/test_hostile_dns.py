"""What a stranger's name server, or a stranger on the way, may send; over real sockets, through the whole check."""

import time
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from formwarden.address.cache import POSITIVE_S, STALE_S
from formwarden.address.dns_bounds import MOST_BYTES, is_affordable
from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.outcomes import MOST_MX
from formwarden.address.report import AddressReport, CacheState, Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.address.settings import Address
from formwarden.clock import Clock, SystemClock
from tests.address.hostile_server import V4, Answers, HostileServer, cut, many_mx, serving, zone
from tests.address.played_resolver import PlayedResolver, checker
from tests.clock import MovableClock
from tests.soak import runs

GOOD = zone({("shop.com", "MX"): ["10 mx.shop.com."], ("mx.shop.com", "A"): [V4]})
SHORT = Address(dns_deadline_s=1.5, dns_hard_stop_s=1.5)
MOST_CPU_S = 0.15  # of one look-up with all its bytes; unbounded it is seconds


async def verify(
    server: HostileServer, domain: str = "shop.com", *, clock: Clock | None = None, settings: Address = SHORT
) -> AddressReport:
    async with serving(server) as address:
        resolver = DnsResolver((address,))
        await resolver.load()
        report = await checker(resolver, clock or SystemClock(), settings=settings).verify(f"a@{domain}")
    assert not resolver.faults.all()
    return report


def first(rdtype: str, change: Callable[[dns.message.Message, dns.message.Message], object]) -> Answers:
    """Change the right answer to one type of question."""

    def answers(query: dns.message.Message) -> dns.message.Message:
        response = GOOD(query)
        assert isinstance(response, dns.message.Message)
        if dns.rdatatype.to_text(query.question[0].rdtype) == rdtype:
            change(query, response)
        return response

    return answers


# ------------------------------------------------------------------ much in few bytes
@pytest.mark.anyio
@pytest.mark.parametrize(("count", "deep"), [(3_000, False), (4_000, True)], ids=["names", "one deep name"])
async def test_thousands_of_mx_hosts_over_tcp_are_not_read_and_unknown(count: int, deep: bool) -> None:  # noqa: FBT001 - a table
    def tcp(query: dns.message.Message) -> bytes:
        wire = many_mx(query, count, deep=deep)
        return len(wire).to_bytes(2, "big") + wire

    server = HostileServer(cut, tcp)
    started = time.process_time()
    report = await verify(server)
    took_s = time.process_time() - started

    assert (report.status, report.reason, report.mx) == (Status.UNKNOWN, Reason.TRUNCATED, ())
    assert took_s < MOST_CPU_S
    assert server.queries["shop.com", "MX"] == 2


@pytest.mark.anyio
async def test_pointers_to_one_deep_name_in_a_datagram_are_not_read_and_unknown() -> None:
    started = time.process_time()
    report = await verify(HostileServer(lambda query: many_mx(query, 60, deep=True)))
    took_s = time.process_time() - started

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.TIMEOUT)
    assert took_s < MOST_CPU_S


@pytest.mark.anyio
async def test_as_many_mx_hosts_as_are_read_cost_five_questions_and_few_are_told() -> None:
    def answers(query: dns.message.Message) -> bytes | dns.message.Message:
        if query.question[0].rdtype == dns.rdatatype.MX:
            wire = many_mx(query, 190)
            assert 3_500 < len(wire) <= MOST_BYTES
            return len(wire).to_bytes(2, "big") + wire
        return dns.message.make_response(query, recursion_available=True)

    server = HostileServer(
        lambda query: cut(query) if query.question[0].rdtype == dns.rdatatype.MX else answers(query), answers
    )
    report = await verify(server)

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.MX_TARGET_UNKNOWN)
    assert len(report.mx) == MOST_MX
    asked = {name for name, _ in server.queries if not name.endswith(".invalid")}
    assert asked == {"shop.com", "h0.shop.com", "h1.shop.com"}


@pytest.mark.anyio
@pytest.mark.parametrize(("size", "flags"), [(200, {"weak", "spf_reject_all"}), (65_000, {"weak", "spf_unknown"})])
async def test_a_giant_text_is_no_answer_to_how_a_domain_sends(size: int, flags: set[str]) -> None:
    filling = " ".join(['"' + "x" * 250 + '"'] * (size // 251))
    records = {("shop.com", "A"): [V4], ("shop.com", "TXT"): ['"v=spf1 -all"', *([filling] if filling else [])]}

    def answers(query: dns.message.Message) -> dns.message.Message | bytes | None:
        if query.question[0].rdtype == dns.rdatatype.MX:
            response = dns.message.make_response(query, recursion_available=True)
            response.authority.append(dns.rrset.from_text("com.", 60, "IN", "SOA", "a. b. 1 2 3 4 60"))
            return response
        return zone(records)(query)

    def udp(query: dns.message.Message) -> dns.message.Message | bytes | None:
        return cut(query) if query.question[0].rdtype == dns.rdatatype.TXT else answers(query)

    report = await verify(HostileServer(udp, answers))

    assert (report.status, report.reason) == (Status.DELIVERABLE, Reason.IMPLICIT_MX_A)
    assert {str(flag) for flag in report.flags} == flags


@pytest.mark.parametrize("count", [1, 60])
def test_honest_answers_are_affordable_and_what_ends_in_the_middle_is_somebody_elses_fault(count: int) -> None:
    wire = many_mx(dns.message.make_query("shop.co.jp", "MX"), count)

    assert is_affordable(wire)
    assert all(is_affordable(wire[:size]) for size in range(len(wire)))


@pytest.mark.parametrize("section", [6, 8, 10])
@pytest.mark.parametrize(
    ("rdtype", "before"), [(2, 0), (5, 0), (6, 0), (15, 2), (39, 0), (33, 6), (46, 18), (65_280, 0)]
)
def test_deep_names_are_counted_in_records_of_any_type_and_section(rdtype: int, before: int, section: int) -> None:
    deep = b"\x01a" * 120 + b"\0"
    target = b"\0" * before + b"\xc0\x0c" * (2 if rdtype == 6 else 1)
    record = b"\0" + rdtype.to_bytes(2, "big") + b"\0\1" + bytes(4) + len(target).to_bytes(2, "big") + target

    def message(count: int) -> bytes:
        head = bytearray(b"\1\2\x81\x80\0\1" + bytes(6))
        head[section : section + 2] = count.to_bytes(2, "big")
        return bytes(head) + deep + b"\0\x0f\0\1" + record * count

    assert is_affordable(message(1))
    assert not is_affordable(message(8))


def test_a_loop_of_pointers_ends() -> None:
    wire = dns.message.make_query("shop.com", "MX").to_wire()[:12] + b"\xc0\x0c\0\x0f\0\x01"

    assert is_affordable(wire)


# ------------------------------------------------------------------ answers to something else
@pytest.mark.anyio
async def test_an_answer_with_another_number_is_not_heard_and_the_right_one_behind_it_is() -> None:
    def wrong(query: dns.message.Message) -> bytes:
        forged = _forged(query)
        return bytes([forged[0] ^ 0xFF, forged[1] ^ 0xFF]) + forged[2:]

    assert (await verify(HostileServer(GOOD, before=[wrong]))).mx == ((10, "mx.shop.com"),)
    assert (await verify(HostileServer(wrong))).reason is Reason.TIMEOUT


@pytest.mark.anyio
async def test_an_answer_from_another_port_is_not_heard() -> None:
    server = HostileServer(GOOD)
    server.strange = _forged
    assert (await verify(server)).mx == ((10, "mx.shop.com"),)

    silent = HostileServer(lambda _: None)
    silent.strange = _forged
    assert (await verify(silent)).reason is Reason.TIMEOUT


@pytest.mark.anyio
async def test_an_answer_to_another_question_is_not_heard() -> None:
    def other(query: dns.message.Message) -> bytes:
        asked = dns.message.make_query("evil.com", "MX", id=query.id)
        return zone({("evil.com", "MX"): ["10 mx.evil.com."]})(asked).to_wire()  # type: ignore[union-attr]  # a message

    assert (await verify(HostileServer(GOOD, before=[other]))).mx == ((10, "mx.shop.com"),)
    assert (await verify(HostileServer(other))).reason is Reason.TIMEOUT


@pytest.mark.anyio
async def test_records_of_another_name_are_nobodys_and_addresses_beside_an_answer_are_not_believed() -> None:
    def other(_: dns.message.Message, response: dns.message.Message) -> None:
        response.answer = [dns.rrset.from_text("evil.com.", 300, "IN", "MX", "10 mx.evil.com.")]

    def beside(_: dns.message.Message, response: dns.message.Message) -> None:
        response.answer = [dns.rrset.from_text("shop.com.", 300, "IN", "MX", "10 mx.gone.com.")]
        response.additional.append(dns.rrset.from_text("mx.gone.com.", 300, "IN", "A", V4))

    assert (await verify(HostileServer(first("MX", other)))).reason is Reason.LAME
    assert (await verify(HostileServer(first("MX", beside)))).reason is Reason.MX_DANGLING


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["half", "nothing", "more than it sends", "another number"])
async def test_a_stream_that_ends_or_lies_after_a_cut_answer_is_truncated(how: str) -> None:
    def tcp(query: dns.message.Message) -> bytes | dns.message.Message:
        right = GOOD(query)
        assert isinstance(right, dns.message.Message)
        wire = right.to_wire()
        if how == "another number":
            right.id ^= 0xFFFF
            return right
        return {
            "half": len(wire).to_bytes(2, "big") + wire[: len(wire) // 2],
            "nothing": b"\0\0",
            "more than it sends": b"\xff\xff" + wire,
        }[how]

    report = await verify(HostileServer(cut, tcp))

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.TRUNCATED)


@pytest.mark.anyio
async def test_a_stream_that_says_again_that_it_does_not_fit_is_an_empty_answer_and_unknown() -> None:
    assert (await verify(HostileServer(cut))).reason is Reason.LAME


# ------------------------------------------------------------------ aliases, times, names
@pytest.mark.anyio
@pytest.mark.parametrize(("links", "reason"), [(3, Reason.MX_OK), (17, Reason.CNAME_CHAIN)])
async def test_a_long_chain_of_aliases_in_one_answer_is_unknown(links: int, reason: Reason) -> None:
    def chained(_: dns.message.Message, response: dns.message.Message) -> None:
        names = ["shop.com.", *(f"n{number}.shop.com." for number in range(links))]
        response.answer = [
            dns.rrset.from_text(name, 300, "IN", "CNAME", names[at + 1]) for at, name in enumerate(names[:-1])
        ]
        response.answer.append(dns.rrset.from_text(names[-1], 300, "IN", "MX", "10 mx.shop.com."))

    assert (await verify(HostileServer(first("MX", chained)))).reason is reason


@pytest.mark.anyio
@pytest.mark.parametrize("ttl", [0, 2**31 - 1, 2**31, 2**32 - 1])
async def test_whatever_time_an_answer_gives_itself_it_is_kept_for_minutes_and_at_most_hours(ttl: int) -> None:
    def timed(query: dns.message.Message) -> bytes:
        answer = GOOD(query)
        assert isinstance(answer, dns.message.Message)
        wire = answer.to_wire()
        return wire.replace((300).to_bytes(4, "big"), ttl.to_bytes(4, "big"))

    clock = MovableClock()
    server = HostileServer(timed)
    async with serving(server) as address:
        check = checker(DnsResolver((address,)), clock)
        await check.verify("a@shop.com")
        clock.move(POSITIVE_S[0] - 1)
        assert (await check.verify("a@shop.com")).cache is CacheState.HIT
        clock.move(POSITIVE_S[1] + STALE_S)
        assert (await check.verify("a@shop.com")).cache is CacheState.MISS
    assert server.queries["shop.com", "MX"] == 2


@pytest.mark.anyio
async def test_names_of_the_greatest_length_are_asked_and_answered() -> None:
    domain = ".".join(["b" * 61] * 4) + ".com"
    host = ".".join(["c" * 61] * 4) + ".net"
    server = HostileServer(zone({(domain, "MX"): [f"10 {host}."], (host, "A"): [V4]}))
    assert len(f"a@{domain}") == 253

    report = await verify(server, domain)

    assert (report.status, report.mx) == (Status.DELIVERABLE, ((10, host),))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "domain",
    [
        "x.invalid", "x.local", "x.LOCAL", "x.onion", "1.0.10.in-addr.arpa", "home.arpa", "router.home.arpa",
        "localhost", "x.localhost", "com", "intranet", "x.test", "x.example", "x.alt", "x.internal", "x.lan",
        "x.lan.", "x.\u24d5ocal".replace("\u24d5", "\u24db"), "127.0.0.1", "[127.0.0.1]", "[IPv6:::1]", "0x7f.1",
        "shop.com.", "shop.com..", "shop.com\u3002", "_dmarc.shop.com", "shop.com:25", "xn--a", "xn--.com",
        ".".join(["b" * 62] * 4) + ".com",
    ],
)  # fmt: skip
async def test_no_question_is_asked_for_what_is_no_name_of_a_mail_domain(domain: str, clock: MovableClock) -> None:
    resolver = PlayedResolver({})

    report = await checker(resolver, clock).verify(f"taro@{domain}")

    assert report.status is Status.INVALID
    assert not resolver.asked
    assert not resolver.canaries


@pytest.mark.anyio
@pytest.mark.parametrize("domain", ["xn--ggle-55da.com", "g\u043e\u043egle.com", "\u0430pple.com"])
async def test_a_name_of_mixed_alphabets_is_flagged_however_it_is_written(domain: str, clock: MovableClock) -> None:
    report = await checker(PlayedResolver({}), clock).verify(f"taro@{domain}")

    assert Flag.MIXED_SCRIPT in report.flags
    assert (report.domain or "").startswith("xn--")


@pytest.mark.anyio
@pytest.mark.soak
async def test_ten_thousand_names_below_one_registered_domain_are_five_questions(clock: MovableClock) -> None:
    resolver = PlayedResolver({})
    check = checker(resolver, clock)
    for number in range(runs(300, 10_000)):
        await check.verify(f"a@{number}.deep.er.victim.co.jp", client=number.to_bytes(4, "big"))

    assert resolver.asked.total() == 5
    assert len({name for name, _ in resolver.asked}) == 5


@pytest.mark.anyio
async def test_an_attackers_mx_sends_few_questions_to_whom_it_names(clock: MovableClock) -> None:
    hosts = tuple((number, f"{number}.victim.com") for number in range(200))
    answer = DnsAnswer(rcode=Rcode.OK, records=hosts, ttl_s=0)
    resolver = PlayedResolver({(f"{number}.evil.com", "MX"): answer for number in range(50)})
    check = checker(resolver, clock)
    for number in range(50):
        await check.verify(f"a@{number}.evil.com")

    at_the_victim = [name for name, _ in resolver.asked if name.endswith("victim.com")]
    assert len(at_the_victim) == 4  # two hosts, A and AAAA: kept by name, so once for all five that were asked
    assert resolver.asked.total() == 5 + 4


def _forged(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query, recursion_available=True)
    response.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "MX", "1 mx.evil.com."))
    return response.to_wire()
