"""Signals of the traps: fields that no person sees."""

from typing import Final

from formwarden.facts import Facts, MarkerOutcome
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission

PASSWORD_MANAGER_STRENGTH: Final = 0.25  # 1.5 points: browsers and password managers fill what they find


@signal(weight=6.0, group="trap")
def trap_filled(_submission: Submission, facts: Facts) -> Evidence | None:
    """A field no person can see came back with something in it."""
    filled = [trap for trap in facts.page.traps if trap.filled]
    if not filled:
        return None
    if facts.script.bound and facts.script.traps_visible:
        return Evidence(text="traps were visible: our style sheet did not arrive", strength=0.0)  # G35
    count = f"{len(filled)} of {len(facts.page.traps)} traps"
    if all(trap.echoes or trap.autofilled for trap in filled):
        return Evidence(text=f"{count} filled by a password manager", strength=PASSWORD_MANAGER_STRENGTH)
    return Evidence(text=f"{count} filled")


@signal(weight=3.0, group="trap")
def trap_missing(_submission: Submission, facts: Facts) -> Evidence | None:
    """The traps were on the page, and not one of them was sent back."""
    traps = facts.page.traps
    if facts.page.marker is not MarkerOutcome.VALID or not traps:
        return None  # only a valid marker proves that the traps were rendered
    if any(trap.present for trap in traps):
        return None  # an unticked checkbox is never sent: one absent trap tells nothing
    return Evidence(text=f"none of {len(traps)} traps sent")
