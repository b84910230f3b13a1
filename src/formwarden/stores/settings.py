"""Where things are remembered, and for how long."""

from typing import Annotated

from pydantic import Field, SecretStr

from formwarden.groups import Group, Unit


class Stores(Group):
    """URLs, deadlines, retention."""

    store_url: Annotated[
        SecretStr,
        Unit("sqlite:///file | sqlite:////absolute/file | memory://"),
        Field(description="ledger and inquiries, and the counters too unless `counters_url` is given"),
    ] = SecretStr("sqlite:///formwarden.db")
    counters_url: Annotated[
        SecretStr | None, Unit("URL"), Field(description="counters alone; default: the store's volatile file")
    ] = None
    store_deadline_s: Annotated[
        float, Unit("s"), Field(gt=0, description="a store that takes longer counts as down")
    ] = 3.0
    journal_path: Annotated[
        str | None,
        Unit("path"),
        Field(description="where inquiries go while the store is down; default beside it"),
    ] = None
    journal_bytes: Annotated[int, Unit("bytes"), Field(gt=0, description="the journal grows no further")] = 67_108_864
    store_bytes: Annotated[
        int,
        Unit("bytes"),
        Field(
            ge=1_048_576,
            description="ledger and inquiries grow no further: rejected bodies go first, then near-duplicates, then "
            "the highest scores (G23)",
        ),
    ] = 2_147_483_648  # half a million inquiries of 2 KiB with their numbers; small beside a server's disk
    counters_bytes: Annotated[
        int,
        Unit("bytes"),
        Field(ge=262_144, description="counters grow no further: new keys are not counted, those that are known are"),
    ] = 268_435_456  # some two million rows: a day of 20,000 submissions takes a tenth
    keep_held_days: Annotated[float, Unit("d"), Field(gt=0, description="held and asked inquiries (G38)")] = 30.0
    keep_rejected_days: Annotated[float, Unit("d"), Field(gt=0, description="rejected inquiries (G38)")] = 7.0
    keep_facts_days: Annotated[float, Unit("d"), Field(gt=0, description="numbers and reasons, no text (G38)")] = 90.0
    keep_accepted: Annotated[
        bool, Unit("on | off"), Field(description="keep bodies of accepted inquiries beyond their hour (G21)")
    ] = False
