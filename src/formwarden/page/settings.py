"""Where our assets live, and how many tokens one network may draw."""

from typing import Annotated

from pydantic import Field

from formwarden.groups import Group, Unit


class Pages(Group):
    """Assets and tokens on pages."""

    asset_prefix: Annotated[
        str,
        Unit("path"),
        Field(
            pattern=r"^/[A-Za-z0-9_./-]*/$",
            description="style sheet, script and fresh tokens are served below",
        ),
    ] = "/_formwarden/"
    tokens_per_10_min: Annotated[
        int,
        Unit("tokens in 10 min"),
        Field(gt=0, description="one network; beyond it pages carry the marker only (G28)"),
    ] = 60
    receipt_minutes: Annotated[
        float, Unit("min"), Field(gt=0, description="how long a thanks page shows the copy")
    ] = 30.0
