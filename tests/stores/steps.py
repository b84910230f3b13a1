"""Every step of a store that changes something, so that each can be broken off and asked for again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from formwarden.stores.ports import Observation, Ours, OutcomeKind, Spend, Staff, State, Store
from formwarden.stores.runs import Run
from tests.stores.samples import DAY, HOUR, account, hold, inquiry, key, observation, outcome, send, spend, tally

LONG_AGO: Final = 1_780_000_000.0  # months before the clock of tests
RUN: Final = Run(started_at=LONG_AGO, ended_at=LONG_AGO + 1, done=3)
Do = Callable[[Store, int], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is there before, and the step; `number` tells one time of it from another."""

    prepare: Do
    run: Do
    volatile: bool = False  # it is a step of the counters


def seven(number: int) -> tuple[Spend, ...]:
    """A budget of each scope."""
    scopes = ("ADDRESS", "CLIENT", "NETWORK", "DOMAIN", "PROVIDER", "FORM", "SITE")
    return tuple(spend(scope, f"{scope} {number}", limit=2, window_s=DAY) for scope in scopes)


async def _nothing(store: Store, number: int) -> None:
    """Need nothing."""


async def _kept(store: Store, number: int) -> None:
    await store.inquiries.keep(inquiry(number, staff=Staff.DUE), lease_s=0)


async def _asked(store: Store, number: int) -> None:
    await store.inquiries.keep(inquiry(f"asked {number}", state=State.ASKED), lease_s=60)


async def _old(store: Store, number: int) -> None:
    await store.inquiries.keep(inquiry(number, received_at=LONG_AGO, state=State.DONE), lease_s=0)


async def _reserved(store: Store, number: int) -> None:
    await store.inquiries.keep(inquiry(number), lease_s=0)
    await store.ledger.reserve(send(number, *seven(number)))


async def _taken(store: Store, number: int) -> None:
    await _reserved(store, number)
    await store.ledger.due(1, lease_s=60)


async def _granted(store: Store, number: int) -> None:
    await store.ledger.reserve(send(number, account=account(number, group=str(number))))


async def _opened(store: Store, number: int) -> None:
    await _granted(store, number)
    await store.ledger.settle(outcome(number, OutcomeKind.OURS, ours=Ours.REPUTATION))


async def _held(store: Store, number: int) -> None:
    await store.ledger.reserve(hold(number, hold_until=LONG_AGO * 2))


async def _listed(store: Store, number: int) -> None:
    await store.ledger.suppress(key(f"ann {number}"), cause="hard", until=None)


async def _leased(store: Store, number: int) -> None:
    await store.lease(f"task {number}", "me", seconds=60)


async def _observed(store: Store, number: int) -> None:
    await store.counters.observe(_observation(number))


def _observation(number: int) -> Observation:
    return observation(
        b"nonce %d" % number,
        network="home",
        tallies=(tally(f"client {number}"), tally(f"form {number}", window_s=2 * HOUR)),
        prints=(b"exact %d" % number, b"near %d" % number),
    )


STEPS: Final = {
    "observe": Step(prepare=_nothing, run=lambda store, n: store.counters.observe(_observation(n)), volatile=True),
    "forget": Step(prepare=_observed, run=lambda store, n: store.counters.forget(_observation(n)), volatile=True),
    "reserve": Step(prepare=_kept, run=lambda store, n: store.ledger.reserve(send(n, *seven(n)))),
    "hold": Step(prepare=_kept, run=lambda store, n: store.ledger.reserve(hold(n, hold_until=LONG_AGO * 2))),
    "decide a held one": Step(prepare=_held, run=lambda store, n: store.ledger.reserve(send(n, *seven(n)))),
    "due": Step(prepare=_reserved, run=lambda store, _: store.ledger.due(1, lease_s=60)),
    "refund": Step(prepare=_taken, run=lambda store, n: store.ledger.settle(outcome(n, OutcomeKind.REFUNDED))),
    "refused": Step(
        prepare=_taken,
        run=lambda store, n: store.ledger.settle(outcome(n, OutcomeKind.HARD, subject=key(f"ann {n}"))),
    ),
    "a breaker opens": Step(
        prepare=_granted,
        run=lambda store, n: store.ledger.settle(outcome(n, OutcomeKind.OURS, ours=Ours.REPUTATION)),
    ),
    "close": Step(prepare=_opened, run=lambda store, n: store.measures.close(key(f"group {n}"))),
    "remember": Step(prepare=_nothing, run=lambda store, n: store.measures.remember(key(f"ann {n}"))),
    "suppress": Step(
        prepare=_nothing, run=lambda store, n: store.ledger.suppress(key(f"ann {n}"), cause="soft", until=None)
    ),
    "lift": Step(prepare=_listed, run=lambda store, n: store.ledger.lift(key(f"ann {n}"))),
    "keep": Step(
        prepare=_asked,
        run=lambda store, n: store.inquiries.keep(inquiry(n), lease_s=60, replaces=f"submission asked {n}".encode()),
    ),
    "move": Step(
        prepare=_kept,
        run=lambda store, n: store.inquiries.move(
            f"submission {n}".encode(), expect={State.ACCEPTED}, to=State.DONE, note="", answer=(303, "/thanks")
        ),
    ),
    "claim": Step(
        prepare=_kept,
        run=lambda store, _: store.inquiries.claim(State.ACCEPTED, 1, older_than=LONG_AGO * 2, lease_s=60),
    ),
    "claim staff": Step(prepare=_kept, run=lambda store, _: store.inquiries.claim_staff(1, lease_s=60)),
    "staff": Step(
        prepare=_kept, run=lambda store, n: store.inquiries.staff(f"submission {n}".encode(), to=Staff.SENT)
    ),
    "lease": Step(prepare=_nothing, run=lambda store, n: store.lease(f"task {n}", "me", seconds=60, run=RUN)),
    "release": Step(prepare=_leased, run=lambda store, n: store.release("me", {f"task {n}": RUN})),
    "purge": Step(prepare=_old, run=lambda store, _: store.purge(4)),
}
