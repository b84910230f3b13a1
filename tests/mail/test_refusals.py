import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.mail.refusals import DAY_S, classify, enhanced_code, kind_of
from formwarden.mail.sender import SendResult, SendState
from formwarden.stores.ports import Ours, OutcomeKind

HARD, DOMAIN, OURS = OutcomeKind.HARD, OutcomeKind.DOMAIN, OutcomeKind.OURS
LONG, SHORT = OutcomeKind.SOFT_LONG, OutcomeKind.SOFT_SHORT
NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        # a dead mailbox
        (550, "5.1.1 The email account that you tried to reach does not exist", HARD),
        (550, "5.1.3 bad syntax", HARD),
        (550, "5.1.6 moved", HARD),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", HARD),
        (550, "5.1.351 no such", HARD),
        (550, "5.2.1 The email account that you tried to reach is disabled", HARD),
        (550, "Unknown user", HARD),
        (550, "#5.1.0 User unknown", HARD),
        (554, "delivery error: dd This user doesn't have a yahoo.com account", HARD),
        (550, "5.0.0 no such mailbox", HARD),
        # the domain
        (550, "5.1.2 Host unknown", DOMAIN),
        (550, "5.4.4 unable to route", DOMAIN),
        (556, "Domain does not accept mail", DOMAIN),
        # ours
        (550, "5.7.1 user unknown", OURS),
        (550, "5.7.26 This mail has been blocked because the sender is unauthenticated", OURS),
        (450, "4.7.650 rate limited", OURS),
        (421, "4.7.28 unusual rate", OURS),
        (550, "5.1.7 bad sender", OURS),
        (450, "4.1.8 sender's domain not found", OURS),
        (421, "Service not available", OURS),
        (421, "4.3.2 going down", OURS),
        (554, "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", OURS),
        (554, "Relay access denied", OURS),
        (553, "5.6.7 relay has no SMTPUTF8", OURS),
        (501, "5.5.4 not one plain address", OURS),
        (535, "authentication failed", OURS),
        (555, "parameters not recognized", OURS),
        # for a month
        (552, "5.2.2 mailbox full", LONG),
        (550, "5.5.0 Requested action not taken: mailbox unavailable", LONG),
        (550, "5.2.0 Unknown user", LONG),  # docomo at the end of DATA: filtered, not dead
        (554, "transaction failed", LONG),
        (451, "4.4.7 expired", LONG),
        # for a day
        (452, "4.2.2 mailbox full", SHORT),
        (450, "4.2.1 receiving mail too quickly", SHORT),
        (550, "5.2.1 receiving mail at a rate that prevents delivery", SHORT),
        (421, "4.2.1 receiving mail too quickly", SHORT),
        (451, "4.3.0 try later", SHORT),
        (451, "4.4.3 no DNS", SHORT),
        (450, "unknown user, perhaps", SHORT),
    ],
)
def test_each_refusal_has_its_row(code: int, text: str, kind: OutcomeKind) -> None:
    assert kind_of(code, text) is kind


@pytest.mark.parametrize(
    ("text", "kind", "days"),
    [
        ("5.1.1 x", HARD, None),
        ("5.1.2 x", DOMAIN, 7),
        ("5.2.2 x", LONG, 30),
        ("5.2.1 too fast", SHORT, 1),
    ],
)
def test_what_is_not_ours_suppresses_for_its_time(text: str, kind: OutcomeKind, days: int | None) -> None:
    effect = classify(SendResult(state=SendState.REFUSED, code=550, text=text), now=NOW)
    assert (effect.kind, effect.suppress) == (kind, True)
    assert effect.until == (None if days is None else NOW + days * DAY_S)
    assert effect.reason == f"550 {text}"


def test_what_is_ours_never_blames_the_address() -> None:
    effect = classify(SendResult(state=SendState.REFUSED, code=550, text="5.7.1 blocked"), now=NOW)
    assert (effect.kind, effect.until, effect.suppress) == (OURS, None, False)
    assert effect.ours is Ours.OTHER


def test_g12_what_is_ours_is_told_apart_by_who_says_it() -> None:
    said = "4.7.28 host mx.evil.net[192.0.2.1] said: 421-4.7.28 unusual rate"
    refused = SendResult(state=SendState.REFUSED, code=421, text=said)
    assert classify(refused, now=NOW, group="google").ours is Ours.OTHER
    assert classify(refused, now=NOW, group="evil.net").ours is Ours.REPUTATION


def test_what_is_about_the_address_says_nothing_against_us() -> None:
    refused = SendResult(state=SendState.REFUSED, code=550, text="5.1.1 no such user here, says our blocklist")
    assert classify(refused, now=NOW, group="google").ours is Ours.OTHER


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (SendState.TAKEN, OutcomeKind.SENT),
        (SendState.NOT_SENT, OutcomeKind.NOT_SENT),
        (SendState.UNKNOWN, OutcomeKind.LOST),
    ],
)
def test_what_is_no_refusal_suppresses_nobody(state: SendState, kind: OutcomeKind) -> None:
    effect = classify(SendResult(state=state, code=550, text="5.1.1 user unknown"), now=NOW)
    assert (effect.kind, effect.until, effect.suppress) == (kind, None, False)


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        (550, "5.1.1 no", "5.1.1"),
        (550, "no (#5.1.1)", "5.1.1"),
        (550, "no 5.1.1.", "5.1.1"),
        (550, "client 5.1.1.20 is blocked", None),
        (550, "client 85.1.1 is blocked", None),
        (550, "said 4.2.2, then 5.2.2", "5.2.2"),
        (None, "5.1.1 no", "5.1.1"),
        (550, "", None),
    ],
)
def test_an_enhanced_code_is_told_from_an_ip_address_and_agrees_with_the_smtp_code(
    code: int, text: str, found: str | None
) -> None:
    assert enhanced_code(code, text) == found


@given(st.none() | st.integers(0, 999), st.text(max_size=200), st.floats(0, 1e10))
def test_no_answer_is_without_a_row(code: int | None, text: str, now: float) -> None:
    for state in SendState:
        effect = classify(SendResult(state=state, code=code, text=text), now=now)
        assert effect.suppress is (effect.kind in {HARD, DOMAIN, LONG, SHORT})
        assert len(effect.reason) <= 500


@given(st.sampled_from([421, 450, 451, 452]), st.text(max_size=100))
def test_no_temporary_answer_suppresses_for_ever(code: int, text: str) -> None:
    assert kind_of(code, text) is not HARD
