"""Who may still add rows to counters that fill up: the same in every store.

Invented keys cost an attacker nothing, so they fill their half and no more. Nothing that is being counted is
forgotten to make room for them: rows go when their windows are over. The coarser keys above them (networks, domains,
forms) have a quarter of their own; what is known already, and nonces, which only a page of ours hands out, have the
last. Full counters go on counting what they know, in the rows they have.
"""

from typing import Final

FINE: Final = 0.5  # of FORMWARDEN_COUNTERS_BYTES: new clients, addresses, texts
COARSE: Final = 0.75  # new networks, domains, forms
KNOWN: Final = 1.0  # new slots of what is counted already, and nonces


def may_add(share: float, *, known: bool, coarse: bool) -> bool:
    """Say whether one more row of a subject finds room; `share`: how much of it is taken."""
    return share < (KNOWN if known else COARSE if coarse else FINE)
