"""Whose site it is: settings that every room may read."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from formwarden.groups import Group, Unit, Words, split_words

Mode = Literal["enforce", "monitor"]


class Site(Group):
    """The site and its owner."""

    secret_keys: Annotated[
        tuple[SecretStr, ...],
        BeforeValidator(split_words),
        Unit("keys, newest first"),
        Field(description="sign tokens and receipts; older ones stay readable while they stand here"),
    ] = ()
    mode: Annotated[
        Mode, Unit("enforce | monitor"), Field(description="monitor judges and lets everything through")
    ] = "enforce"
    site_domain: Annotated[
        str | None,
        Unit("domain"),
        Field(description="the domain mail is sent from, and own addresses are below"),
    ] = None
    site_name: Annotated[str | None, Unit("text"), Field(description="how mails call the site; else its domain")] = (
        None
    )
    contact: Annotated[
        str | None, Unit("text"), Field(description="another way to reach you, shown to those who are refused")
    ] = None
    public_url: Annotated[
        str | None,
        Unit("URL"),
        Field(pattern=r"^https?://[^/\s]+(/\S*)?$", description="links in mail come from here"),
    ] = None
    staff_address: Annotated[Words, Unit("addresses"), Field(description="who gets the inquiries")] = ()
    machines: Annotated[
        int, Unit("machines"), Field(ge=1, description="more than one needs a store that all of them reach")
    ] = 1
    work: Annotated[
        Literal["auto", "cron"],
        Unit("auto | cron"),
        Field(description="auto: any open process sends what is due; cron: only `formwarden work --once` does (G19)"),
    ] = "auto"
