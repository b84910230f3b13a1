"""What a request may cost, and whom to believe about its origin."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from formwarden.groups import Group, Unit, Words


def _lowered(value: object) -> object:
    """Read the name of a header however it is written."""
    return value.strip().lower() if isinstance(value, str) else value


class Web(Group):
    """Bounds of the request path."""

    body_limit: Annotated[int, Unit("bytes"), Field(gt=0, description="whole request body")] = 10_485_760
    fields_limit: Annotated[int, Unit("bytes"), Field(gt=0, description="all text fields together")] = 262_144
    fields_count: Annotated[int, Unit("fields"), Field(gt=0, description="fields and files together")] = 200
    body_first_bytes: Annotated[
        int, Unit("bytes"), Field(gt=0, description="of a body, or all of it, that must come within body_first_s")
    ] = 16_384
    body_first_s: Annotated[float, Unit("s"), Field(gt=0, description="to receive body_first_bytes")] = 10.0
    body_bytes_per_s: Annotated[
        int, Unit("bytes/s"), Field(ge=0, description="least speed of the rest, averaged over body_window_s")
    ] = 4_096
    body_window_s: Annotated[float, Unit("s"), Field(gt=0, description="over which the speed is averaged")] = 10.0
    body_seconds: Annotated[float, Unit("s"), Field(gt=0, description="to receive the whole body")] = 300.0
    spool_above: Annotated[
        int, Unit("bytes"), Field(ge=0, description="body kept in memory; a larger one goes into a file")
    ] = 262_144
    spool_budget: Annotated[
        int,
        Unit("bytes"),
        Field(gt=0, description="bodies one process holds while they come, and in files; then 503"),
    ] = 268_435_456
    spool_dir: Annotated[
        str | None,
        Unit("path"),
        Field(description="where the files of large bodies lie; unset: where the system has its temporary files"),
    ] = None
    judge_seconds: Annotated[
        float,
        Unit("s"),
        Field(gt=0, description="all look-ups of one submission together; late ones are unknown"),
    ] = 4.0
    retry_wait_s: Annotated[
        float, Unit("s"), Field(gt=0, description="a second click waits this long for the first one's answer")
    ] = 10.0
    trusted_proxies: Annotated[
        Words,
        Unit("CIDRs, presets"),
        Field(
            description="whose forwarding header is believed, counted from the right; behind an undeclared proxy "
            "clients are unknown; cloudflare, fastly, loopback, private, unix, or addresses"
        ),
    ] = ()
    proxy_header: Annotated[
        Literal["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip"],
        BeforeValidator(_lowered),
        Unit("header"),
        Field(description="where trusted proxies name the client; the nearest one must always set it itself"),
    ] = "x-forwarded-for"
