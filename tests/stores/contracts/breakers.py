"""What every store keeps to about breakers: when replies to a provider, or all of them, stop and go on (G08-G13)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest

from formwarden.stores.ahead import AHEAD_S
from formwarden.stores.breaking import Breaking
from formwarden.stores.ports import Account, Alarm, Decision, Key, Ours, OutcomeKind, Reservation, Shut, Store
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, account, key, outcome, send, spend

GOOGLE: Final = key("group google")
MICROSOFT: Final = key("group microsoft")
SITE: Final = key("site")
GRANTED: Final = Reservation(decision=Decision.SEND, code="OK", new=True)


def refused(code: str) -> Reservation:
    """What a reply gets that something stands against."""
    return Reservation(decision=Decision.SUPPRESS, code=code, new=True)


async def granted(store: Store, who: int | str, whose: Account | None = None, *, probe: bool = False) -> Reservation:
    """Ask for one reply."""
    return await store.ledger.reserve(send(who, account=account(who) if whose is None else whose, probe=probe))


async def came(
    store: Store, who: int | str, kind: OutcomeKind, whose: Account | None = None, *, ours: Ours = Ours.OTHER
) -> None:
    """Let one reply be granted, and this become of it."""
    await granted(store, who, whose)
    await store.ledger.settle(outcome(who, kind, ours=ours))


async def fail(store: Store, prefix: str, number: int, group: str = "google", label: str | None = None) -> None:
    """Let so many replies to different people of one provider group bounce."""
    for who in range(number):
        name = f"{prefix} {who}"
        await came(store, name, OutcomeKind.HARD, account(name, group=group, label=label))


async def shuts(store: Store) -> dict[Key, Shut]:
    """How the breakers stand that tests ask for."""
    return dict((await store.ledger.reputation([GOOGLE, MICROSOFT, SITE])).breakers)


async def told(store: Store) -> Sequence[Alarm]:
    """Take every alarm."""
    alarms = await store.measures.alarms(100, lease_s=60)
    await store.measures.told([alarm.id for alarm in alarms])
    return alarms


async def open_google(store: Store) -> None:
    """Open one group alone: the site's window is full of what was delivered to others."""
    whose = Ours.REPUTATION
    await came(store, "distrusted", OutcomeKind.OURS, ours=whose)


@pytest.mark.anyio
class BreakersContract:
    """Inherited by the test class of each store."""

    async def test_g09_five_of_the_last_outcomes_open_group_and_site(self, store: Store, clock: MovableClock) -> None:
        await fail(store, "a", 4)
        assert await shuts(store) == {}
        await fail(store, "b", 1)
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}
        assert await granted(store, "after") == refused("BREAKER_PROVIDER")
        other = account("after", group="elsewhere")
        assert await granted(store, "other", other) == refused("BREAKER_SITE")
        found = await store.measures.breakers()
        assert {(each.subject, each.cause, each.label, each.until) for each in found} == {
            (GOOGLE, "ratio", "google", clock.now() + 4 * HOUR),
            (SITE, "ratio", "site", clock.now() + 4 * HOUR),
        }

    async def test_g09_what_was_delivered_to_others_keeps_the_site_open(
        self, store: Store, clock: MovableClock
    ) -> None:
        for who in range(60):
            await came(store, who, OutcomeKind.SENT, account(who, group="elsewhere"))
        clock.move(DAY)
        await fail(store, "a", 5)
        assert await shuts(store) == {GOOGLE: Shut.OPEN}, "5 of 65: the lower bound is 3.3%"
        assert await granted(store, "other", account("other", group="elsewhere")) == GRANTED

    async def test_g08_a_taken_reply_enters_the_window_a_day_later(self, store: Store) -> None:
        for who in range(80):
            await came(store, who, OutcomeKind.SENT, account(who))
        await fail(store, "a", 5)
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}, "nothing else is known yet"

    async def test_g08_a_presumed_delivery_counts_and_a_bounce_corrects_it(
        self, store: Store, clock: MovableClock
    ) -> None:
        for who in range(80):
            await came(store, who, OutcomeKind.SENT, account(who))
        clock.move(DAY)
        await fail(store, "a", 9)
        assert await shuts(store) == {}, "9 of 89: the lower bound is 5.4%"
        for who in range(6):
            await store.ledger.settle(outcome(who, OutcomeKind.HARD))
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}, "15 of 89, and not of 95"

    async def test_g08_a_late_bounce_is_of_the_day_it_came(self, store: Store, clock: MovableClock) -> None:
        await came(store, 1, OutcomeKind.SENT)
        clock.move(3 * DAY)
        today = int(clock.now() // DAY)
        assert (await store.measures.measure(today - 2))[0].known == 1
        await store.ledger.settle(outcome(1, OutcomeKind.HARD))
        assert (await store.measures.measure(today - 2))[0].known == 0
        brought = (await store.measures.measure(today))[0]
        assert (brought.known, brought.hard) == (1, 1.0)

    async def test_g08_a_soft_failure_is_half_a_failure(self, store: Store) -> None:
        for who in range(9):
            await came(store, who, OutcomeKind.SOFT_LONG)
        assert await shuts(store) == {}
        await came(store, 9, OutcomeKind.SOFT_LONG)
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}

    async def test_g08_a_soft_failure_may_turn_out_to_be_a_whole_one(self, store: Store) -> None:
        for who in range(5):
            await came(store, who, OutcomeKind.SOFT_LONG)
        for who in range(5):
            assert await shuts(store) == {}
            await store.ledger.settle(outcome(who, OutcomeKind.HARD))
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}

    @pytest.mark.parametrize("kind", [OutcomeKind.SOFT_SHORT, OutcomeKind.OURS, OutcomeKind.LOST])
    async def test_g08_what_says_nothing_of_an_address_is_not_known(
        self, store: Store, clock: MovableClock, kind: OutcomeKind
    ) -> None:
        for who in range(60):
            await came(store, who, kind)
        clock.move(2 * DAY)
        await fail(store, "a", 5)
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}
        day = int(clock.now() // DAY)
        assert (await store.measures.measure(day))[0].known == 5

    async def test_g08_a_refusal_that_is_our_fault_takes_the_presumption_back(
        self, store: Store, clock: MovableClock
    ) -> None:
        await came(store, 1, OutcomeKind.SENT)
        await store.ledger.settle(outcome(1, OutcomeKind.OURS))
        clock.move(DAY)
        assert (await store.measures.measure(int(clock.now() // DAY)))[0].known == 0

    async def test_g12_a_network_counts_once(self, store: Store) -> None:
        same = account("same").network
        for who in range(20):
            await came(store, who, OutcomeKind.HARD, replace(account(who), network=(same[who % 2], key(f"n{who}"))))
        assert await shuts(store) == {}, "two days of one network count twice at most"

    async def test_g12_a_domain_that_is_no_providers_counts_once(self, store: Store) -> None:
        for who in range(20):
            await came(store, who, OutcomeKind.HARD, account(who, domain="example.com"))
        assert await shuts(store) == {}

    async def test_g12_an_identity_counts_once_however_often_it_is_reported(
        self, store: Store, clock: MovableClock
    ) -> None:
        await granted(store, 1)
        for number in range(20):
            await store.ledger.settle(outcome(1, OutcomeKind.HARD, id=b"report %d" % number))
        assert await shuts(store) == {}
        assert (await store.measures.measure(int(clock.now() // DAY)))[0].hard == 1

    async def test_g12_forged_evidence_ends_its_identity_only(self, store: Store) -> None:
        for who in range(20):
            await granted(store, who)
            await store.ledger.settle(outcome(who, OutcomeKind.HARD, counts=False, subject=key(f"ann {who}")))
        reputation = await store.ledger.reputation([GOOGLE, SITE, key("ann 3")])
        assert reputation.breakers == {}
        assert reputation.suppressed == {key("ann 3"): "hard"}
        assert not reputation.feedback_seen, "nor does it prove that refusals reach us"
        assert (await store.ledger.replies([b"submission 3"]))[b"submission 3"].state == "refused"
        assert await told(store) == ()
        bounced = spend("CLIENT_BOUNCED", "client 3", limit=1, window_s=7 * DAY, taken=False)
        assert await store.ledger.reserve(send("next", bounced)) == GRANTED

    async def test_g12_a_client_whose_reply_bounced_gets_none_for_a_week(
        self, store: Store, clock: MovableClock
    ) -> None:
        bounced = spend("CLIENT_BOUNCED", "client today", "client 1", limit=1, window_s=7 * DAY, taken=False)
        assert await store.ledger.reserve(send(1, bounced, account=account(1))) == GRANTED
        assert await store.ledger.reserve(send(2, bounced)) == GRANTED, "asking takes no slot"
        clock.move(HOUR)
        await store.ledger.settle(outcome(1, OutcomeKind.HARD))
        assert await store.ledger.reserve(send(3, bounced)) == refused("CLIENT_BOUNCED")
        clock.move(HOUR)
        await store.ledger.settle(outcome(1, OutcomeKind.HARD, id=b"replayed"))
        clock.move(7 * DAY - HOUR)
        assert await store.ledger.reserve(send(4, bounced)) == refused("CLIENT_BOUNCED")
        clock.move(0.001)
        assert await store.ledger.reserve(send(5, bounced)) == GRANTED

    @pytest.mark.parametrize("kind", [OutcomeKind.DOMAIN, OutcomeKind.SOFT_LONG, OutcomeKind.OURS])
    async def test_g12_only_a_dead_mailbox_stops_its_client(self, store: Store, kind: OutcomeKind) -> None:
        bounced = spend("CLIENT_BOUNCED", "client 1", limit=1, window_s=7 * DAY, taken=False)
        await came(store, 1, kind)
        assert await store.ledger.reserve(send(2, bounced)) == GRANTED

    async def test_an_outcome_of_a_reply_that_is_not_known_opens_nothing(self, store: Store) -> None:
        for who in range(20):
            kind = (OutcomeKind.HARD, OutcomeKind.OURS, OutcomeKind.SENT)[who % 3]
            await store.ledger.settle(outcome(who, kind, subject=key(f"ann {who}"), ours=Ours.REPUTATION))
        assert await shuts(store) == {}
        assert (await store.ledger.reputation([key("ann 0")])).suppressed == {key("ann 0"): "hard"}

    async def test_a_refunded_reply_leaves_no_account(self, store: Store) -> None:
        for who in range(5):
            await came(store, who, OutcomeKind.REFUNDED)
            await store.ledger.settle(outcome(who, OutcomeKind.HARD))
        assert await shuts(store) == {}

    async def test_reputation_text_opens_the_group_at_once(self, store: Store, clock: MovableClock) -> None:
        await came(store, 1, OutcomeKind.OURS, ours=Ours.REPUTATION)
        assert await shuts(store) == {GOOGLE: Shut.OPEN}
        clock.move(4 * HOUR - 1)
        assert await granted(store, 2) == refused("BREAKER_PROVIDER")
        clock.move(1)
        assert await shuts(store) == {GOOGLE: Shut.PROBING}

    async def test_distrust_that_outlasts_two_probings_is_for_a_person(
        self, store: Store, clock: MovableClock
    ) -> None:
        await came(store, 0, OutcomeKind.OURS, ours=Ours.REPUTATION)
        for number, hours in enumerate((4, 24), start=1):
            clock.move(hours * HOUR)
            assert await granted(store, number, probe=True) == GRANTED
            await store.ledger.settle(outcome(number, OutcomeKind.OURS, ours=Ours.REPUTATION))
            assert await shuts(store) == {GOOGLE: Shut.OPEN}
        clock.move(1_000 * DAY)
        assert await shuts(store) == {GOOGLE: Shut.OPEN}
        assert [(each.until, each.cause) for each in await store.measures.breakers()] == [(None, "reputation")]
        assert await store.measures.close(GOOGLE)
        assert await granted(store, "now") == GRANTED

    async def test_distrust_of_replies_in_flight_lengthens_no_further(
        self, store: Store, clock: MovableClock
    ) -> None:
        for who in range(3):
            await granted(store, who)
        for who in range(3):
            await store.ledger.settle(outcome(who, OutcomeKind.OURS, ours=Ours.REPUTATION))
        found = await store.measures.breakers()
        assert [each.until for each in found] == [clock.now() + 4 * HOUR]
        assert len(await told(store)) == 1

    async def test_a_refusal_of_how_we_send_stands_until_it_is_mended(
        self, store: Store, clock: MovableClock
    ) -> None:
        await granted(store, 2)
        await came(store, 1, OutcomeKind.OURS, ours=Ours.CONFIG)
        assert await shuts(store) == {GOOGLE: Shut.CONFIG}
        await store.ledger.settle(outcome(2, OutcomeKind.OURS, ours=Ours.REPUTATION))
        clock.move(1_000 * DAY)
        assert await shuts(store) == {GOOGLE: Shut.CONFIG}
        assert await granted(store, 3, probe=True) == refused("CONFIG_UNSAFE")
        await store.ledger.suppress(key("ann"), cause="hard", until=None)
        request = send(4, account=account(4), subjects=(key("ann"),))
        assert await store.ledger.reserve(request) == refused("CONFIG_UNSAFE"), "row 1 stands before row 3"
        assert [alarm.kind for alarm in await told(store)] == ["config"]
        assert await store.measures.close(GOOGLE)
        assert await granted(store, 5) == GRANTED

    async def test_suppression_stands_before_an_open_breaker_and_that_before_a_budget(self, store: Store) -> None:
        await came(store, 1, OutcomeKind.OURS, ours=Ours.REPUTATION)
        await store.ledger.suppress(key("ann"), cause="manual", until=None)
        full = spend("SITE_RATE", "site budget", limit=0)
        asked = send(2, full, account=account(2), subjects=(key("ann"),))
        assert await store.ledger.reserve(asked) == refused("SUPP_MANUAL")
        assert await store.ledger.reserve(send(3, full, account=account(3))) == refused("BREAKER_PROVIDER")

    async def test_two_large_groups_open_the_site(self, store: Store) -> None:
        await came(store, 1, OutcomeKind.OURS, ours=Ours.REPUTATION)
        await came(store, 2, OutcomeKind.OURS, account(2, group="small", label=""), ours=Ours.REPUTATION)
        await came(store, 3, OutcomeKind.OURS, account(3, group="apple"), ours=Ours.CONFIG)
        assert await shuts(store) == {GOOGLE: Shut.OPEN}
        await came(store, 4, OutcomeKind.OURS, account(4, group="microsoft"), ours=Ours.REPUTATION)
        assert await shuts(store) == {GOOGLE: Shut.OPEN, MICROSOFT: Shut.OPEN, SITE: Shut.OPEN}
        assert {each.cause for each in await store.measures.breakers() if each.label == "site"} == {"providers"}

    async def test_a_group_that_is_half_open_does_not_help_to_open_the_site(
        self, store: Store, clock: MovableClock
    ) -> None:
        await came(store, 1, OutcomeKind.OURS, ours=Ours.REPUTATION)
        clock.move(4 * HOUR)
        await came(store, 2, OutcomeKind.OURS, account(2, group="microsoft"), ours=Ours.REPUTATION)
        assert await shuts(store) == {GOOGLE: Shut.PROBING, MICROSOFT: Shut.OPEN}

    async def test_an_opened_breaker_is_an_alarm(self, store: Store) -> None:
        await fail(store, "a", 5)
        alarms = await store.measures.alarms(10, lease_s=60)
        assert [alarm.kind for alarm in alarms] == ["breaker", "breaker"]
        assert "google" in alarms[0].text
        assert "everybody" in alarms[1].text


@pytest.mark.anyio
class ProbesContract:
    """Inherited by the test class of each store: how a breaker closes, or opens again."""

    async def test_g09_three_probes_are_let_through_and_no_more(self, store: Store, clock: MovableClock) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        assert await granted(store, "plain") == refused("BREAKER_PROBE")
        got = [await granted(store, who, probe=True) for who in range(4)]
        assert got == [GRANTED, GRANTED, GRANTED, refused("BREAKER_PROBE")]
        known = send("known", account=account("known"), exempt=True)
        assert await store.ledger.reserve(known) == GRANTED, "prior contact passes, and takes no place"
        assert [each.probes for each in await store.measures.breakers()] == [3]

    async def test_g09_a_budget_is_asked_before_a_probe(self, store: Store, clock: MovableClock) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        full = spend("SITE_RATE", "site budget", limit=0)
        assert await store.ledger.reserve(send(1, full, account=account(1), probe=True)) == refused("SITE_RATE")
        assert [each.probes for each in await store.measures.breakers()] == [0]

    async def test_g18_a_preview_takes_no_place(self, store: Store, clock: MovableClock) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        for _ in range(5):
            request = send("p", account=account("p"), probe=True, preview=True)
            assert await store.ledger.reserve(request) == GRANTED
        assert [each.probes for each in await store.measures.breakers()] == [0]

    async def test_g09_delivered_probes_close_it_with_an_empty_window(
        self, store: Store, clock: MovableClock
    ) -> None:
        await fail(store, "a", 5)
        clock.move(4 * HOUR)
        for who in range(3):
            assert await granted(store, who, probe=True) == GRANTED
            clock.move(60)
            await store.ledger.settle(outcome(who, OutcomeKind.SENT))
        clock.move(DAY - 1)
        assert await shuts(store) == {GOOGLE: Shut.PROBING, SITE: Shut.PROBING}
        clock.move(1)
        assert await shuts(store) == {}, "seen without a write"
        assert await store.measures.breakers() == ()
        clock.move(1)
        await fail(store, "b", 4)
        assert await shuts(store) == {}, "what failed before is over"
        await fail(store, "c", 1)
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}

    async def test_that_a_breaker_closed_is_said_once(self, store: Store, clock: MovableClock) -> None:
        await open_google(store)
        await told(store)
        clock.move(4 * HOUR)
        for who in range(3):
            await granted(store, who, probe=True)
            await store.ledger.settle(outcome(who, OutcomeKind.SENT))
        assert await told(store) == ()
        clock.move(DAY)
        assert [(alarm.kind, alarm.text) for alarm in await told(store)] == [
            ("closed", "replies to google leave again")
        ]
        await granted(store, "next")
        assert await told(store) == ()
        assert (await store.measures.measure(int(clock.now() // DAY)))[0].alarms == 0, "an end makes no day unclean"

    @pytest.mark.parametrize("kind", [OutcomeKind.HARD, OutcomeKind.DOMAIN])
    async def test_g09_one_failed_probe_opens_it_for_longer(
        self, store: Store, clock: MovableClock, kind: OutcomeKind
    ) -> None:
        await fail(store, "a", 5)
        for number, hours in enumerate((4, 24, 72, 72)):
            clock.move(hours * HOUR - 1)
            assert (await shuts(store))[GOOGLE] is Shut.OPEN
            clock.move(1)
            assert (await shuts(store))[GOOGLE] is Shut.PROBING
            for who in ("well", "dead"):
                assert await granted(store, f"{who} {number}", probe=True) == GRANTED
            await store.ledger.settle(outcome(f"well {number}", OutcomeKind.SENT))
            await store.ledger.settle(outcome(f"dead {number}", kind))

    async def test_g09_a_probe_that_bounces_late_opens_it_again(self, store: Store, clock: MovableClock) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        for who in range(3):
            await granted(store, who, probe=True)
            await store.ledger.settle(outcome(who, OutcomeKind.SENT))
        clock.move(DAY - 1)
        await store.ledger.settle(outcome(1, OutcomeKind.HARD))
        assert await shuts(store) == {GOOGLE: Shut.OPEN}
        clock.move(1)
        assert await shuts(store) == {GOOGLE: Shut.OPEN}

    @pytest.mark.parametrize(
        "kind",
        [OutcomeKind.SOFT_SHORT, OutcomeKind.OURS, OutcomeKind.LOST, OutcomeKind.REFUNDED, OutcomeKind.DROPPED],
    )
    async def test_a_probe_that_ends_unknown_leaves_its_place(
        self, store: Store, clock: MovableClock, kind: OutcomeKind
    ) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        for who in range(3):
            await granted(store, who, probe=True)
        assert await granted(store, "none", probe=True) == refused("BREAKER_PROBE")
        await store.ledger.settle(outcome(1, kind))
        assert await granted(store, "next", probe=True) == GRANTED
        assert await granted(store, "none left", probe=True) == refused("BREAKER_PROBE")
        for who in (0, 2):
            await store.ledger.settle(outcome(who, OutcomeKind.SENT))
        clock.move(DAY)
        assert await shuts(store) == {GOOGLE: Shut.PROBING}, "two are not enough"
        await store.ledger.settle(outcome("next", OutcomeKind.SENT))
        clock.move(DAY)
        assert await shuts(store) == {}

    async def test_a_probe_whose_lease_is_over_leaves_its_place(self, store: Store, clock: MovableClock) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        for who in range(3):
            await granted(store, who, probe=True)
        await store.ledger.due(3, lease_s=60)
        clock.move(60)
        assert await store.ledger.due(3, lease_s=60) == ()
        assert await granted(store, "next", probe=True) == GRANTED

    async def test_a_probe_that_was_presumed_well_and_was_not_leaves_its_place(
        self, store: Store, clock: MovableClock
    ) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        for who in range(3):
            await granted(store, who, probe=True)
            await store.ledger.settle(outcome(who, OutcomeKind.SENT))
        await store.ledger.settle(outcome(1, OutcomeKind.SOFT_SHORT))
        clock.move(DAY)
        assert await shuts(store) == {GOOGLE: Shut.PROBING}
        assert await granted(store, "next", probe=True) == GRANTED

    async def test_g08_two_soft_failures_of_probes_are_a_whole_one(self, store: Store, clock: MovableClock) -> None:
        await open_google(store)
        clock.move(4 * HOUR)
        for who in range(3):
            assert await granted(store, who, probe=True) == GRANTED
        await store.ledger.settle(outcome(0, OutcomeKind.SOFT_LONG))
        assert await shuts(store) == {GOOGLE: Shut.PROBING}
        assert await granted(store, "next", probe=True) == GRANTED
        await store.ledger.settle(outcome("next", OutcomeKind.SOFT_LONG))
        assert await shuts(store) == {GOOGLE: Shut.OPEN}

    async def test_a_bounce_from_before_the_probing_does_not_end_it(self, store: Store, clock: MovableClock) -> None:
        await granted(store, "early")
        await store.ledger.settle(outcome("early", OutcomeKind.SENT))
        await fail(store, "a", 5)
        clock.move(4 * HOUR)
        await store.ledger.settle(outcome("early", OutcomeKind.HARD))
        assert await shuts(store) == {GOOGLE: Shut.PROBING, SITE: Shut.PROBING}

    async def test_a_probe_of_group_and_site_takes_a_place_at_both(self, store: Store, clock: MovableClock) -> None:
        await fail(store, "a", 5)
        clock.move(4 * HOUR)
        other = [account(who, group="elsewhere") for who in ("x", "y", "z")]
        assert await granted(store, "x", other[0], probe=True) == GRANTED
        assert await granted(store, "y", other[1], probe=True) == GRANTED
        assert await granted(store, 1, probe=True) == GRANTED
        assert await granted(store, 2, probe=True) == refused("BREAKER_PROBE"), "the group has places, the site none"
        assert {each.label: each.probes for each in await store.measures.breakers()} == {"google": 1, "site": 3}

    async def test_a_breaker_that_trips_again_within_a_month_opens_for_longer(
        self, store: Store, clock: MovableClock
    ) -> None:
        for number, (pause, hours) in enumerate(((0, 4), (29 * DAY, 24), (30 * DAY, 4))):
            clock.move(pause)
            await came(store, f"again {number}", OutcomeKind.OURS, ours=Ours.REPUTATION)
            clock.move(hours * HOUR - 1)
            assert await shuts(store) == {GOOGLE: Shut.OPEN}
            clock.move(1)
            assert await shuts(store) == {GOOGLE: Shut.PROBING}
            for who in range(3):
                await granted(store, f"{number} {who}", probe=True)
                await store.ledger.settle(outcome(f"{number} {who}", OutcomeKind.SENT))
            clock.move(DAY)
            assert await shuts(store) == {}

    async def test_closing_by_hand_empties_the_window_and_starts_anew(
        self, store: Store, clock: MovableClock
    ) -> None:
        assert not await store.measures.close(GOOGLE)
        await fail(store, "a", 5)
        assert await store.measures.close(GOOGLE)
        assert await store.measures.close(SITE)
        assert not await store.measures.close(GOOGLE)
        assert await shuts(store) == {}
        clock.move(1)
        await fail(store, "b", 4)
        assert await shuts(store) == {}
        await fail(store, "c", 1)
        found = await store.measures.breakers()
        assert {each.until for each in found} == {clock.now() + 4 * HOUR}

    async def test_the_figures_of_the_one_who_settles_decide(self, store: Store, clock: MovableClock) -> None:
        strict = Breaking(open_s=(60.0,), probes=1, presumed_s=10.0)
        await granted(store, 1)
        evidence = outcome(1, OutcomeKind.OURS, ours=Ours.REPUTATION, breaking=replace(strict, open_s=(60.0, 60.0)))
        await store.ledger.settle(evidence)
        clock.move(60)
        assert await granted(store, 2, probe=True) == GRANTED
        assert await granted(store, 3, probe=True) == refused("BREAKER_PROBE")
        await store.ledger.settle(outcome(2, OutcomeKind.SENT, breaking=strict))
        clock.move(10)
        assert await shuts(store) == {}


@pytest.mark.anyio
class ComplaintsContract:
    """Inherited by the test class of each store: what people call unwanted."""

    async def test_g13_one_complaint_suppresses_and_alarms_and_opens_nothing(
        self, store: Store, clock: MovableClock
    ) -> None:
        await came(store, 1, OutcomeKind.SENT)
        await store.ledger.settle(outcome(1, OutcomeKind.COMPLAINT, subject=key("ann")))
        assert (await store.ledger.reputation([key("ann")])).suppressed == {key("ann"): "complaint"}
        assert await shuts(store) == {}
        assert [alarm.kind for alarm in await told(store)] == ["complaint"]
        day = (await store.measures.measure(int(clock.now() // DAY)))[0]
        assert (day.complaints, day.alarms, day.known, day.hard) == (1, 1, 1, 0)
        assert (await store.ledger.replies([b"submission 1"]))[b"submission 1"].state == "sent"

    async def test_g13_two_of_strangers_within_a_week_open_the_site(self, store: Store, clock: MovableClock) -> None:
        for who in ("a", "b"):
            await came(store, who, OutcomeKind.SENT, account(who, domain=f"{who}.example"))
        await store.ledger.settle(outcome("a", OutcomeKind.COMPLAINT))
        clock.move(7 * DAY)
        await store.ledger.settle(outcome("b", OutcomeKind.COMPLAINT))
        assert await shuts(store) == {SITE: Shut.OPEN}
        assert [each.cause for each in await store.measures.breakers()] == ["complaint"]

    async def test_g13_two_in_more_than_a_week_do_not(self, store: Store, clock: MovableClock) -> None:
        for who in ("a", "b"):
            await came(store, who, OutcomeKind.SENT, account(who, domain=f"{who}.example"))
        await store.ledger.settle(outcome("a", OutcomeKind.COMPLAINT))
        clock.move(7 * DAY + 0.001)
        await store.ledger.settle(outcome("b", OutcomeKind.COMPLAINT))
        assert await shuts(store) == {}

    async def test_g13_nor_two_of_one_domain_of_one_network_or_of_one_providers_people(self, store: Store) -> None:
        same = account("same").network
        couples = {
            "domain": [account(who, domain="one.example") for who in ("a", "b")],
            "network": [replace(account(who, domain=f"{who}.example"), network=same) for who in ("c", "d")],
            "provider": [account(who) for who in ("e", "f")],
        }
        for name, couple in couples.items():
            for number, whose in enumerate(couple):
                apart = replace(whose, site=key(name))
                await came(store, f"{name} {number}", OutcomeKind.SENT, apart)
                await store.ledger.settle(outcome(f"{name} {number}", OutcomeKind.COMPLAINT))
        asked = [key(name) for name in couples]
        assert (await store.ledger.reputation(asked)).breakers == {}

    async def test_g13_one_of_a_thousand_opens_the_site(self, store: Store, clock: MovableClock) -> None:
        figures = Breaking(complaint_least=10, complaint_share=0.2)
        for who in range(10):
            await came(store, who, OutcomeKind.SENT)
        for number, (who, shut) in enumerate(((0, {}), (1, {SITE: Shut.OPEN}))):
            clock.move(number * 20 * DAY + DAY)
            await store.ledger.settle(outcome(who, OutcomeKind.COMPLAINT, breaking=figures))
            assert await shuts(store) == shut

    async def test_g13_a_complaint_is_counted_once_a_reply(self, store: Store, clock: MovableClock) -> None:
        await came(store, 1, OutcomeKind.SENT)
        for number in range(3):
            await store.ledger.settle(outcome(1, OutcomeKind.COMPLAINT, id=b"%d" % number))
        assert len(await told(store)) == 1
        assert (await store.measures.measure(int(clock.now() // DAY)))[0].complaints == 1

    async def test_g13_a_complaint_that_may_be_forged_suppresses_and_no_more(
        self, store: Store, clock: MovableClock
    ) -> None:
        for who in ("a", "b"):
            await came(store, who, OutcomeKind.SENT, account(who, domain=f"{who}.example"))
            forged = outcome(who, OutcomeKind.COMPLAINT, subject=key(who), counts=False)
            await store.ledger.settle(forged)
        assert await shuts(store) == {}
        assert await told(store) == ()
        assert (await store.ledger.reputation([key("a")])).suppressed == {key("a"): "complaint"}
        assert (await store.measures.measure(int(clock.now() // DAY)))[0].complaints == 0

    async def test_g13_complaints_that_opened_the_site_do_not_open_it_again(
        self, store: Store, clock: MovableClock
    ) -> None:
        for who in ("a", "b", "c"):
            await came(store, who, OutcomeKind.SENT, account(who, domain=f"{who}.example"))
        for who in ("a", "b"):
            await store.ledger.settle(outcome(who, OutcomeKind.COMPLAINT))
        clock.move(4 * HOUR)
        await store.ledger.settle(outcome("c", OutcomeKind.COMPLAINT))
        assert await shuts(store) == {SITE: Shut.PROBING}
        clock.move(1)
        await store.measures.close(SITE)
        await granted(store, "d", account("d", domain="d.example"))
        await store.ledger.settle(outcome("d", OutcomeKind.COMPLAINT))
        assert await shuts(store) == {}

    async def test_a_complaint_about_a_reply_that_is_not_known_suppresses_and_alarms(self, store: Store) -> None:
        await store.ledger.settle(outcome("gone", OutcomeKind.COMPLAINT, subject=key("ann")))
        assert (await store.ledger.reputation([key("ann")])).suppressed == {key("ann"): "complaint"}
        assert [alarm.kind for alarm in await told(store)] == ["complaint"]


@pytest.mark.anyio
class BreakerClocksContract:
    """Inherited by the test class of each store: breakers where clocks are set."""

    async def test_a_breaker_of_a_clock_that_was_ahead_lasts_as_long_as_it_was_to(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.step(3_650 * DAY)
        await fail(store, "a", 5)
        clock.step(-3_650 * DAY)
        assert (await shuts(store))[GOOGLE] is Shut.OPEN
        await store.purge(100)
        clock.move(4 * HOUR - 1)
        assert (await shuts(store))[GOOGLE] is Shut.OPEN
        clock.move(1)
        assert (await shuts(store))[GOOGLE] is Shut.PROBING

    async def test_a_clock_that_differs_by_less_than_an_hour_changes_nothing(
        self, store: Store, clock: MovableClock
    ) -> None:
        await open_google(store)
        until = [each.until for each in await store.measures.breakers()]
        clock.step(-AHEAD_S)
        await store.purge(100)
        assert [each.until for each in await store.measures.breakers()] == until

    async def test_a_clock_set_forward_ends_it_in_probes_and_not_in_a_burst(
        self, store: Store, clock: MovableClock
    ) -> None:
        await open_google(store)
        clock.step(3_650 * DAY)
        assert await shuts(store) == {GOOGLE: Shut.PROBING}
        assert [(await granted(store, who, probe=True)).code for who in range(4)] == ["OK"] * 3 + ["BREAKER_PROBE"]

    async def test_failures_of_a_clock_that_was_ahead_are_seen(self, store: Store, clock: MovableClock) -> None:
        clock.step(2 * DAY)
        await fail(store, "a", 4)
        clock.step(-2 * DAY)
        await fail(store, "b", 1)
        assert await shuts(store) == {GOOGLE: Shut.OPEN, SITE: Shut.OPEN}

    async def test_deliveries_of_a_clock_that_was_ahead_are_known_in_time(
        self, store: Store, clock: MovableClock
    ) -> None:
        clock.step(3_650 * DAY)
        for who in range(80):
            await came(store, who, OutcomeKind.SENT, account(who))
        clock.step(-3_650 * DAY)
        await store.purge(1_000)
        clock.move(DAY)
        await fail(store, "a", 5)
        assert await shuts(store) == {}
