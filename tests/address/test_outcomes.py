from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.address.outcomes import (
    MOST_MX,
    ROWS,
    TROUBLE,
    WITHOUT_MX,
    HostAnswers,
    Outcome,
    hosts_to_ask,
    is_global,
    judge,
    rewritten,
)
from formwarden.address.report import Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode

DOMAIN = "shop.co.jp"
ANYWHERE = "0.0.0.0"  # noqa: S104 - an answer, nothing is bound
V4, V6 = "192.175.48.1", "2620:4f:8000::1"
NODATA = DnsAnswer(rcode=Rcode.NODATA, soa=True, ttl_s=60)
NO_SOA = DnsAnswer(rcode=Rcode.NODATA, ttl_s=60)
NXDOMAIN = DnsAnswer(rcode=Rcode.NXDOMAIN, soa=True, ttl_s=60)
SERVFAIL = DnsAnswer(rcode=Rcode.SERVFAIL)
TIMEOUT = DnsAnswer(rcode=Rcode.TIMEOUT)


def found(*texts: str, canonical: str | None = None) -> DnsAnswer:
    return DnsAnswer(rcode=Rcode.OK, records=tuple((0, text) for text in texts), ttl_s=300, canonical=canonical)


def mx(*records: tuple[int, str], canonical: str | None = None) -> DnsAnswer:
    return DnsAnswer(rcode=Rcode.OK, records=records, ttl_s=600, canonical=canonical)


def host(a: DnsAnswer = NODATA, aaaa: DnsAnswer = NODATA) -> HostAnswers:
    return HostAnswers(a=a, aaaa=aaaa)


def outcome(answer: DnsAnswer, /, **hosts: HostAnswers) -> Outcome:
    named = {DOMAIN if name == "itself" else f"{name}.{DOMAIN}": answers for name, answers in hosts.items()}
    assert set(hosts_to_ask(DOMAIN, answer)) == set(named)
    return judge(DOMAIN, answer, named)


MX1 = (10, f"mx1.{DOMAIN}")
MX2 = (20, f"mx2.{DOMAIN}")
MX3 = (30, f"mx3.{DOMAIN}")
GOOD = host(a=found(V4))


@pytest.mark.parametrize("good", [host(a=found(V4)), host(aaaa=found(V6)), host(a=found(V4), aaaa=TIMEOUT)])
def test_row_1_an_mx_with_a_global_address_is_deliverable(good: HostAnswers) -> None:
    result = outcome(mx(MX1), mx1=good)

    assert (result.status, result.reason, result.flags) == (Status.DELIVERABLE, Reason.MX_OK, frozenset())
    assert result.mx == (MX1,)


def test_row_1_one_good_mx_is_enough() -> None:
    for other in (host(a=NXDOMAIN, aaaa=NXDOMAIN), host(a=TIMEOUT, aaaa=TIMEOUT), host()):
        assert outcome(mx(MX1, MX2), mx1=other, mx2=GOOD).reason is Reason.MX_OK


@pytest.mark.parametrize("failed", [SERVFAIL, TIMEOUT, NO_SOA, DnsAnswer(rcode=Rcode.BROKEN)])
def test_row_2_an_mx_whose_host_cannot_be_looked_up_is_unknown(failed: DnsAnswer) -> None:
    result = outcome(mx(MX1, MX2), mx1=host(a=failed, aaaa=failed), mx2=host())

    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.MX_TARGET_UNKNOWN)


def test_row_2_half_an_answer_that_could_be_the_good_half_is_unknown() -> None:
    assert outcome(mx(MX1), mx1=host(a=found("10.0.0.1"), aaaa=TIMEOUT)).reason is Reason.MX_TARGET_UNKNOWN
    assert outcome(mx(MX1), mx1=host(a=NODATA, aaaa=TIMEOUT)).reason is Reason.MX_TARGET_UNKNOWN


def test_row_2_a_third_host_that_nobody_asked_may_be_good() -> None:
    result = outcome(mx(MX3, MX1, MX2), mx1=host(), mx2=host(a=found("127.0.0.1")))

    assert result.reason is Reason.MX_TARGET_UNKNOWN


def test_row_3_without_mx_a_global_ipv4_address_is_weakly_deliverable() -> None:
    for itself in (host(a=found(V4)), host(a=found(V4), aaaa=TIMEOUT), host(a=found("10.0.0.1", V4))):
        result = outcome(NODATA, itself=itself)

        assert (result.status, result.reason) == (Status.DELIVERABLE, Reason.IMPLICIT_MX_A)
        assert result.flags == {Flag.WEAK}
        assert result.mx == ((0, DOMAIN),)


def test_row_4_without_mx_a_global_ipv6_address_is_weakly_deliverable() -> None:
    result = outcome(NODATA, itself=host(aaaa=found(V6)))

    assert (result.status, result.reason) == (Status.DELIVERABLE, Reason.IMPLICIT_MX_AAAA)
    assert result.flags == {Flag.WEAK}


@pytest.mark.parametrize("inner", ["10.0.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", ANYWHERE])
def test_row_5_without_mx_a_private_address_is_undeliverable(inner: str) -> None:
    result = outcome(NODATA, itself=host(a=found(inner)))

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.IMPLICIT_MX_NONGLOBAL)


def test_row_6_a_name_without_mx_and_addresses_has_no_mail_host() -> None:
    result = outcome(NODATA, itself=host())

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.NO_MAIL_HOST)


@pytest.mark.parametrize(("answer", "a", "aaaa"), [(NO_SOA, NODATA, NODATA), (NODATA, NO_SOA, NODATA)])
def test_row_7_an_empty_answer_without_soa_is_a_lame_server(answer: DnsAnswer, a: DnsAnswer, aaaa: DnsAnswer) -> None:
    result = outcome(answer, itself=host(a=a, aaaa=aaaa))

    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.LAME)


def test_row_8_a_name_that_does_not_exist_is_undeliverable() -> None:
    result = outcome(NXDOMAIN)

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.NXDOMAIN)


def test_row_9_an_alias_of_a_name_that_does_not_exist_is_undeliverable() -> None:
    result = outcome(DnsAnswer(rcode=Rcode.NXDOMAIN, canonical="gone.com", soa=True))

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.CNAME_DANGLING)


@pytest.mark.parametrize("preference", [0, 10])
def test_row_10_a_null_mx_of_any_preference_takes_no_mail(preference: int) -> None:
    result = outcome(mx((preference, ".")))

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.NULL_MX)


def test_row_11_a_null_mx_beside_a_real_one_is_only_flagged() -> None:
    result = outcome(mx((0, "."), MX1), mx1=GOOD)

    assert (result.status, result.reason) == (Status.DELIVERABLE, Reason.MX_OK)
    assert result.flags == {Flag.NULL_MX_MIXED}
    assert result.mx == (MX1,)


@pytest.mark.parametrize("gone", [host(), host(a=NXDOMAIN, aaaa=NXDOMAIN), host(a=NODATA, aaaa=NXDOMAIN)])
def test_row_12_mx_hosts_that_do_not_exist_are_undeliverable_whatever_the_domain_itself_has(
    gone: HostAnswers,
) -> None:
    result = outcome(mx(MX1, MX2), mx1=gone, mx2=gone)

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.MX_DANGLING)


@pytest.mark.parametrize(
    "inner", ["127.0.0.1", ANYWHERE, "192.168.1.1", "169.254.0.1", "100.64.0.1", "224.0.0.1", "203.0.113.1"]
)
def test_row_13_mx_hosts_inside_a_network_are_undeliverable(inner: str) -> None:
    result = outcome(mx(MX1), mx1=host(a=found(inner)))

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.MX_NONGLOBAL)


@pytest.mark.parametrize("inner", ["localhost", "db.internal", "mail", "127.0.0.1", ANYWHERE, "[10.0.0.1]"])
def test_row_13_hosts_with_private_names_are_not_even_asked(inner: str) -> None:
    result = outcome(mx((10, inner)))

    assert (result.status, result.reason) == (Status.UNDELIVERABLE, Reason.MX_NONGLOBAL)


def test_row_14_some_good_and_some_private_is_deliverable_and_flagged() -> None:
    results = (
        outcome(mx(MX1, MX2), mx1=host(a=found("127.0.0.1")), mx2=GOOD),
        outcome(mx(MX1, (20, "localhost")), mx1=GOOD),
        outcome(mx(MX1), mx1=host(a=found(V4, "10.0.0.1"))),
    )

    for result in results:
        assert result.status is Status.DELIVERABLE
        assert result.flags == {Flag.MX_SOME_NONGLOBAL}


def test_row_15_an_address_written_as_a_name_is_unknown() -> None:
    for records in (((10, V4),), ((10, V6),), ((10, V4), (20, "localhost"))):
        result = outcome(mx(*records))

        assert (result.status, result.reason) == (Status.UNKNOWN, Reason.MX_IP_LITERAL)


def test_row_15_beside_a_good_host_it_does_not_matter() -> None:
    assert outcome(mx((5, V4), MX1), mx1=GOOD).reason is Reason.MX_OK


def test_row_16_an_mx_host_that_is_an_alias_is_flagged_and_works() -> None:
    result = outcome(mx(MX1), mx1=host(a=found(V4, canonical="mx.hosting.com")))

    assert result.status is Status.DELIVERABLE
    assert result.flags == {Flag.MX_CNAME}


def test_row_17_a_domain_that_is_an_alias_is_followed() -> None:
    result = outcome(mx(MX1, canonical="shop.com"), mx1=GOOD)

    assert (result.reason, result.flags) == (Reason.MX_OK, frozenset())


@pytest.mark.parametrize(
    ("row", "answer", "reason"),
    [
        (18, DnsAnswer(rcode=Rcode.CNAME_CHAIN), Reason.CNAME_CHAIN),
        (19, SERVFAIL, Reason.SERVFAIL),
        (19, DnsAnswer(rcode=Rcode.SERVFAIL, extended_error=22), Reason.SERVFAIL),
        (20, DnsAnswer(rcode=Rcode.SERVFAIL, extended_error=6), Reason.DNSSEC_BOGUS),
        (20, DnsAnswer(rcode=Rcode.SERVFAIL, extended_error=12), Reason.DNSSEC_BOGUS),
        (21, DnsAnswer(rcode=Rcode.REFUSED), Reason.RESOLVER_REFUSED),
        (22, TIMEOUT, Reason.TIMEOUT),
        (23, DnsAnswer(rcode=Rcode.TRUNCATED), Reason.TRUNCATED),
        (24, DnsAnswer(rcode=Rcode.BROKEN), Reason.DNS_ERROR),
        (25, DnsAnswer(rcode=Rcode.UNCONFIGURED), Reason.NO_RESOLVER),
    ],
)
def test_rows_18_to_25_whatever_ails_the_resolver_is_unknown(row: int, answer: DnsAnswer, reason: Reason) -> None:
    result = outcome(answer)

    assert (result.status, result.reason) == (Status.UNKNOWN, reason)
    assert ROWS[reason][0] == row
    without_mx = outcome(NODATA, itself=host(a=answer))
    assert (without_mx.status, without_mx.reason) == (Status.UNKNOWN, reason)


def test_row_28_a_parked_mx_is_flagged() -> None:
    answer = mx((10, "mx.mailerhost.net"))

    result = judge(DOMAIN, answer, {"mx.mailerhost.net": GOOD})

    assert result.status is Status.DELIVERABLE
    assert result.flags == {Flag.PARKED_MX}


@pytest.mark.parametrize("reason", sorted(WITHOUT_MX))
def test_row_27_what_may_be_the_resolvers_invention_is_unknown(reason: Reason) -> None:
    result = rewritten(Outcome(reason=reason, flags=frozenset({Flag.WEAK}), mx=((0, DOMAIN),), ttl_s=300))

    assert result == Outcome(reason=Reason.RESOLVER_REWRITES)
    assert (ROWS[result.reason][0], result.status) == (27, Status.UNKNOWN)


def test_row_27_is_rows_3_to_6_and_what_a_zone_itself_says_stands() -> None:
    assert {ROWS[reason][0] for reason in WITHOUT_MX} == {3, 4, 5, 6}
    for reason in set(ROWS) - WITHOUT_MX:
        assert rewritten(Outcome(reason=reason)).reason is reason


@pytest.mark.parametrize(("itself", "row"), [(host(a=found(V4)), 3), (host(aaaa=found(V6)), 4)])
def test_row_29_a_domain_without_mx_that_sends_nothing_is_flagged_and_its_status_stays(
    itself: HostAnswers, row: int
) -> None:
    results = [
        judge(DOMAIN, NODATA, {DOMAIN: itself}, txt)
        for txt in (found("v=spf1 -all"), found("v=spf1 mx -all"), NODATA, TIMEOUT, None)
    ]

    assert {(result.status, ROWS[result.reason][0]) for result in results} == {(Status.DELIVERABLE, row)}
    assert [Flag.SPF_REJECT_ALL in result.flags for result in results] == [True, False, False, False, False]
    assert all(Flag.WEAK in result.flags for result in results)


def test_row_29_says_nothing_of_a_domain_that_has_mx() -> None:
    assert judge(DOMAIN, mx(MX1), {MX1[1]: GOOD}, found("v=spf1 -all")).flags == frozenset()


def test_of_thousands_of_hosts_the_best_few_are_told() -> None:
    many = mx(*((preference, f"mx{preference}.{DOMAIN}") for preference in range(2_000)))

    assert judge(DOMAIN, many, {f"mx0.{DOMAIN}": GOOD}).mx == many.records[:MOST_MX]


def test_five_questions_are_enough_for_any_domain() -> None:
    many = mx(*((preference, f"mx{preference}.{DOMAIN}") for preference in range(40)))

    assert hosts_to_ask(DOMAIN, many) == (f"mx0.{DOMAIN}", f"mx1.{DOMAIN}")


def test_the_same_host_twice_is_asked_once() -> None:
    assert hosts_to_ask(DOMAIN, mx(MX1, (99, MX1[1]), MX2)) == (MX1[1], MX2[1])


def test_an_answer_without_records_is_no_answer() -> None:
    assert outcome(mx()).reason is Reason.LAME


def test_a_verdict_lives_as_long_as_its_shortest_answer() -> None:
    assert outcome(mx(MX1), mx1=GOOD).ttl_s == 60  # the negative answer about IPv6 addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (V4, True),
        (V6, True),
        ("8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("64:ff9b::7f00:1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("no address", False),
    ],
)
def test_only_what_can_be_reached_from_outside_is_global(text: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_global(text) is expected


def test_every_trouble_of_a_resolver_is_unknown_and_every_dns_reason_has_a_row() -> None:
    assert set(TROUBLE) == set(Rcode) - {Rcode.OK, Rcode.NODATA, Rcode.NXDOMAIN}
    assert all(ROWS[reason][1] is Status.UNKNOWN for reason in TROUBLE.values())
    syntax = list(Reason)[list(Reason).index(Reason.EMPTY) :]
    assert set(ROWS) == set(Reason) - set(syntax)


TEXTS = st.sampled_from([V4, V6, "127.0.0.1", "10.0.0.1", "::1", "", "x", "64:ff9b::a00:1"])
NAMES = st.sampled_from(["mx1.shop.co.jp", "mx2.shop.co.jp", "mx3.shop.co.jp", ".", "localhost", V4, "", "\\000.x"])
ADDRESSES = st.builds(
    DnsAnswer, rcode=st.sampled_from(Rcode), records=st.lists(st.tuples(st.just(0), TEXTS), max_size=3).map(tuple)
)
MAILERS = st.builds(
    DnsAnswer,
    rcode=st.sampled_from(Rcode),
    records=st.lists(st.tuples(st.integers(0, 3), NAMES), max_size=4).map(tuple),
    soa=st.booleans(),
)
HOSTS = st.dictionaries(
    st.sampled_from(["mx1.shop.co.jp", "mx2.shop.co.jp", DOMAIN]),
    st.builds(HostAnswers, a=ADDRESSES, aaaa=ADDRESSES),
)


@given(answer=MAILERS, hosts=HOSTS)
def test_no_answer_raises_and_deliverable_needs_a_global_address(
    answer: DnsAnswer, hosts: Mapping[str, HostAnswers]
) -> None:
    result = judge(DOMAIN, answer, hosts)

    if result.status is Status.DELIVERABLE:
        texts = [text for host in hosts.values() for a in host.both if a.rcode is Rcode.OK for _, text in a.records]
        assert V4 in texts or V6 in texts
    if answer.rcode in TROUBLE:
        assert result.status is Status.UNKNOWN
