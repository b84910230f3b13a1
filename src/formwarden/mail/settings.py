"""The figures of the reply gate and of the relay."""

from typing import Annotated

from pydantic import Field

from formwarden.groups import Unit, Words
from formwarden.mail.breaker_settings import BreakerSettings
from formwarden.mail.relay_settings import RelaySettings


class Mail(BreakerSettings, RelaySettings):
    """Relay, sender and budgets. A budget (n, w): in no interval of length w are more than n granted."""

    address_per_day_form: Annotated[
        int, Unit("replies in 24 h"), Field(ge=0, description="one canonical address, one form")
    ] = 1
    address_per_day: Annotated[int, Unit("replies in 24 h"), Field(ge=0, description="one address, all forms")] = 2
    address_per_week: Annotated[int, Unit("replies in 7 d"), Field(ge=0, description="one address, all forms")] = 3
    client_per_hour_plain: Annotated[
        int, Unit("replies in 1 h"), Field(ge=0, description="one IPv4 address or /64, no script evidence")
    ] = 3
    client_per_hour: Annotated[int, Unit("replies in 1 h"), Field(ge=0, description="one IPv4 address or /64")] = 6
    client_per_day: Annotated[int, Unit("replies in 24 h"), Field(ge=0, description="one IPv4 address or /64")] = 20
    network_share: Annotated[
        float,
        Unit("of the site's hour"),
        Field(gt=0, le=1, description="one /24 or /48 takes no more (at least 3)"),
    ] = 0.2
    carrier_network_share: Annotated[
        float,
        Unit("of the site's hour"),
        Field(gt=0, le=1, description="the same where a mobile carrier or a relay puts thousands behind one address"),
    ] = 0.5
    domain_per_hour: Annotated[
        int, Unit("replies in 1 h"), Field(ge=0, description="one registrable domain that is no freemail")
    ] = 3
    domain_per_day: Annotated[
        int, Unit("replies in 24 h"), Field(ge=0, description="one registrable domain that is no freemail")
    ] = 5
    site_per_minute: Annotated[
        int | None, Unit("replies in 1 min"), Field(ge=0, description="default max(5, hour/4)")
    ] = None
    site_per_hour: Annotated[
        int | None,
        Unit("replies in 1 h"),
        Field(ge=0, description="default max(15, day/5): cold-start figures (G05)"),
    ] = None
    site_per_day: Annotated[
        int,
        Unit("replies in 24 h"),
        Field(ge=0, description="far below every host's limit; clean days raise it, or a person (G06)"),
    ] = 50
    warm_start_per_day: Annotated[
        int | None,
        Unit("replies in 24 h"),
        Field(ge=0, description="where to begin with a site that already sends, if more than site_per_day (G06)"),
    ] = None
    reply_ceiling_per_day: Annotated[
        int,
        Unit("replies in 24 h"),
        Field(ge=0, description="clean days raise it so far and no further; beyond it site_per_day does (G06)"),
    ] = 200
    form_per_hour: Annotated[int | None, Unit("replies in 1 h"), Field(ge=0, description="default the site's")] = None
    form_per_day: Annotated[int | None, Unit("replies in 24 h"), Field(ge=0, description="default the site's")] = None
    large_provider_share: Annotated[
        float, Unit("of the site's figure"), Field(gt=0, le=1, description="google and microsoft, each")
    ] = 0.75
    provider_share: Annotated[
        float, Unit("of the site's figure"), Field(gt=0, le=1, description="any other provider group")
    ] = 0.3
    plain_share: Annotated[
        float,
        Unit("of a shared budget"),
        Field(gt=0, le=1, description="what standing `plain` may use (G02)"),
    ] = 0.25
    shown_share: Annotated[
        float,
        Unit("of a shared budget"),
        Field(gt=0, le=1, description="what `plain` and `shown` may use together"),
    ] = 0.75
    queued_replies: Annotated[
        int,
        Unit("replies"),
        Field(
            ge=0, description="of standing `shown` that wait at once for a shared budget; all else is not sent (G02)"
        ),
    ] = 10
    queued_s: Annotated[
        float, Unit("s"), Field(gt=0, le=21_600, description="so long; later nobody expects an answer (G02)")
    ] = 1_800.0
    unproven_per_hour: Annotated[
        int,
        Unit("replies in 1 h"),
        Field(ge=0, description="until an outcome has been seen: no feedback, no volume (G07)"),
    ] = 5
    unproven_per_day: Annotated[int, Unit("replies in 24 h"), Field(ge=0, description="the same over a day")] = 20
    hold_suspect_s: Annotated[
        float, Unit("s"), Field(gt=0, description="a doubtful reply waits for the owner (G25)")
    ] = 259_200.0
    hold_dns_s: Annotated[float, Unit("s"), Field(gt=0, description="a reply waits for DNS, looked up again")] = (
        3_600.0
    )
    suppress_disposable: Annotated[
        bool,
        Unit("on | off"),
        Field(description="throw-away mailboxes get no reply; they are told by the extra `disposable` (G04)"),
    ] = False
    own_domains: Annotated[
        Words,
        Unit("domains"),
        Field(description="the site's other domains: like `site_domain`, nobody there but the staff is answered"),
    ] = ()
    owner_test_addresses: Annotated[
        Words,
        Unit("addresses"),
        Field(description="the owner's own tests are answered again and again; so is the staff (G26)"),
    ] = ()
    owner_tests_per_day: Annotated[
        int,
        Unit("replies in 24 h"),
        Field(ge=0, description="one address of the staff or of the owner's tests (G26)"),
    ] = 10
