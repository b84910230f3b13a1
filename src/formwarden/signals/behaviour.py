"""Signals of what our script counted. Its absence is a trifle: people do without scripts."""

from formwarden.facts import Facts, TokenOutcome
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission


@signal(weight=4.0, group="behaviour")
def automation_flag(_submission: Submission, facts: Facts) -> Evidence | None:
    """The browser itself says that a program drives it."""
    return Evidence(text="the browser reported it") if facts.script.present and facts.script.automated else None


@signal(weight=2.5, group="behaviour")
def no_interaction(_submission: Submission, facts: Facts) -> Evidence | None:
    """Fields were filled, yet nobody typed, pasted, touched, spoke or let the browser fill them."""
    script = facts.script
    if not (script.present and script.bound) or script.touched:
        return None
    if facts.work.clears or facts.vouched:
        return None  # G34
    if facts.token.parent is not None:
        return None  # the page that asks carries what was typed before
    if not any(value for _, value in facts.typed.pairs):
        return None
    return Evidence(text=f"no input in {script.visible_s:.0f} s")


@signal(weight=2.0, group="behaviour")
def evidence_unbound(_submission: Submission, facts: Facts) -> Evidence | None:
    """What our script counted belongs to another showing of the form."""
    if not facts.script.present or facts.script.bound:
        return None
    if facts.token.outcome is TokenOutcome.MISSING:
        return None  # no token could be had, so there was nothing to bind it to
    return Evidence(text="counted for another token")


@signal(weight=0.5, group="behaviour")
def script_missing(_submission: Submission, facts: Facts) -> Evidence | None:
    """The form came back without a word from our script: scripts are off."""
    if facts.script.present or facts.token.outcome is not TokenOutcome.FRESH or facts.vouched:
        return None
    return Evidence(text="no scripts")


@signal(weight=1.0, group="behaviour")
def work_missing(_submission: Submission, facts: Facts) -> Evidence | None:
    """The page asked the browser for a proof of work, and none came: no scripts, or sent before it was done."""
    work = facts.work
    return None if work.level <= 0 or work.solved else Evidence(text=f"level {work.level}")


@signal(weight=0.0, group="behaviour")
def work_solved(_submission: Submission, facts: Facts) -> Evidence | None:
    """The browser did the work that the page asked for: written down, and no point in itself."""
    return Evidence(text=f"level {facts.work.level}") if facts.work.solved else None
