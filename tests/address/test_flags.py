import pytest

from formwarden.address.flags import flags_of
from formwarden.address.report import Flag, Status
from formwarden.address.syntax import check_syntax


@pytest.mark.parametrize(
    "local",
    [
        "mailer-daemon",
        "MAILER-DAEMON",
        "bounce",
        "bounces+1234",
        "owner-list",
        "list-owner",
        "list-request",
        "list-bounces",
        "noreply",
        "no-reply",
        "no_reply",
        "do-not-reply",
        "abuse",
        "abuse+x",
        "noc",
        "hostmaster",
        "webmaster",
    ],
)
def test_daemons_and_lists_are_system_boxes(local: str) -> None:
    assert flags_of(local, "shop.co.jp") == {Flag.ROLE_SYSTEM}


@pytest.mark.parametrize("local", ["info", "Sales", "support", "contact", "postmaster"])
def test_boxes_that_people_read_are_roles_only(local: str) -> None:
    assert flags_of(local, "shop.co.jp") == {Flag.ROLE}


@pytest.mark.parametrize("local", ["taro", "requester", "information", "replying", "downer", "wwwilson"])
def test_names_of_people_are_no_roles(local: str) -> None:
    assert flags_of(local, "shop.co.jp") == frozenset()


@pytest.mark.parametrize(
    "domain", ["gmail.com", "docomo.ne.jp", "aqua.ocn.ne.jp", "taro.fastmail.com", "t-online.de"]
)
def test_domains_that_strangers_share_are_freemail(domain: str) -> None:
    assert flags_of("taroyamada", domain) == {Flag.FREEMAIL}


@pytest.mark.parametrize("domain", ["txt.att.net", "vtext.com", "tmomail.net"])
def test_a_telephone_behind_mail_is_flagged(domain: str) -> None:
    assert Flag.SMS_GATEWAY in flags_of("5551234567", domain)


def test_a_carrier_is_no_gateway_because_one_of_its_hosts_is() -> None:
    assert flags_of("taro", "att.net") == {Flag.FREEMAIL}


@pytest.mark.parametrize("domain", ["notgmail.com", "gmail.com.shop.co.jp", "shop.co.jp"])
def test_a_name_that_only_looks_alike_is_not_flagged(domain: str) -> None:
    assert flags_of("taro", domain) == frozenset()


@pytest.mark.parametrize(
    "domain",
    [
        "privaterelay.appleid.com",
        "mozmail.com",
        "abc.mozmail.com",
        "duck.com",
        "simplelogin.com",
        "aleeas.com",
        "passmail.net",
        "addy.io",
    ],
)
def test_a_relay_of_a_persons_own_address_is_told_and_shared_by_strangers(domain: str) -> None:
    assert flags_of("taro", domain) == {Flag.PRIVACY_RELAY, Flag.FREEMAIL}


@pytest.mark.parametrize(
    ("local", "flagged"),
    [
        ("taro.yamada", False),
        ("Taro.Yamada+shop", False),
        ("a.b.c.d.e.f", False),
        ("taro", True),
        ("taro_yamada", True),
        ("x" * 31, True),
        ("taro.yamada-1", True),
    ],
)
def test_names_that_gmail_does_not_hand_out_are_marked_there_only(local: str, flagged: bool) -> None:  # noqa: FBT001
    assert (Flag.PROVIDER_SYNTAX in flags_of(local, "gmail.com")) is flagged
    assert (Flag.PROVIDER_SYNTAX in flags_of(local, "googlemail.com")) is flagged
    assert Flag.PROVIDER_SYNTAX not in flags_of(local, "shop.co.jp")


@pytest.mark.parametrize("local", ["taro%shop.com", "shop!taro"])
def test_an_address_that_servers_may_send_on_is_marked(local: str) -> None:
    assert flags_of(local, "shop.co.jp") == {Flag.ROUTED_LOCAL}


@pytest.mark.parametrize(
    ("address", "flagged"),
    [
        ("taro@shop.co.jp", False),
        ("山田たろー.taro@日本ネット-shop.jp", False),
        ("иван@почта.рф", False),
        ("p\u0430ypal@shop.co.jp", True),  # a Cyrillic а among Latin letters
        ("info1@p\u0430ypal.com", True),
        ("иван@shop.co.jp", False),  # each word is of one alphabet
    ],
)
def test_words_of_several_alphabets_are_marked_and_japanese_is_one(address: str, flagged: bool) -> None:  # noqa: FBT001
    report = check_syntax(address)

    assert report.status is Status.UNKNOWN
    assert (Flag.MIXED_SCRIPT in report.flags) is flagged
