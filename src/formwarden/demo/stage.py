"""All that a site needs of its surroundings, put up for the demo where nobody has given it."""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from formwarden import Settings
from formwarden.demo.letters import VARIABLE
from formwarden.demo.played_dns import PlayedDns
from formwarden.demo.sink import MailSink

DOMAIN: Final = "tsukimizaka.played"  # no such top-level domain exists: nobody real is meant, or can be mailed
NAME: Final = "Tsukimizaka Strings 月見坂弦楽器工房"
NOT_SET: Final = "default"  # the origin of a setting that nobody has given
PREFIX: Final = "FORMWARDEN_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What was put up. `given` says what it stands for; `warnings` what its owner should know."""

    given: Mapping[str, str]
    warnings: tuple[str, ...]
    password: str  # of the owner's page
    mailbox: bool


@contextmanager
def staged(settings: Settings, *, host: str, port: int) -> Iterator[Stage]:
    """Put up what is not set, for this process and its children, and take it down at the end."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="formwarden-demo-")))
        values: dict[str, str] = {}
        given: dict[str, str] = {}
        for name, (what, value) in _props(stack, directory, settings, _local_url(host, port)).items():
            if settings.origins[name] == NOT_SET:
                given[PREFIX + name.upper()], values[PREFIX + name.upper()] = what, value()
        mailbox = PREFIX + "SMTP_URL" in values
        if mailbox:
            values[VARIABLE] = str(directory / "mail")
        stack.enter_context(_environment(values))
        password = settings.console.console_password
        yield Stage(
            given=given,
            warnings=tuple(_warnings(values, host)),
            password=password.get_secret_value() if password else values[PREFIX + "CONSOLE_PASSWORD"],
            mailbox=mailbox,
        )


def _props(
    stack: ExitStack, directory: Path, settings: Settings, url: str
) -> Mapping[str, tuple[str, Callable[[], str]]]:
    """Name the settings that the demo fills: what to say of each, and how to make it."""
    staff = f"workshop@{settings.site.site_domain or DOMAIN}"
    return {
        "secret_keys": ("a key of this run: its forms and receipts end with it", lambda: secrets.token_urlsafe(32)),
        "store_url": ("a temporary file, gone at the end", lambda: f"sqlite:///{directory / 'formwarden.db'}"),
        "site_domain": (DOMAIN, lambda: DOMAIN),
        "site_name": (NAME, lambda: NAME),
        "staff_address": (staff, lambda: staff),
        "public_url": (url, lambda: url),
        "smtp_url": ("a mail server of the demo's own: no mail leaves", lambda: _sink(stack, directory / "mail")),
        "dns_servers": (
            "played: gmail.com, docomo.ne.jp and *.played take mail, dead.com does not exist",
            _dns(stack),
        ),
        "console_password": ("made for this run, see below", lambda: secrets.token_urlsafe(9)),
    }


def _sink(stack: ExitStack, maildir: Path) -> str:
    return stack.enter_context(MailSink(maildir).running()).url


def _dns(stack: ExitStack) -> Callable[[], str]:
    return lambda: stack.enter_context(PlayedDns().in_thread()).address


def _local_url(host: str, port: int) -> str:
    """Return the address by which this machine's own browser reaches the site."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _warnings(values: Mapping[str, str], host: str) -> Iterator[str]:
    if PREFIX + "SITE_DOMAIN" in values and PREFIX + "SMTP_URL" not in values:
        yield f"mail will leave in the name of {DOMAIN}, which does not exist; set FORMWARDEN_SITE_DOMAIN to your own"
    if PREFIX + "SMTP_URL" in values and not _is_loopback(host):
        yield "/mailbox has no password: whoever reaches this address reads the demo's mail"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables, and set them back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
