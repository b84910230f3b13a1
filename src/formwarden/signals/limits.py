"""The figures that signals compare with."""

from typing import Annotated

from pydantic import Field

from formwarden.groups import Group, Unit


class SignalLimits(Group):
    """Limits of the signals; those in force are stored with each verdict."""

    min_age_s: Annotated[
        float,
        Unit("s"),
        Field(ge=0, description="sooner than a person can fill the form; autofill needs about two"),
    ] = 3.0
    stale_after_s: Annotated[
        float,
        Unit("s"),
        Field(gt=0, description="a token this old asks for another click: slow writers exist"),
    ] = 86_400.0
    max_urls: Annotated[int, Unit("URLs"), Field(ge=0, description="inquiries rarely hold more (2.5% hold any)")] = 2
    client_per_10_min: Annotated[
        int, Unit("submissions in 10 min"), Field(ge=0, description="an office behind one address sends less")
    ] = 10
    network_per_hour: Annotated[
        int, Unit("submissions in 1 h"), Field(ge=0, description="one /24 or /48; only a low weight")
    ] = 60
    address_per_day_seen: Annotated[
        int,
        Unit("submissions in 24 h"),
        Field(ge=0, description="a person corrects and asks again a few times"),
    ] = 5
    domain_per_hour_seen: Annotated[
        int,
        Unit("submissions in 1 h"),
        Field(ge=0, description="one address domain, freemail excepted; an office of thirty writes at once"),
    ] = 30
    form_per_hour_seen: Annotated[
        int,
        Unit("submissions in 1 h"),
        Field(ge=0, description="one form; people suffer in a flood, too, so only a very low weight"),
    ] = 300
    scored_characters: Annotated[
        int, Unit("characters of a field"), Field(gt=0, description="the rest is kept but not scored: cost")
    ] = 16_384
