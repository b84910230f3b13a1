"""One step of a purge: so many rows, so many bytes, and a share of it for every kind of row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import apsw

from formwarden.stores.eviction import STEP_BYTES


@dataclass(slots=True, kw_only=True)
class Step:
    """What may still be erased in one transaction."""

    rows: int
    bytes_of_bodies: int = STEP_BYTES  # looked at before each: the last one may be larger


Kind = Callable[[apsw.Connection, Step, int], int]
"""Erases at most so many rows of one kind and takes them off the step; returns how many things they were."""


def erase_fairly(connection: apsw.Connection, kinds: Sequence[Kind], limit: int) -> int:
    """Erase a share of each kind, then what is left of the limit of those that had more; return how many things."""
    step = Step(rows=limit)
    share = limit // len(kinds)
    more: list[Kind] = []
    erased = 0
    for kind in kinds:
        before = step.rows
        erased += kind(connection, step, min(share, step.rows)) if share else 0
        if before - step.rows >= share:
            more.append(kind)
    for kind in more:
        if step.rows > 0:
            erased += kind(connection, step, step.rows)
    return erased
