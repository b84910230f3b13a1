"""What a provider has against us, and who may say so (auto-reply reference, 4.3 and 4.5; G12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.mail.distrust import ours_of, speaker
from formwarden.mail.refusals import classify, enhanced_code, kind_of
from formwarden.mail.sender import SendResult, SendState
from formwarden.stores.ports import Ours, OutcomeKind

REPUTATION, CONFIG, OTHER = Ours.REPUTATION, Ours.CONFIG, Ours.OTHER


def said(code: int, text: str, group: str = "google") -> Ours:
    """Only what the table of refusals calls ours is asked; everything else holds nothing against us."""
    if kind_of(code, text) is not OutcomeKind.OURS:
        return OTHER
    return ours_of(enhanced_code(code, text), text, group=group)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (421, "4.7.28 an unusual rate of mail from your address"),
        (550, "5.7.28 too much mail from your netblock"),
        (421, "4.7.0 your domain has a very low reputation"),
        (550, "5.7.1 this mail is likely unsolicited"),
        (421, "4.7.0 [TSS04] temporarily deferred"),
        (421, "4.7.0 [TS02] temporarily deferred"),
        (553, "5.7.2 [TSS09] all mail is refused for good"),
        (553, "5.7.1 [BL21] refused"),
        (554, "Mail not accepted [PH01]"),
        (451, "4.7.650 rate limited for the reputation of the address"),
        (451, "4.7.652 too many connections"),
        (550, "5.7.1 not delivered: part of their network is listed (S3140)"),
        (550, "5.7.1 not delivered (S3150) [AS1234]"),
        (550, "5.7.606 access denied, banned sending address"),
        (550, "5.7.649 access denied"),
        (550, "5.7.511 access denied"),
        (421, "4.7.1 deferred for excessive volume"),
        (550, "5.7.1 [CS01] rejected by local policy"),
        (550, "5.7.1 [HM08] rejected by local policy"),
        (554, "5.7.1 client host is listed in zen.spamhaus.org"),
        (554, "Service unavailable; client host blocked using some list"),
    ],
)
def test_distrust_of_our_reputation(code: int, text: str) -> None:
    assert said(code, text) is REPUTATION


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (421, "4.7.23 the address has no matching PTR record"),
        (550, "5.7.25 no PTR"),
        (550, "5.7.26 blocked, for the sender is not authenticated"),
        (421, "4.7.26 rate limited"),
        (550, "5.7.27 SPF"),
        (550, "5.7.29 no TLS"),
        (550, "5.7.30 DKIM"),
        (421, "4.7.32 From is not aligned"),
        (550, "5.7.9 not accepted"),
        (550, "5.7.515 does not meet the level that is required"),
        (550, "5.7.509 does not pass DMARC"),
        (550, "5.7.512 From"),
        (554, "5.7.1 [HME1] refused"),
        (554, "5.7.1 the message failed DMARC"),
        (550, "5.7.1 SPF check did not pass"),
        (550, "5.7.1 missing reverse DNS"),
        (501, "5.5.4 invalid HELO name"),
        (554, "5.7.1 Helo command rejected: need a name with a dot"),
    ],
)
def test_what_we_must_mend_in_how_we_send(code: int, text: str) -> None:
    assert said(code, text) is CONFIG


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (550, "5.7.1 we do not like you"),
        (550, "5.7.1 relay access denied"),
        (421, "Service not available"),
        (421, "4.3.2 going down"),
        (450, "4.7.1 greylisted, try again in five minutes"),
        (501, "5.5.4 not one plain address"),
        (535, "5.7.8 authentication failed"),
        (553, "5.6.7 relay has no SMTPUTF8"),
        (450, "4.1.8 sender's domain not found"),
        (550, "5.7.2 the list takes mail from its members"),
        (550, "5.1.1 no such user on the blocklist of spamhaus"),
        (552, "5.2.2 mailbox full, its reputation is low"),
        (450, "4.2.1 receiving at an unusual rate"),
    ],
)
def test_what_opens_nothing(code: int, text: str) -> None:
    assert said(code, text) is OTHER


QUOTED = [
    ("host gmail-smtp-in.l.google.com[192.0.2.1] said: 550 5.7.1 low reputation", "gmail-smtp-in.l.google.com"),
    ("host mx.a.net[192.0.2.1] refused to talk to me: 421 4.7.0 low reputation", "mx.a.net"),
    (
        "SMTP error from remote mail server after end of data: host mx.a.net [192.0.2.1]: 550 5.7.1 low reputation",
        "mx.a.net",
    ),
    ("host mx.a.net [192.0.2.1] SMTP error from remote mail server after RCPT TO:<…>: 550 x", "mx.a.net"),
    ("R=dnslookup T=remote_smtp H=mx.a.net [192.0.2.1]: SMTP error from remote mail server", "mx.a.net"),
    ("... while talking to mx.a.net.: >>> DATA <<< 550 5.7.1 low reputation", "mx.a.net"),
    ("Remote-MTA: dns; mx.a.net", "mx.a.net"),
    ("Connected to 192.0.2.1 but sender was rejected. Remote host said: 550 low reputation", "192.0.2.1"),
    ("192.0.2.1 failed after I sent the message. Remote host said: 550 low reputation", "192.0.2.1"),
]


@pytest.mark.parametrize(("text", "host"), QUOTED)
def test_g12_the_host_that_spoke_is_read_as_postfix_exim_sendmail_and_qmail_name_it(text: str, host: str) -> None:
    assert speaker(text) == host


@pytest.mark.parametrize("text", ["5.7.1 low reputation", "", "the host is not ours", "host mx.a.net"])
def test_g12_a_relay_that_names_nobody_speaks_for_itself(text: str) -> None:
    assert speaker(text) is None


@pytest.mark.parametrize("group", ["google", "microsoft", "yahoo_jp", "docomo", "evil.net"])
def test_g12_an_attacker_s_own_server_speaks_for_its_own_domain_only(group: str) -> None:
    for text in (
        "host mx.evil.net[192.0.2.66] said: 421 4.7.28 unusual rate",
        "host mx.evil.net [192.0.2.66]: 550 5.7.1 low reputation",
        "while talking to mx.evil.net.: <<< 550 5.7.26 unauthenticated",
    ):
        own = group == "evil.net"
        assert (ours_of(enhanced_code(None, text), text, group=group) is not OTHER) is own


@pytest.mark.parametrize(
    "first",
    [
        "host mx.evil.net[192.0.2.66] said: 550 ",
        "host mx.evil.net [192.0.2.66]: 550 ",
        "... while talking to mx.evil.net.: <<< 550 ",
        "H=mx.evil.net [192.0.2.66]: SMTP error from remote mail server: 550 ",
    ],
)
@pytest.mark.parametrize(
    "quoted",
    [
        "host gmail-smtp-in.l.google.com[192.0.2.1] said: 550 5.7.28 unusual rate",
        "while talking to gmail-smtp-in.l.google.com.: 550 5.7.28 unusual rate",
        "H=gmail-smtp-in.l.google.com [192.0.2.1]: 550 5.7.28 unusual rate",
    ],
)
def test_g12_what_stands_behind_the_first_host_is_of_that_host_s_making(first: str, quoted: str) -> None:
    text = first + quoted
    assert speaker(text) == "mx.evil.net"
    assert ours_of("5.7.28", text, group="google") is OTHER


def test_g12_the_provider_s_own_host_is_believed() -> None:
    text = "host gmail-smtp-in.l.google.com[192.0.2.1] said: 421-4.7.28 unusual rate"
    assert ours_of("4.7.28", text, group="google") is REPUTATION


def test_g12_the_relay_s_own_word_counts() -> None:
    assert ours_of("5.7.1", "5.7.1 low reputation", group="mailhost.net") is REPUTATION


@given(st.none() | st.sampled_from(["5.7.1", "4.7.28", "5.7.26"]), st.text(max_size=300), st.text(max_size=20))
def test_no_text_makes_it_raise_and_a_stranger_named_first_is_never_believed(
    enhanced: str | None, text: str, group: str
) -> None:
    ours_of(enhanced, text, group=group)
    quoted = f"host mx.evil.example[192.0.2.66] said: {text}"
    for large in ("google", "microsoft"):
        assert ours_of(enhanced, quoted, group=large) is OTHER


def test_a_refusal_in_a_session_carries_it() -> None:
    refused = SendResult(state=SendState.REFUSED, code=550, text="5.7.26 unauthenticated")
    assert classify(refused, now=0.0, group="google").ours is CONFIG
