"""The figures of the address check."""

from typing import Annotated, Literal

from pydantic import Field

from formwarden.groups import Group, Unit, Words


class Address(Group):
    """DNS: whom to ask, for how long, and how much."""

    dns: Annotated[Literal["on", "off"], Unit("on | off"), Field(description="off: every domain is *unknown*")] = "on"
    dns_resolver: Annotated[
        Literal["dnspython", "aiodns"],
        Unit("dnspython | aiodns"),
        Field(description="what asks; aiodns is the extra of that name: faster, and more domains are *unknown*"),
    ] = "dnspython"
    dns_servers: Annotated[
        Words, Unit("host or host:port"), Field(description="the resolvers to ask; none: the system's")
    ] = ()
    disposable_allowed: Annotated[
        Words,
        Unit("domains"),
        Field(description="never flagged as disposable, with all below them; the list is the extra `disposable`"),
    ] = ()
    client_blocklists: Annotated[
        Words,
        Unit("zones"),
        Field(description="lists of abusive networks to ask about the client, `zone` or `zone=2,3`; none: nobody"),
    ] = ()
    dns_deadline_s: Annotated[
        float, Unit("s"), Field(gt=0, description="how long one submission waits for all questions about its address")
    ] = 2.0
    dns_hard_stop_s: Annotated[
        float,
        Unit("s"),
        Field(gt=0, description="when a look-up that goes on in the background ends; never before the deadline"),
    ] = 10.0
    dns_names_per_domain: Annotated[
        int, Unit("names"), Field(gt=0, description="different new names below one registrable domain in ten minutes")
    ] = 5
    dns_new_domains_per_client: Annotated[
        int,
        Unit("domains"),
        Field(gt=0, description="different new domains from one network in ten minutes"),
    ] = 6
