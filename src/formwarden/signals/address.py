"""Signals of the visitor's address. *Unknown* scores nothing: our resolver's failure is nobody's fault."""

from typing import Final

from formwarden.address.report import Flag, Reason, Status
from formwarden.facts import Facts
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission

LINE_ENDS: Final = frozenset("\r\n\0")  # what splits a header or ends a string: never a slip of the finger
NOT_A_TYPO: Final = frozenset({Reason.EMPTY, Reason.SEVERAL})  # left blank, or told by `several_addresses`


@signal(weight=12.0, group="address", rejects=True)
def address_control_characters(_submission: Submission, facts: Facts) -> Evidence | None:
    """The address holds a line end or a NUL: somebody tries to add headers to our mail (G27)."""
    if all(LINE_ENDS.isdisjoint(address.strip()) for address in facts.addresses):
        return None
    return Evidence(text="CR, LF or NUL inside")


@signal(weight=4.0, group="address", asks=True)
def address_invalid(_submission: Submission, facts: Facts) -> Evidence | None:
    """The address cannot be one; a typo can be corrected."""
    return None if facts.token.parent is not None else _invalid(facts)


@signal(weight=2.0, group="address")
def address_invalid_again(_submission: Submission, facts: Facts) -> Evidence | None:
    """The address cannot be one, and stayed so when we asked."""
    return _invalid(facts) if facts.token.parent is not None else None


@signal(weight=4.0, group="address")
def several_addresses(_submission: Submission, facts: Facts) -> Evidence | None:
    """Several addresses came where one belongs."""
    if len(facts.addresses) > 1:
        return Evidence(text=f"{len(facts.addresses)} different ones")
    if facts.address is not None and facts.address.reason is Reason.SEVERAL:
        return Evidence(text="a list of them")
    return None


@signal(weight=2.0, group="address", asks=True)
def address_undeliverable(_submission: Submission, facts: Facts) -> Evidence | None:
    """No mail can arrive there, says DNS."""
    return None if facts.token.parent is not None else _undeliverable(facts)


@signal(weight=2.0, group="address")
def address_undeliverable_again(_submission: Submission, facts: Facts) -> Evidence | None:
    """No mail can arrive there, says DNS; the sender insisted when we asked."""
    return _undeliverable(facts) if facts.token.parent is not None else None


@signal(weight=1.0, group="address")
def address_own_domain(_submission: Submission, facts: Facts) -> Evidence | None:
    """The address claims to be one of this very site."""
    return _flagged(facts, Flag.OWN_DOMAIN, "below the site's own domain")


@signal(weight=0.5, group="address")
def address_weak(_submission: Submission, facts: Facts) -> Evidence | None:
    """The domain names no mail server; mail reaches it by the fallback rule at best."""
    return _flagged(facts, Flag.WEAK, "no MX")


def _invalid(facts: Facts) -> Evidence | None:
    report = facts.address
    if report is None or report.status is not Status.INVALID or report.reason in NOT_A_TYPO:
        return None
    return Evidence(text=str(report.reason))


def _undeliverable(facts: Facts) -> Evidence | None:
    report = facts.address
    if report is None or report.status is not Status.UNDELIVERABLE:
        return None
    return Evidence(text=str(report.reason))


def _flagged(facts: Facts, flag: Flag, text: str) -> Evidence | None:
    return Evidence(text=text) if facts.address is not None and flag in facts.address.flags else None
