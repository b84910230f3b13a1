"""The relay, and how mail is handed to it."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from formwarden.groups import Group, Unit


class RelaySettings(Group):
    """Relay and sender."""

    smtp_url: Annotated[
        SecretStr | None,
        Unit("smtp://[user:password@]host:port"),
        Field(description="the relay; STARTTLS where offered, smtps:// for TLS from the start; None: no mail leaves"),
    ] = None
    mail_from: Annotated[
        str | None,
        Unit("address"),
        Field(description="header From of every mail; default noreply@site_domain"),
    ] = None
    envelope: Annotated[
        Literal["verp", "account", "null"],
        Unit("verp | account | null"),
        Field(description="envelope sender of replies: signed return path, `mail_from`, or <> (G14)"),
    ] = "verp"
    send_deadline_s: Annotated[float, Unit("s"), Field(gt=0, description="for one whole SMTP conversation")] = 20.0
    replies: Annotated[bool, Unit("on | off"), Field(description="whether auto-replies may leave at all")] = True
