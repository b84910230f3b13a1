"""Whom a relay's word suppresses."""

import pytest

from formwarden.mail.refusals import Effect
from formwarden.mail.settling import outcome_of
from formwarden.mail.watched import Watched
from formwarden.stores.ports import Key, OutcomeKind

NEW, OLD, DOMAIN = Key(b"address, newest key"), Key(b"address, older key"), Key(b"domain")
WATCHED = Watched(address=(NEW, OLD), domain=(DOMAIN,))


@pytest.mark.parametrize(
    ("kind", "suppress", "subject"),
    [
        (OutcomeKind.HARD, True, NEW),
        (OutcomeKind.DOMAIN, True, DOMAIN),
        (OutcomeKind.SOFT_LONG, True, NEW),
        (OutcomeKind.OURS, False, None),
        (OutcomeKind.SENT, False, None),
    ],
)
def test_g20_a_suppression_is_written_under_the_newest_key(
    kind: OutcomeKind, subject: Key | None, *, suppress: bool
) -> None:
    effect = Effect(kind=kind, reason="550 5.1.1", until=7.0, suppress=suppress)
    outcome = outcome_of(effect, reply_id=b"reply", evidence=b"evidence", watched=WATCHED)
    assert (outcome.id, outcome.reply_id, outcome.kind) == (b"evidence", b"reply", kind)
    assert (outcome.reason, outcome.until, outcome.subject) == ("550 5.1.1", 7.0, subject)


def test_where_nobody_is_watched_nobody_is_suppressed() -> None:
    effect = Effect(kind=OutcomeKind.HARD, reason="550 5.1.1", suppress=True)
    assert outcome_of(effect, reply_id=b"reply", evidence=b"evidence", watched=Watched()).subject is None
