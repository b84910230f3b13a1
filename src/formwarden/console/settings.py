"""Who may look."""

from typing import Annotated

from pydantic import Field, SecretStr

from formwarden.groups import Group, Unit


class ConsoleAccess(Group):
    """The owner's page."""

    console_password: Annotated[
        SecretStr | None,
        Unit("password"),
        Field(description="HTTP Basic, any user name; none: the page is closed"),
    ] = None
