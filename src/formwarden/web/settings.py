"""What a request may cost, and whom to believe about its origin."""

from typing import Annotated

from pydantic import Field

from formwarden.groups import Group, Unit, Words


class Web(Group):
    """Bounds of the request path."""

    body_limit: Annotated[int, Unit("bytes"), Field(gt=0, description="whole request body")] = 10_485_760
    fields_limit: Annotated[int, Unit("bytes"), Field(gt=0, description="all text fields together")] = 262_144
    fields_count: Annotated[int, Unit("fields"), Field(gt=0, description="fields and files together")] = 200
    body_seconds: Annotated[float, Unit("s"), Field(gt=0, description="to receive the whole body")] = 60.0
    judge_seconds: Annotated[
        float,
        Unit("s"),
        Field(gt=0, description="all look-ups of one submission together; late ones are unknown"),
    ] = 4.0
    retry_wait_s: Annotated[
        float, Unit("s"), Field(gt=0, description="a second click waits this long for the first one's answer")
    ] = 10.0
    trusted_proxies: Annotated[
        Words, Unit("CIDRs"), Field(description="whose X-Forwarded-For is believed; counted from the right")
    ] = ()
