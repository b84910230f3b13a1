"""Where alarms may go, and what is said of a channel that could not work."""

from pathlib import Path

import pytest

from formwarden.errors import SettingsError
from formwarden.mail.alarm_settings import Target, parse_webhook
from formwarden.settings import Settings, require

KEYS = ("k" * 40,)


def faults(**values: object) -> str:
    """Return everything that is wrong with these settings; empty: nothing is."""
    settings = Settings.only(secret_keys=KEYS, site_domain="bow-makers.jp", **values)
    try:
        require(settings, for_reply=False, signals=())
    except SettingsError as error:
        return str(error)
    return ""


def test_a_webhook_is_read_into_what_a_request_needs() -> None:
    assert parse_webhook("https://hooks.example.com:8443/a/b?c=d", local=False) == Target(
        host="hooks.example.com", port=8443, tls=True, authority="hooks.example.com:8443", path="/a/b?c=d"
    )
    assert parse_webhook("https://[2606:4700::1]", local=False) == Target(
        host="2606:4700::1", port=443, tls=True, authority="[2606:4700::1]", path="/"
    )
    assert parse_webhook("http://127.0.0.1:9/x", local=True).tls is False


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "https://localhost/x",
        "https://LOCALHOST./x",
        "https://hook.localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[fe80::1%25eth0]/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest",
    ],
)
def test_a_near_or_an_unencrypted_receiver_is_taken_only_where_it_is_allowed(url: str) -> None:
    with pytest.raises(ValueError, match="alarm_webhook_local"):
        parse_webhook(url, local=False)
    assert parse_webhook(url, local=True).host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com/x",
        "ftp://hooks.example.com/x",
        "https:///x",
        "https://[::1",
        "https://hooks.example.com:99999/x",
        "https://user:pass@hooks.example.com/x",
        "https://hooks.example.com/x#part",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nX: y",
        "https://例え.jp/x",
    ],
)
def test_what_is_no_receiver_is_said_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="https://host/path") as refused:
        parse_webhook(url, local=True)
    assert not url or url not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"alarm_webhook_url": "http://hooks.example.com/s3cret"}, "FORMWARDEN_ALARM_WEBHOOK_URL"),
        ({"alarm_webhook_key": "short"}, "fewer than 32 characters"),
        ({"alarm_file": "/no/such/folder/alarms"}, "make the folder"),
        ({"alarm_smtp_url": "relay.example"}, "is no relay"),
        ({"alarm_smtp_url": "smtp://relay.example"}, "has nobody to mail to"),
        ({"alarm_smtp_url": "smtp://relay.example", "alarm_address": "nobody"}, "number 1 is no mail address"),
        ({"alarm_address": "owner@home.example"}, "give alarm_smtp_url"),
        (
            {"site_domain": None, "alarm_smtp_url": "smtp://relay.example", "alarm_address": "owner@home.example"},
            "its domain is needed",
        ),
    ],
)
def test_a_channel_that_could_not_work_is_refused_at_construction(values: dict[str, object], said: str) -> None:
    told = faults(**values) if "site_domain" not in values else _without_domain(values)
    assert said in told.replace("alarm_webhook_url", "FORMWARDEN_ALARM_WEBHOOK_URL")
    assert "s3cret" not in told


def _without_domain(values: dict[str, object]) -> str:
    with pytest.raises(SettingsError) as refused:
        require(Settings.only(secret_keys=KEYS, **values), for_reply=False, signals=())
    return str(refused.value)


def test_channels_that_can_work_are_taken(tmp_path: Path) -> None:
    assert (
        faults(
            alarm_file=f"{tmp_path}/alarms",
            alarm_webhook_url="https://hooks.example.com/x",
            alarm_webhook_key="k" * 32,
            alarm_smtp_url="smtps://user:pw@relay.example",
            staff_address="staff@bow-makers.jp",
        )
        == ""
    )
