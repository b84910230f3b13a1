"""Where alarms go beside the log, and never through the relay that carries the replies (G08 to G13)."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from formwarden.groups import Group, Unit, Words

PORTS: Final = {"http": 80, "https": 443}
WEBHOOK: Final = "https://host/path"


class Alarming(Group):
    """Who hears that replies were stopped, or held back. Every alarm is logged whatever is set here."""

    alarm_file: Annotated[
        str | None, Unit("path"), Field(min_length=1, description="alarms are appended here, one JSON line each")
    ] = None
    alarm_webhook_url: Annotated[
        SecretStr | None, Unit(WEBHOOK), Field(description="alarms are posted here as JSON, which chats understand")
    ] = None
    alarm_webhook_key: Annotated[
        SecretStr | None,
        Unit("key"),
        Field(description="signs what is posted (HMAC-SHA256), so that the receiver can trust it"),
    ] = None
    alarm_webhook_local: Annotated[
        bool,
        Unit("on | off"),
        Field(description="the receiver is this machine or a private network; http is allowed"),
    ] = False
    alarm_smtp_url: Annotated[
        SecretStr | None,
        Unit("smtp://[user:password@]host:port"),
        Field(description="another relay than smtp_url, for alarms alone"),
    ] = None
    alarm_address: Annotated[
        Words, Unit("addresses"), Field(description="who gets alarms by that relay; default staff_address")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a webhook posts to."""

    host: str
    port: int
    tls: bool
    authority: str  # as in the Host header
    path: str


def parse_webhook(url: str, *, local: bool) -> Target:
    """Read the URL of a webhook. Raises ValueError, which never quotes the URL: it is a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # it quotes the text
        raise ValueError(f"is no URL; give {WEBHOOK}") from None
    if parts.scheme not in PORTS or not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"is no URL; give {WEBHOOK}")
    if parts.username is not None or parts.fragment:
        raise ValueError(f"holds a user or a fragment, which are not sent; give {WEBHOOK}")
    if not local and (parts.scheme == "http" or is_near(parts.hostname)):
        raise ValueError(f"is http or a private host, which alarm_webhook_local allows; else give {WEBHOOK}")
    return Target(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "https",
        authority=parts.netloc,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def is_near(host: str) -> bool:
    """Tell whether a host is this machine or in a private network, as far as its name tells."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not ip_address(name.partition("%")[0]).is_global
    except ValueError:
        return False
