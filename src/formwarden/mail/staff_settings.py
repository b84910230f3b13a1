"""How the staff hears of inquiries, and of those that are held."""

from typing import Annotated, Final, Literal

from pydantic import Field

from formwarden.groups import Group, Unit

StaffLanguage = Literal["en", "ja", "both"]
OnHold = Literal["digest", "each", "mark"]


class Staffing(Group):
    """The staff's mail (G24, G25)."""

    staff_per_hour: Annotated[
        int,
        Unit("inquiries in 1 h"),
        Field(ge=0, description="mailed to the staff singly; beyond that several go in one mail every 15 minutes"),
    ] = 60
    staff_mailbox: Annotated[
        Literal["people", "helpdesk"],
        Unit("people | helpdesk"),
        Field(
            description="helpdesk: it answers by itself whom Reply-To names, so Reply-To stands only where an "
            "auto-reply may leave, and takes its place in every budget"
        ),
    ] = "people"
    on_hold: Annotated[
        OnHold | None,
        Unit("digest | each | mark"),
        Field(
            description="how the staff hears of what is held: digest: once a day; each: one mail for each; mark: "
            "from quarantine to 8 points at once, marked in the subject, the rest by digest; None: mark while fewer "
            "than 20 inquiries came within a day, else digest"
        ),
    ] = None
    digest_hour: Annotated[
        int, Unit("hour of the day, UTC"), Field(ge=0, le=23, description="when digest and weekly summary leave")
    ] = 7
    weekly_summary: Annotated[
        bool,
        Unit("on | off"),
        Field(description="figures every Monday, also where nothing was held: what slowly changes shows there only"),
    ] = True
    staff_language: Annotated[StaffLanguage, Unit("en | ja | both"), Field(description="of digest and summary")] = (
        "en"
    )


DEFAULTS: Final = Staffing()
