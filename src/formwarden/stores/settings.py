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
    keep_held_days: Annotated[float, Unit("d"), Field(gt=0, description="held and asked inquiries (G38)")] = 30.0
    keep_rejected_days: Annotated[float, Unit("d"), Field(gt=0, description="rejected inquiries (G38)")] = 7.0
    keep_facts_days: Annotated[float, Unit("d"), Field(gt=0, description="numbers and reasons, no text (G38)")] = 90.0
    keep_accepted: Annotated[
        bool, Unit("on | off"), Field(description="keep bodies of accepted inquiries beyond their hour (G21)")
    ] = False
