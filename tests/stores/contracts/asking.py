"""What a store tells about one person who asks why no mail came."""

import pytest

from formwarden.stores.ports import Decision, Key, OutcomeKind, ReplyRequest, Store
from formwarden.stores.statistics import Listed
from tests.clock import MovableClock
from tests.stores.samples import DAY, hold, key, outcome, send, spend

ANN, OLD_ANN, BOB = key("address ann"), key("address ann, under an older key"), key("address bob")
DOMAIN = key("domain of both")


def refused(number: int, *subjects: Key, code: str = "BOT") -> ReplyRequest:
    """A reply that the gate's table stopped."""
    return send(number, decision=Decision.SUPPRESS, code=code, subjects=subjects)


class AskingContract:
    """Inherited by every store."""

    @pytest.mark.anyio
    async def test_replies_to_an_address_are_found_whatever_was_decided(
        self, store: Store, clock: MovableClock
    ) -> None:
        for number, request in enumerate(
            (
                send(1, spend("SITE_RATE", "site", limit=9, window_s=DAY), subjects=(ANN, DOMAIN)),
                refused(2, ANN, DOMAIN),
                hold(3, hold_until=2e9, subjects=(ANN, DOMAIN)),
                refused(4, BOB, DOMAIN),
                refused(5),
            )
        ):
            clock.move(float(number))
            await store.ledger.reserve(request)
        about = await store.statistics.about((ANN, DOMAIN), limit=9)
        assert [row.submission_id for row in about.replies] == [
            hold(3).submission_id,
            refused(2).submission_id,
            send(1).submission_id,
        ]
        assert [row.code for row in about.replies] == ["HELD_SUSPECT", "BOT", "OK"]
        assert (await store.statistics.about((), limit=9)).replies == ()

    @pytest.mark.anyio
    async def test_only_the_newest_replies_are_told(self, store: Store, clock: MovableClock) -> None:
        for number in range(1, 6):
            clock.move(1.0)
            await store.ledger.reserve(refused(number, ANN))
        about = await store.statistics.about((ANN,), limit=2)
        assert [row.submission_id for row in about.replies] == [refused(5).submission_id, refused(4).submission_id]

    @pytest.mark.anyio
    async def test_g20_a_reply_under_an_older_key_is_found_too(self, store: Store) -> None:
        await store.ledger.reserve(refused(1, OLD_ANN))
        await store.ledger.reserve(refused(2, ANN, OLD_ANN))
        assert len((await store.statistics.about((ANN, OLD_ANN), limit=9)).replies) == len(("1", "2"))

    @pytest.mark.anyio
    async def test_a_held_reply_that_is_decided_anew_stays_that_persons(self, store: Store) -> None:
        await store.ledger.reserve(hold(1, hold_until=2e9, subjects=(ANN,)))
        await store.ledger.reserve(send(1, subjects=(ANN,)))
        (row,) = (await store.statistics.about((ANN,), limit=9)).replies
        assert row.state == "due"

    @pytest.mark.anyio
    async def test_a_preview_leaves_no_trace(self, store: Store) -> None:
        await store.ledger.reserve(send(1, subjects=(ANN,), preview=True))
        assert (await store.statistics.about((ANN,), limit=9)).replies == ()

    @pytest.mark.anyio
    async def test_every_cause_that_stands_is_told_with_its_end(self, store: Store, clock: MovableClock) -> None:
        await store.recipient_keys()  # a file is made at the first call
        soon, later = clock.now() + 10.0, clock.now() + DAY
        await store.ledger.suppress(ANN, cause="soft", until=soon)
        await store.ledger.suppress(ANN, cause="manual", until=later)
        await store.ledger.suppress(BOB, cause="hard", until=None)
        clock.move(11.0)
        assert (await store.statistics.about((ANN,), limit=9)).listed == (
            Listed(subject=ANN, cause="manual", until=later),
        )
        assert (await store.statistics.about((BOB,), limit=9)).listed == (
            Listed(subject=BOB, cause="hard", until=None),
        )

    @pytest.mark.anyio
    async def test_what_the_relay_said_last_stands_with_the_reply(self, store: Store) -> None:
        await store.ledger.reserve(send(1, lease_s=60.0, subjects=(ANN,)))
        await store.ledger.settle(outcome(1, OutcomeKind.HARD, subject=ANN))
        (row,) = (await store.statistics.about((ANN,), limit=9)).replies
        assert (row.state, row.last) == ("refused", outcome(1, OutcomeKind.HARD).reason)
