"""Whom a relay's word suppresses."""

import pytest

from formwarden.mail.refusals import Effect
from formwarden.mail.settling import outcome_of
from formwarden.mail.watched import Watched
from formwarden.stores.breaking import DEFAULT, Breaking
from formwarden.stores.ports import Key, Ours, OutcomeKind

NEW, OLD, DOMAIN = Key(b"address, newest key"), Key(b"address, older key"), Key(b"domain")
PROVIDER = Key(b"provider")
WATCHED = Watched(address=(NEW, OLD), domain=(DOMAIN,), provider=(PROVIDER,))


@pytest.mark.parametrize(
    ("kind", "suppress", "subject"),
    [
        (OutcomeKind.HARD, True, NEW),
        (OutcomeKind.DOMAIN, True, DOMAIN),
        (OutcomeKind.SOFT_LONG, True, NEW),
        (OutcomeKind.OURS, False, PROVIDER),  # not to be suppressed: it is who spoke
        (OutcomeKind.SENT, False, None),
    ],
)
def test_g20_a_suppression_is_written_under_the_newest_key(
    kind: OutcomeKind, subject: Key | None, *, suppress: bool
) -> None:
    effect = Effect(kind=kind, reason="550 5.1.1", until=7.0, suppress=suppress)
    outcome = outcome_of(effect, reply_id=b"reply", evidence=b"evidence", watched=WATCHED, breaking=DEFAULT)
    assert (outcome.id, outcome.reply_id, outcome.kind) == (b"evidence", b"reply", kind)
    assert (outcome.reason, outcome.until, outcome.subject) == ("550 5.1.1", 7.0, subject)


def test_where_nobody_is_watched_nobody_is_suppressed() -> None:
    effect = Effect(kind=OutcomeKind.HARD, reason="550 5.1.1", suppress=True)
    outcome = outcome_of(effect, reply_id=b"reply", evidence=b"evidence", watched=Watched(), breaking=DEFAULT)
    assert outcome.subject is None


def test_an_outcome_carries_what_the_provider_has_against_us_and_the_site_s_figures() -> None:
    effect = Effect(kind=OutcomeKind.OURS, reason="421 4.7.28", ours=Ours.REPUTATION)
    figures = Breaking(probes=7)
    outcome = outcome_of(effect, reply_id=b"reply", evidence=b"evidence", watched=WATCHED, breaking=figures)
    assert (outcome.ours, outcome.breaking, outcome.counts) == (Ours.REPUTATION, figures, True)


def test_g12_what_anybody_may_have_written_ends_the_reply_and_feeds_no_breaker() -> None:
    effect = Effect(kind=OutcomeKind.HARD, reason="550 5.1.1", suppress=True)
    outcome = outcome_of(effect, reply_id=b"reply", evidence=b"dsn", watched=WATCHED, breaking=DEFAULT, counts=False)
    assert (outcome.counts, outcome.subject) == (False, NEW)
