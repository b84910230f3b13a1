"""The figures of the address check."""

from typing import Annotated, Literal

from pydantic import Field

from formwarden.groups import Group, Unit, Words


class Address(Group):
    """DNS: whom to ask, and for how long."""

    dns: Annotated[Literal["on", "off"], Unit("on | off"), Field(description="off: every domain is *unknown*")] = "on"
    dns_servers: Annotated[
        Words, Unit("host or host:port"), Field(description="the resolvers to ask; none: the system's")
    ] = ()
    dns_deadline_s: Annotated[float, Unit("s"), Field(gt=0, description="for all questions about one address")] = 2.0
