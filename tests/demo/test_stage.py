import os
import smtplib
from pathlib import Path
from urllib.parse import urlsplit

import dns.message
import dns.query
import pytest

from formwarden import Settings
from formwarden.demo.letters import VARIABLE
from formwarden.demo.stage import DOMAIN, staged

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound: the stage is told where the site will listen


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("FORMWARDEN_"):
            monkeypatch.delenv(name)


def greets(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with smtplib.SMTP(str(parts.hostname), parts.port or 0, timeout=5) as relay:
            return relay.noop()[0] == 250
    except ConnectionRefusedError:
        return False


def test_everything_a_site_needs_is_put_up_and_taken_down() -> None:
    before = dict(os.environ)
    with staged(Settings(), host=LOOPBACK, port=8123) as stage:
        settings = Settings()
        assert len(settings.site.secret_keys) == 1
        assert settings.site.site_domain == DOMAIN
        assert settings.site.staff_address == (f"workshop@{DOMAIN}",)
        assert settings.site.public_url == "http://127.0.0.1:8123"
        assert settings.console.console_password is not None
        assert settings.console.console_password.get_secret_value() == stage.password
        assert settings.mail.smtp_url is not None
        relay = settings.mail.smtp_url.get_secret_value()
        assert greets(relay)
        host, _, port = settings.address.dns_servers[0].partition(":")
        answer = dns.query.udp(dns.message.make_query("gmail.com", "MX"), host, port=int(port), timeout=5)
        assert "google.com" in answer.to_text()
        maildir = Path(os.environ[VARIABLE])
        assert maildir.is_dir()
        assert settings.stores.store_url.get_secret_value() == f"sqlite:///{maildir.parent / 'formwarden.db'}"
        assert stage.mailbox
        assert stage.warnings == ()
    assert dict(os.environ) == before
    assert not maildir.parent.exists()
    assert not greets(relay)


def test_each_run_has_a_key_and_a_password_of_its_own() -> None:
    seen = set()
    for _ in range(2):
        with staged(Settings(), host=LOOPBACK, port=1) as stage:
            seen |= {stage.password, os.environ["FORMWARDEN_SECRET_KEYS"]}
    assert len(seen) == 4


def test_no_secret_is_among_what_is_said() -> None:
    with staged(Settings(), host=LOOPBACK, port=1) as stage:
        said = " ".join(stage.given.values())
        assert stage.password not in said
        assert os.environ["FORMWARDEN_SECRET_KEYS"] not in said


def test_what_is_set_is_obeyed_wherever_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_SMTP_URL", "smtp://127.0.0.1:1")
    Path(".env").write_text("FORMWARDEN_SITE_DOMAIN=shop.jp\nFORMWARDEN_CONSOLE_PASSWORD=geheim\n", encoding="utf-8")
    Path("formwarden.toml").write_text('dns_servers = "127.0.0.1:5353"\nstore_url = "memory://"\n', encoding="utf-8")
    with staged(Settings(), host=LOOPBACK, port=1) as stage:
        settings = Settings()
        assert settings.site.site_domain == "shop.jp"
        assert settings.address.dns_servers == ("127.0.0.1:5353",)
        assert settings.stores.store_url.get_secret_value() == "memory://"
        assert stage.password == "geheim"
        assert not stage.mailbox
        assert VARIABLE not in os.environ
        assert stage.given.keys() == {
            "FORMWARDEN_SECRET_KEYS",
            "FORMWARDEN_SITE_NAME",
            "FORMWARDEN_STAFF_ADDRESS",
            "FORMWARDEN_PUBLIC_URL",
        }


def test_the_staff_of_a_domain_that_is_set_is_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_SITE_DOMAIN", "shop.jp")
    with staged(Settings(), host=LOOPBACK, port=1):
        assert Settings().site.staff_address == ("workshop@shop.jp",)


def test_a_real_relay_and_an_invented_domain_do_not_go_together_unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_SMTP_URL", "smtp://127.0.0.1:1")
    with staged(Settings(), host=LOOPBACK, port=1) as stage:
        assert any("FORMWARDEN_SITE_DOMAIN" in warning for warning in stage.warnings)


@pytest.mark.parametrize(
    ("host", "warned"), [(EVERYWHERE, True), ("::", True), ("127.0.0.1", False), ("::1", False), ("localhost", False)]
)
def test_a_mailbox_that_others_can_read_is_said(host: str, *, warned: bool) -> None:
    with staged(Settings(), host=host, port=1) as stage:
        assert any("/mailbox" in warning for warning in stage.warnings) is warned


@pytest.mark.parametrize(
    ("host", "url"),
    [(EVERYWHERE, "http://127.0.0.1:81"), ("::1", "http://[::1]:81"), ("shop.jp", "http://shop.jp:81")],
)
def test_g30_links_in_mail_lead_to_an_address_that_can_be_opened(host: str, url: str) -> None:
    with staged(Settings(), host=host, port=81):
        assert Settings().site.public_url == url
