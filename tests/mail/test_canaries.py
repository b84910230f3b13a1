import unicodedata

import pytest

from formwarden.mail.canaries import CANARIES, MARK, PLAIN, foreign, leaked, links
from formwarden.mail.names import plain_name

OURS = frozenset({"site.example", "例え.jp"})


def test_every_canary_but_the_plain_one_is_more_than_a_name_and_can_be_found_again() -> None:
    assert plain_name(PLAIN) == PLAIN
    for what, canary in CANARIES.items():
        assert plain_name(canary) is None, what
        assert MARK in unicodedata.normalize("NFKC", canary).casefold(), what
    assert max(map(len, CANARIES.values())) > 10_000


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
def test_a_canary_is_found_in_a_text_and_in_a_header(canary: str) -> None:
    assert list(leaked({"subject": "hello"}, "hello", canary, slots=1)) == []
    assert list(leaked({"subject": f"hello {canary}"}, "hello", canary, slots=1)) == ["header subject"]
    assert list(leaked({}, f"hello {canary}", canary, slots=1)) == ["text"]


def test_a_name_may_stand_in_its_slots_and_in_no_link() -> None:
    assert list(leaked({}, f"Hello {PLAIN},", PLAIN, slots=1)) == []
    assert list(leaked({}, f"{PLAIN} and {PLAIN}", PLAIN, slots=1)) == ["text"]
    assert list(leaked({}, f"https://site.example/{PLAIN}", PLAIN, slots=1)) == ["text"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://site.example/faq.", ("https://site.example/faq",)),
        ("see www.site.example, please", ("www.site.example",)),
        ("lin.ee/abc", ("lin.ee/abc",)),
        ("「https://site.example」", ("https://site.example",)),
        ("tel:123 and/or a.m./p.m. Mr./Mrs. 9.30/10.30 e.g. Acme.Inc office@site.example", ()),
        ("https：//x", ()),
    ],
)
def test_links_are_what_mail_programs_make_links_of(text: str, found: tuple[str, ...]) -> None:
    assert links(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("https://site.example", "https://www.site.example/x", "HTTPS://SITE.EXAMPLE:8443/", "www.site.example"),
        *("https://xn--r8jz45g.jp/", "https://例え.jp", "https://例え。jp/", "site.example/faq", "no link at all"),
    ],
)
def test_links_to_the_site_are_its_own(text: str) -> None:
    assert foreign(text, OURS) == ()


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://evil.test/x", "evil.test"),
        ("https://othersite.example", "othersite.example"),
        ("https://site.example.evil.test", "site.example.evil.test"),
        ("https://site.example@evil.test/", "evil.test"),
        ("http:/evil.test", "evil.test"),
        ("www.evil.test", "www.evil.test"),
        ("evil.test/x", "evil.test"),
        ("https://evil。test/", "evil.test"),
        ("https://еxample.test", "xn--xample-2of.test"),
        ("https://[x", "https://[x"),
        ("https://", "https://"),
        ("https://a..b/", "a..b"),
    ],
)
def test_links_elsewhere_are_named_by_their_host(text: str, host: str) -> None:
    assert foreign(text, OURS) == (host,)
