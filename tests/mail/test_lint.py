"""Replies looked through with a site's own settings, before there is any: section 5, "Lint at start-up"."""

import re
from dataclasses import replace

import pytest

from formwarden import AutoReply, GuardedForm, Settings, TemplateError, Warden
from formwarden.mail.compose import Composed, Composer
from formwarden.mail.lint import LONGEST_RECIPIENT, ReplyLint, own_hosts
from formwarden.mail.settings import Mail
from formwarden.mail.stop_links import StopLinks
from formwarden.site import Site
from formwarden.stores.ports import Key
from formwarden.testing import reply_leaks
from formwarden.tokens import Tokens
from tests.clock import MovableClock
from tests.mail.keys import private_key

SITE = Site(site_domain="site.example", public_url="https://www.site.example")


def warden(reply: AutoReply, **settings: object) -> Warden:
    plain: dict[str, object] = {"secret_keys": "k" * 40, "site_domain": "site.example", "store_url": "memory://"}
    return Warden(GuardedForm("contact", reply=reply), settings=Settings.only(**(plain | settings)))


def lint(site: Site = SITE, mail: Mail | None = None) -> ReplyLint:
    clock = MovableClock()
    tokens = Tokens(("k" * 32,), clock=clock, entropy=bytes)
    stops = StopLinks(tokens, clock, public_url=site.public_url, prefix="/_fw/") if site.public_url else None
    return ReplyLint(Composer(site, mail or Mail(), tokens, clock, bytes, stops=stops), site, mail or Mail())


@pytest.mark.parametrize("name", [True, False])
def test_the_built_in_texts_are_clean(*, name: bool) -> None:
    assert lint().leaks(AutoReply(name=name)) == ()


@pytest.mark.parametrize("text", ["See https://evil.test/faq", "see www.evil.test", "follow us: lin.ee/abc"])
def test_a_link_that_is_not_the_sites_is_an_error_at_construction(text: str) -> None:
    with pytest.raises(TemplateError, match=r"form 'contact': reply text \(ja\): a link leads to .*OWN_DOMAINS"):
        warden(AutoReply(text={"ja": text}))


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("https://site.example/faq", {}),
        ("https://help.site.example/faq", {}),
        ("https://www.public.example/faq", {"public_url": "https://www.public.example/x"}),
        ("https://lin.ee/abc", {"own_domains": "lin.ee"}),
        ("office@elsewhere.example", {}),
    ],
)
def test_links_to_the_site_and_to_its_other_domains_are_fine(text: str, settings: dict[str, object]) -> None:
    warden(AutoReply(text=text), **settings)


def test_a_site_name_that_is_a_link_elsewhere_is_told() -> None:
    with pytest.raises(TemplateError, match=r"evil\.test"):
        warden(AutoReply(), site_name="https://evil.test")


def test_all_forms_are_told_at_once() -> None:
    forms = {name: GuardedForm(name, reply=AutoReply(text="https://evil.test")) for name in ("a", "b")}
    with pytest.raises(TemplateError, match=r"(?s)form 'a'.*form 'b'"):
        lint().check({**forms, "c": GuardedForm("c")})


@pytest.mark.parametrize("text", ["x" * 2_800, "あ" * 600])
def test_r17_a_text_that_fits_no_more_with_signature_and_link_is_told_at_construction(text: str) -> None:
    warden(AutoReply(text=text))
    with pytest.raises(TemplateError, match=r"reply \(en\): the reply is \d+ octets, at most 4096: shorten"):
        warden(
            AutoReply(text=text),
            public_url="https://www.site.example",
            dkim_selector="s1",
            dkim_key=private_key(2_048),
        )


def test_no_recipient_is_longer_than_the_one_it_is_tried_with() -> None:
    assert len(LONGEST_RECIPIENT) == 254


class Careless(Composer):
    """Writes what a visitor typed where it must not stand."""

    def __init__(self, *, where: str) -> None:
        clock = MovableClock()
        super().__init__(SITE, Mail(), Tokens(("k" * 32,), clock=clock, entropy=bytes), clock, bytes)
        self.where = where

    def reply(
        self,
        auto: AutoReply,
        *,
        recipient: str,
        language: str,
        reference: str,
        received_at: float,
        reply_id: bytes,
        person: str = "",
        stop: Key | None = None,
    ) -> Composed:
        mail = super().reply(
            auto,
            recipient=recipient,
            language=language,
            reference=reference,
            received_at=received_at,
            reply_id=reply_id,
            stop=stop,
        )
        flat = re.sub(r"\s+", " ", person)[:60].encode()
        if self.where == "header":
            return replace(mail, data=mail.data.replace(b"Subject: ", b"Subject: " + flat + b" ", 1))
        return replace(mail, data=mail.data + b"=\r\n" + flat + b"\r\n")


@pytest.mark.parametrize(("where", "place"), [("header", "header subject"), ("text", "text")])
def test_whatever_writes_a_reply_carelessly_is_noticed_with_what_leaks(where: str, place: str) -> None:
    found = ReplyLint(Careless(where=where), SITE, Mail()).leaks(AutoReply(text={"en": "Hello"}, name=True))
    assert f"reply {place} (en): an encoded word that a visitor typed would stand there" in found
    assert f"reply {place} (en): 10 kB that a visitor typed would stand there" in found
    assert f"reply {place} (en): a name that a visitor typed would stand there" in found


def test_the_hosts_of_a_site_are_its_domain_its_public_url_and_its_other_domains() -> None:
    assert own_hosts(SITE, Mail(own_domains=("Shop.example",))) == {
        *("site.example", "www.site.example"),
        "shop.example",
    }
    assert own_hosts(Site(), Mail()) == frozenset()


def test_a_sites_own_suite_may_ask_too() -> None:
    settings = Settings.only(secret_keys="k" * 40, site_domain="site.example")
    assert reply_leaks(AutoReply(text="https://site.example"), settings=settings) == ()
    (leak, *_) = reply_leaks(AutoReply(text="https://evil.test"), settings=settings)
    assert "evil.test" in leak
