"""Every code that a reply's row may bear: the row of the decision table it comes from, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

UNLISTED: Final = "Decided before, or the ledger knew better while it reserved."


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code: its row in the table (issue 7; 0 comes before it) and one sentence for whoever asks why."""

    row: int
    meaning: str


CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "LEDGER_DOWN": Code(row=0, meaning="Sending fails closed: the ledger did not answer."),
        "NO_REPLY": Code(row=0, meaning="No auto-reply belongs to this form."),
        "NO_RELAY": Code(row=0, meaning="No relay is configured (FORMWARDEN_SMTP_URL)."),
        "NOT_ENTERED": Code(row=0, meaning="The permit was not entered: use it with `async with`."),
        "AR_OFF": Code(row=1, meaning="Auto-replies are switched off."),
        "CONFIG_UNSAFE": Code(row=1, meaning="The provider refuses how this site sends, until that is mended."),
        "ADDR_SYNTAX": Code(row=2, meaning="There is no single address that mail can be sent to."),
        "SUPP_COMPLAINT": Code(row=3, meaning="The person called a reply unwanted."),
        "SUPP_STOP": Code(row=3, meaning="The person asked for no more mail, by the link in a reply."),
        "SUPP_MANUAL": Code(row=3, meaning="The owner put it on the list."),
        "SUPP_HARD": Code(row=3, meaning="A reply to it came back: there is no such mailbox."),
        "SUPP_DOMAIN": Code(
            row=3, meaning="A reply to this domain came back: it takes no mail; a week later, DNS decides."
        ),
        "SUPP_SOFT": Code(row=3, meaning="A reply to it was refused lately, for a reason that may pass."),
        "BOT": Code(row=4, meaning="Judged to be a bot's, and the owner has not released it."),
        "ADDR_UNDELIVERABLE": Code(row=5, meaning="DNS says that the domain takes no mail."),
        "ADDR_PARKED": Code(row=5, meaning="Mail to this domain ends at a seller of names who reads none."),
        "ADDR_DNS_TEMP": Code(
            row=6, meaning="DNS has not answered; it is asked again for an hour, and nobody is blamed."
        ),
        "OWN_DOMAIN": Code(row=7, meaning="An address of the site itself, and not one of the staff."),
        "ROLE_SYSTEM": Code(row=8, meaning="A program's mailbox, or a desk that form floods aim at."),
        "SMS_GATEWAY": Code(row=9, meaning="Mail to this domain becomes text messages on somebody's phone."),
        "DISPOSABLE": Code(row=10, meaning="A mailbox to throw away, and the owner answers none of those."),
        "BREAKER_PROVIDER": Code(
            row=11, meaning="Too many replies to this provider failed, or it distrusts the site."
        ),
        "BREAKER_SITE": Code(row=11, meaning="Too many replies of the site failed, or were complained of."),
        "HELD_SUSPECT": Code(row=13, meaning="Nothing shows that a person is there, so the owner decides."),
        "DUP_LINEAGE": Code(row=14, meaning="This visit to the form has had its reply."),
        "DUP_24H": Code(row=14, meaning="The address had its reply within 24 hours."),
        "DUP_7D": Code(row=14, meaning="The address had its replies within 7 days."),
        "CLIENT_BOUNCED": Code(row=15, meaning="A reply that this client asked for came back within 7 days."),
        "IP_RATE": Code(row=15, meaning="The client had its replies for now."),
        "NETWORK_RATE": Code(row=15, meaning="The client's network had its part of the site's hour."),
        "DOMAIN_RATE": Code(row=16, meaning="The recipient's domain had its replies for now."),
        "PROVIDER_RATE": Code(row=16, meaning="The recipient's provider had its replies for now."),
        "FORM_RATE": Code(row=17, meaning="The form has sent its replies for now."),
        "DRIP": Code(
            row=17,
            meaning="Far more new addresses than usual: so few replies a day until the owner says they are real.",
        ),
        "SITE_RATE": Code(
            row=17, meaning="The site has sent its replies for now, or had no slot left within the hour."
        ),
        "WARMUP": Code(row=17, meaning="No bounce or refusal has been seen yet: without feedback no volume."),
        "BREAKER_PROBE": Code(
            row=18, meaning="A breaker is half open, and this reply is not one of the few that try it."
        ),
        "OK": Code(row=19, meaning="Nothing stands against it."),
    }
)


def meaning_of(code: str) -> str:
    """Say in one sentence what a code means."""
    return CODES[code].meaning if code in CODES else UNLISTED


def row_of(code: str) -> int | None:
    """Return the number of the table's row; None: no row of it."""
    return CODES[code].row if code in CODES else None
