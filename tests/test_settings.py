"""Settings travel whole, are frozen, hide secrets, and are checked at once."""

import copy
import json
import pickle
import sys
import traceback
from dataclasses import FrozenInstanceError

import pytest

from formwarden.address.disposable import PACKAGE
from formwarden.errors import SettingsError
from formwarden.settings import KEY_COMMAND, Settings, require

SECRET = "s3cr3t" * 6
SIGNALS = ("trap_filled", "too_young")


def demanded(*, for_reply: bool = False, **values: object) -> tuple[str, ...]:
    """Return the faults that a warden with these settings would be refused for."""
    settings = Settings.only(**{"secret_keys": SECRET, **values})
    try:
        require(settings, for_reply=for_reply, signals=SIGNALS)
    except SettingsError as error:
        return error.faults
    return ()


def test_code_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_SITE_PER_DAY", "3")
    settings = Settings(site_per_day=4)
    assert (settings.mail.site_per_day, settings.origins["site_per_day"]) == (4, "code")


def test_only_reads_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_SITE_PER_DAY", "3")
    monkeypatch.setenv("FORMWARDEN_NO_SUCH", "3")
    assert Settings.only().mail.site_per_day == 50


def test_an_unknown_name_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_SITEDOMAIN", "example.jp")
    with pytest.raises(SettingsError, match="did you mean FORMWARDEN_SITE_DOMAIN"):
        Settings()


@pytest.mark.parametrize("text", ["a@x.jp,b@x.jp", "a@x.jp b@x.jp", " a@x.jp , b@x.jp ", "a@x.jp\nb@x.jp"])
def test_lists_are_written_with_commas_or_spaces(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FORMWARDEN_STAFF_ADDRESS", text)
    assert Settings().site.staff_address == ("a@x.jp", "b@x.jp")


def test_weights_are_pairs_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_WEIGHTS", "trap_filled=2, too_young=0")
    assert Settings().scoring.weights == {"trap_filled": 2.0, "too_young": 0.0}


def test_settings_cannot_be_changed() -> None:
    settings = Settings.only()
    with pytest.raises(FrozenInstanceError):
        settings.mail = settings.mail  # type: ignore[misc] # that it fails is the point
    with pytest.raises(TypeError):
        settings.origins["mode"] = "code"  # type: ignore[index] # the same


def test_settings_survive_pickle_and_deepcopy() -> None:
    settings = Settings.only(secret_keys=SECRET, weights={"trap_filled": 1})
    for again in (pickle.loads(pickle.dumps(settings)), copy.deepcopy(settings)):  # noqa: S301 - our own bytes
        assert again == settings
        assert again.origins == settings.origins


def test_where_a_value_came_from_makes_no_difference_to_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_SITE_PER_DAY", "50")
    assert Settings() == Settings.only()


def test_secrets_are_shown_nowhere() -> None:
    settings = Settings.only(secret_keys=SECRET, smtp_url=f"smtp://u:{SECRET}@h", console_password=SECRET)
    for text in (repr(settings), str(settings), f"{settings}", json.dumps(settings.describe(), default=str)):
        assert SECRET not in text


@pytest.mark.parametrize("key", [SECRET, "short7"])
def test_secrets_are_in_no_traceback(key: str) -> None:
    with pytest.raises(SettingsError) as unreadable:
        Settings.only(secret_keys=[key, 5], smtp_url=[key], mode=key)
    with pytest.raises(SettingsError) as refused:
        require(Settings.only(secret_keys=key, smtp_url=f"ftp://{key}"), for_reply=False, signals=())
    for error in (unreadable.value, refused.value):
        assert key not in "".join(traceback.format_exception(error))
        assert error.__context__ is None


def test_a_missing_secret_key_comes_with_the_command_that_makes_one() -> None:
    with pytest.raises(SettingsError) as refused:
        require(Settings.only(), for_reply=False, signals=SIGNALS)
    (fault,) = refused.value.faults
    assert fault.startswith("FORMWARDEN_SECRET_KEYS (not set): ")
    assert fault.endswith('make one: python -c "import secrets; print(secrets.token_urlsafe(32))"')
    assert KEY_COMMAND in str(refused.value)


def test_every_secret_key_must_be_long() -> None:
    (fault,) = demanded(secret_keys=f"{SECRET} {'x' * 31}")
    assert fault.startswith("code secret_keys: key 2 has fewer than 32 characters")
    assert demanded(secret_keys="x" * 32) == ()


@pytest.mark.parametrize(
    ("values", "for_reply", "named"),
    [
        ({}, False, ()),
        ({}, True, ("FORMWARDEN_SITE_DOMAIN (not set)",)),
        ({"staff_address": "a@x.jp"}, False, ("FORMWARDEN_SITE_DOMAIN (not set)",)),
        ({"staff_address": "a@x.jp", "site_domain": "x.jp"}, True, ()),
        ({"site_domain": "例え.jp"}, True, ()),
        ({"site_domain": "https://x.jp"}, False, ("code site_domain",)),
        ({"site_domain": "a@x.jp"}, True, ("code site_domain",)),
        ({"site_domain": "x.jp\r\nBcc: a@x.jp"}, True, ("code site_domain",)),
        ({"staff_address": "a@x.jp Taro", "site_domain": "x.jp"}, False, ("code staff_address",)),
        ({"staff_address": "a@mail.test", "site_domain": "demo.test"}, False, ()),
        ({"mail_from": "Taro <a@x.jp>"}, False, ("code mail_from",)),
        ({"mail_from": "noreply@x.jp"}, False, ()),
        ({"own_domains": "x.jp y.jp"}, False, ()),
        ({"own_domains": "x.jp @y.jp"}, False, ("code own_domains",)),
        ({"owner_test_addresses": "a@x.jp b"}, False, ("code owner_test_addresses",)),
        ({"store_url": "sqlite:////srv/site/x.db"}, False, ()),
        ({"store_url": "sqlite://"}, False, ("code store_url",)),
        ({"store_url": "sqlite:///"}, False, ("code store_url",)),
        ({"store_url": "sqlite:///folder/"}, False, ("code store_url",)),
        ({"store_url": "sqlite:///:memory:"}, False, ("code store_url",)),
        ({"store_url": "sqlite:///a\0b"}, False, ("code store_url",)),
        ({"smtp_url": "smtp://127.0.0.1:2525"}, False, ()),
        ({"smtp_url": "smtps://u:p@mail.x.jp"}, False, ()),
        ({"smtp_url": "mail.x.jp:25"}, False, ("code smtp_url",)),
        ({"smtp_url": "http://mail.x.jp"}, False, ("code smtp_url",)),
        ({"smtp_url": "smtp://"}, False, ("code smtp_url",)),
        ({"smtp_url": "smtp://h:99999"}, False, ("code smtp_url",)),
        ({"smtp_url": "smtp://h:port"}, False, ("code smtp_url",)),
        ({"smtp_url": "smtp://[::1"}, False, ("code smtp_url",)),
        ({"store_url": "memory://"}, False, ()),
        ({"store_url": "mysql://h/db"}, False, ("code store_url",)),
        ({"store_url": "formwarden.db"}, False, ("code store_url",)),
        ({"counters_url": "mysql://h/db"}, False, ("code counters_url",)),
        ({"public_url": "https://example.com/site"}, False, ()),
        ({"public_url": "http://["}, False, ("code public_url",)),
        ({"trusted_proxies": "10.0.0.0/8 192.0.2.7 ::1/128 172.17.0.1/16"}, False, ()),
        ({"trusted_proxies": "cloudflare, loopback unix Private,fastly 192.0.2.7"}, False, ()),
        ({"trusted_proxies": "10.0.0.0/8 *"}, False, ("code trusted_proxies",)),
        ({"trusted_proxies": "0.0.0.0/0, ::/0"}, False, ("code trusted_proxies", "code trusted_proxies")),
        ({"trusted_proxies": "cloudflare", "proxy_header": " CF-Connecting-IP"}, False, ()),
        ({"trusted_proxies": "10.0.0.0/8 proxy 300.1.1.1"}, False, ("code trusted_proxies", "code trusted_proxies")),
        ({"quarantine": 6, "reject": 6}, False, ()),
        ({"quarantine": 7, "reject": 6}, False, ("code quarantine",)),
        ({"weights": {"too_young": 1}}, False, ()),
        ({"weights": {"to_young": 1}}, False, ("code weights",)),
    ],
)
def test_what_a_warden_could_not_work_with_is_refused(
    values: dict[str, object],
    for_reply: bool,  # noqa: FBT001 - a column of the table
    named: tuple[str, ...],
) -> None:
    faults = demanded(for_reply=for_reply, **values)
    assert tuple(fault.partition(":")[0] for fault in faults) == named


def test_g04_a_rule_about_throw_away_mailboxes_needs_their_list(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(PACKAGE, reason="needs the extra `disposable`: pip install 'formwarden[disposable]'")
    assert demanded(suppress_disposable=True) == ()
    monkeypatch.setitem(sys.modules, PACKAGE, None)  # an installation without it
    (fault,) = demanded(suppress_disposable=True)
    assert fault.startswith("code suppress_disposable: the list is missing; install formwarden[disposable]")


@pytest.mark.parametrize("store", ["sqlite:///x.db", "memory://"])
def test_g19_several_machines_need_a_store_that_all_of_them_reach(store: str) -> None:
    (fault,) = demanded(machines=2, store_url=store)
    assert fault.startswith("code machines: sqlite and memory serve one machine")


def test_an_unknown_signal_is_refused_with_the_nearest_known_one() -> None:
    assert demanded(weights="to_young=1") == ("code weights: no signal 'to_young'; did you mean too_young?",)
    assert demanded(weights="qqq=1") == ("code weights: no signal 'qqq'; one of too_young, trap_filled",)


def test_an_unknown_proxy_preset_is_refused_with_the_nearest_known_one() -> None:
    (fault,) = demanded(trusted_proxies="cloudfare")
    assert fault.startswith("code trusted_proxies: no preset 'cloudfare'; did you mean cloudflare?")


def test_trusting_everybody_is_refused_with_the_reason() -> None:
    (fault,) = demanded(trusted_proxies="*")
    assert fault.startswith("code trusted_proxies: * trusts visitors too")
    assert "its leftmost entry is theirs" in fault


def test_an_unknown_proxy_header_is_refused_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMWARDEN_PROXY_HEADER", "x-client-ip")
    with pytest.raises(SettingsError, match=r"environment FORMWARDEN_PROXY_HEADER: .*'cf-connecting-ip'"):
        Settings()
    monkeypatch.setenv("FORMWARDEN_PROXY_HEADER", "Forwarded")
    assert Settings().web.proxy_header == "forwarded"


def test_everything_a_warden_lacks_comes_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        require(Settings.only(machines=2, smtp_url="x", trusted_proxies="y"), for_reply=True, signals=())
    assert len(refused.value.faults) == 5
