"""Signals of what others say of the visitor; all of them are off until the owner names who is to be asked.

What could not be asked is *unknown* and scores nothing. A solved voucher takes no point but those for evidence that
is missing (G34).
"""

from typing import Final

from formwarden.facts import Facts, TokenOutcome, Vouched
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission

ONE_LIST: Final = 0.6  # of the weight; a second one that knows the client makes it full
NO_SOLUTION: Final = frozenset({Vouched.FAILED, Vouched.REUSED})


@signal(weight=1.5, group="outside")
def client_listed(_submission: Submission, facts: Facts) -> Evidence | None:
    """Lists of abusive networks name the client; so do they name neighbours, and whoever had its address before."""
    lists = facts.blocklists
    if lists is None or not lists.listed or not facts.client_known:
        return None
    return Evidence(text=f"{lists.listed} of {lists.asked} lists", strength=1.0 if lists.listed > 1 else ONE_LIST)


@signal(weight=2.5, group="outside")
def voucher_failed(_submission: Submission, facts: Facts) -> Evidence | None:
    """Turnstile, ALTCHA or their like did not accept what the browser brought."""
    failed = [each for each in facts.vouchers if each.word in NO_SOLUTION]
    return Evidence(text=f"{failed[0].name}: {failed[0].word}") if failed else None


@signal(weight=0.5, group="outside")
def voucher_missing(_submission: Submission, facts: Facts) -> Evidence | None:
    """The page had a widget of Turnstile, ALTCHA or their like, and nothing came of it: no scripts."""
    if facts.token.outcome is not TokenOutcome.FRESH or facts.token.parent is not None:
        return None  # our own pages have no widget; what came without our page is told by its token
    absent = [each for each in facts.vouchers if each.word is Vouched.ABSENT]
    return Evidence(text=f"nothing from {absent[0].name}") if absent else None
