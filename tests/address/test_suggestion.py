import csv
import json
import time
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.address.flags import shared_domains
from formwarden.address.report import Reason, Status
from formwarden.address.suggestion import (
    HEAD,
    KEYBOARD,
    LONGEST,
    TAIL,
    alike,
    corrected,
    is_slip,
    meant_domain,
    still_meant,
)
from formwarden.address.syntax import MAX_CHARACTERS, check_syntax
from formwarden.data import groups, words
from tests.address.played_resolver import PlayedResolver, a, checker, mx
from tests.clock import MovableClock

LISTS: Final = Path(__file__).parents[2] / "../shared/data/lists-mail"
TYPOS: Final = {typo: meant for meant, typos in groups("popular", "typos").items() for typo in typos}
# Domains of real people that other checkers correct into somebody else's.
REAL: Final = (
    *("proton.me", "hey.com", "fastmail.fm", "mailo.com", "mail.com", "ymail.com", "email.com", "aol.com", "me.com"),
    *("gmx.net", "gmx.de", "web.de", "live.com", "msn.com", "qq.com", "163.com", "naver.com", "daum.net", "mac.com"),
    *("acme.dev", "gov.uk", "sap.com", "ibm.com", "mailw.com", "kyoto-u.ac.jp", "u-tokyo.ac.jp", "shop.co.jp"),
    *("softbank.co.jp", "nttdocomo.com", "kddi.com", "au.com", "i.softbank.jp", "y-mobile.ne.jp", "ymail.ne.jp"),
    *("yahoo.co.uk", "yahoo.co.in", "yahoo.ca", "yahoo.fr", "hotmail.fr", "hotmail.co.jp", "outlook.fr", "live.jp"),
    *("duck.com", "mozmail.com", "passmail.net", "privaterelay.appleid.com", "tuta.com", "zoho.com", "zoho.eu"),
    *("comcast.net", "cox.net", "att.net", "orange.fr", "free.fr", "sfr.fr", "wanadoo.fr", "t-online.de", "bk.ru"),
    *(
        "mail.ru",
        "list.ru",
        "inbox.ru",
        "ya.ru",
        "yandex.com",
        "seznam.cz",
        "wp.pl",
        "o2.pl",
        "libero.it",
        "bol.com.br",
    ),
    *("example.com", "github.com", "apple.com", "google.com", "microsoft.com", "amazon.co.jp", "rakuten.co.jp"),
    *(
        "nifty.com",
        "nifty.ne.jp",
        "biglobe.ne.jp",
        "ocn.ne.jp",
        "plala.or.jp",
        "so-net.ne.jp",
        "odn.ne.jp",
        "line.me",
    ),
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("gmsil.com", "gmail.com"),
        ("gmaiil.com", "gmail.com"),
        ("gmailc.om", "gmail.com"),
        ("hotmai.com", "hotmail.com"),
        ("yaho.co.jp", "yahoo.co.jp"),
        ("yahoo.co.jo", "yahoo.co.jp"),
        ("docmo.ne.jp", "docomo.ne.jp"),
        ("docomo.co.jp", "docomo.ne.jp"),
        ("ezwed.ne.jp", "ezweb.ne.jp"),
        ("sofbank.ne.jp", "softbank.ne.jp"),
        ("i.sotfbank.jp", "i.softbank.jp"),
        ("iclould.com", "icloud.com"),
        ("biglobe.ne.ip", "biglobe.ne.jp"),
        ("outlok.com", "outlook.com"),
        ("comcast.ent", "comcast.net"),
    ],
)
def test_a_slip_of_the_finger_is_told_from_a_name(typed: str, meant: str) -> None:
    assert meant_domain(typed) == meant


@pytest.mark.parametrize("domain", sorted({*REAL, *words("popular", "domains")}))
def test_a_real_domain_is_never_corrected(domain: str) -> None:
    assert meant_domain(domain) is None


def test_no_domain_that_strangers_share_is_corrected_or_listed_as_a_slip() -> None:
    assert [domain for domain in sorted(shared_domains()) if meant_domain(domain) is not None] == []
    assert set(TYPOS) & (shared_domains() | set(REAL)) == set()


def test_each_listed_slip_has_one_meaning_and_that_is_a_real_domain() -> None:
    assert len(TYPOS) == sum(map(len, groups("popular", "typos").values()))
    assert set(TYPOS.values()) <= words("popular", "domains") <= shared_domains()
    assert [typo for typo, meant in TYPOS.items() if meant_domain(typo) != meant] == []


def test_popular_names_are_long_enough_that_one_slip_away_lives_nobody() -> None:
    assert min(map(len, words("popular", "domains"))) >= len("yahoo.de")
    assert max(map(len, (*words("popular", "domains"), *TYPOS))) < LONGEST


def test_what_may_be_two_domains_is_not_guessed() -> None:
    assert is_slip("yahoo.dr", "yahoo.de")
    assert is_slip("yahoo.dr", "yahoo.fr")
    assert meant_domain("yahoo.dr") is None


@pytest.mark.parametrize(
    ("typed", "slip"),
    [
        ("gmail.com", False),
        ("gamil.com", True),
        ("gail.com", True),
        ("mail.com", True),
        ("gmail.cm", True),
        ("gmail.co", True),
        ("gmail.comm", True),
        ("gmail.coma", False),
        ("xgmail.com", False),
        ("fgmail.com", True),
        ("gmaill.com", True),
        ("gmaipl.com", True),
        ("gmaixl.com", False),
        ("gmsil.com", True),
        ("gmxil.com", False),
        ("gmail,com", True),
        ("gmaol.con", False),
        ("liamg.com", False),
        ("", False),
    ],
)
def test_a_slip_is_one_movement_that_a_hand_makes(typed: str, slip: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_slip(typed, "gmail.com") is slip


def test_no_slip_is_missed_by_comparing_only_what_begins_or_ends_alike() -> None:
    assert min(map(len, words("popular", "domains"))) > HEAD + TAIL
    for meant in words("popular", "domains"):
        for typed in slips(meant):
            all_of_them = [popular for popular in words("popular", "domains") if is_slip(typed, popular)]
            assert sorted(all_of_them) == sorted(popular for popular in alike(typed) if is_slip(typed, popular))
            assert meant in all_of_them


def slips(meant: str) -> set[str]:
    """Make a slip of each kind at every place of a domain."""
    at = range(len(meant))
    missing = {meant[:i] + meant[i + 1 :] for i in at}
    doubled = {meant[:i] + meant[i] + meant[i:] for i in at}
    swapped = {meant[:i] + meant[i + 1] + meant[i] + meant[i + 2 :] for i in at[:-1]}
    return (missing | doubled | swapped) - {meant}


@given(typed=st.text(st.sampled_from("".join(KEYBOARD)), max_size=12), meant=st.sampled_from(["gmail.com", "ab"]))
def test_a_slip_changes_the_length_by_one_at_most_and_is_no_identity(typed: str, meant: str) -> None:
    if is_slip(typed, meant):
        assert typed != meant
        assert abs(len(typed) - len(meant)) <= 1


def test_a_listed_slip_stands_even_where_mail_arrives_and_a_guess_does_not() -> None:
    assert still_meant("taro@gmail.com", "gmial.com") == "taro@gmail.com"
    assert still_meant("taro@gmail.com", "gmail.co") is None


@pytest.mark.parametrize(
    ("typed", "reason", "suggestion"),
    [
        ("Taro.Y+x@Gmial.com", Reason.NOT_CHECKED, "Taro.Y+x@gmail.com"),
        ("taro@gmail.com", Reason.NOT_CHECKED, None),
        ("taro@gmail", Reason.BAD_DOMAIN, "taro@gmail.com"),
        ("taro@gmail,com", Reason.BAD_DOMAIN, "taro@gmail.com"),
        ("ta..ro@gmail,com", Reason.BAD_DOMAIN, None),
        ("ta..ro@gmial.com", Reason.BAD_LOCAL, None),
        ("taro", Reason.NO_AT, None),
    ],
)
def test_a_suggestion_keeps_what_stands_before_the_at_and_rejects_nobody(
    typed: str, reason: Reason, suggestion: str | None
) -> None:
    report = check_syntax(typed)

    assert (report.reason, report.suggestion) == (reason, suggestion)
    assert suggestion is None or check_syntax(suggestion).status is Status.UNKNOWN


@pytest.mark.anyio
async def test_a_guess_is_dropped_where_mail_arrives_and_kept_where_it_does_not(clock: MovableClock) -> None:
    arrives = {("mx.shop.co.jp", "A"): a()} | {
        (domain, "MX"): mx("mx.shop.co.jp") for domain in ("gmail.co", "gmial.com")
    }
    there, nowhere = checker(PlayedResolver(arrives), clock), checker(PlayedResolver({}), clock)

    assert (await there.verify("taro@gmail.co")).suggestion is None
    assert (await there.verify("taro@gmial.com")).suggestion == "taro@gmail.com"
    assert (await there.verify("taro@gmial.com")).status is Status.DELIVERABLE
    assert (await nowhere.verify("taro@gmail.co")).suggestion == "taro@gmail.com"


@pytest.mark.anyio
async def test_the_sites_own_domain_is_no_slip(clock: MovableClock) -> None:
    report = await checker(PlayedResolver({}), clock, own=frozenset({"gmail.co"})).verify("taro@gmail.co")

    assert report.suggestion is None


@given(local=st.from_regex(r"[a-z0-9.+_-]{1,20}", fullmatch=True), domain=st.text(max_size=30))
def test_a_suggestion_is_always_a_popular_domain(local: str, domain: str) -> None:
    suggestion = corrected(local, domain)

    assert suggestion is None or suggestion.rpartition("@")[2] in words("popular", "domains")


def test_a_hostile_length_costs_nothing() -> None:
    hostile = ["gmail." * 50_000 + "com", "g" * 300_000, "." * 300_000, "gmaio." * 50]
    started = time.process_time()
    assert [meant_domain(each) for each in hostile * 10] == [None] * 40
    assert check_syntax("a@" + "gmail." * 52 + "con").suggestion is None
    assert len("a@" + "gmail." * 52 + "con") <= MAX_CHARACTERS
    assert time.process_time() - started < 1.0  # seconds of the processor; walking the labels of one takes several


@pytest.mark.skipif(not LISTS.is_dir(), reason=f"the lists are not at {LISTS}")
def test_we_find_what_a_well_known_checker_finds_for_popular_domains_and_invent_nothing() -> None:
    with (LISTS / "mailcheck_typo_cases.tsv").open(encoding="utf-8") as lines:
        cases = [(row["address"], row["expected_domain_or_empty"]) for row in csv.DictReader(lines, delimiter="\t")]
    found = {address: (check_syntax(address).suggestion or "@").rpartition("@")[2] for address, _ in cases}

    assert len(cases) == 19
    assert [address for address, meant in cases if found[address] not in {"", meant}] == []
    # Two slips in one domain ("gnail.con") are left alone, as is "#gmail.com".
    assert sum(bool(domain) for domain in found.values()) >= 4


@pytest.mark.skipif(not LISTS.is_dir(), reason=f"the lists are not at {LISTS}")
def test_few_of_thousands_of_real_free_mail_domains_are_taken_for_a_slip() -> None:
    disposable = set((LISTS / "disposable_email_blocklist.txt").read_text(encoding="utf-8").split())
    listed = set((LISTS / "free_email_domains.txt").read_text(encoding="utf-8").split()) - disposable
    wrong = sorted(domain for domain in listed if meant_domain(domain) is not None)

    assert len(listed) > 5_000
    assert listed.isdisjoint(TYPOS)
    assert len(wrong) <= 10, json.dumps(wrong)  # before DNS: a guess is dropped where mail arrives
