import base64
import re
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import dkim
import pytest

from formwarden import AutoReply, GuardedForm, Settings, Warden
from formwarden.errors import ComposeError, SettingsError
from formwarden.mail.autoreply import REPLY_LIMIT
from formwarden.mail.compose import Composer
from formwarden.mail.dkim import SIGNED, DkimSigner, signer_of
from formwarden.mail.dkim_settings import Signing
from formwarden.mail.lint import LONGEST_RECIPIENT
from formwarden.mail.sender import SendState
from formwarden.mail.settings import Mail
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.stop_links import StopLinks
from formwarden.site import Site
from formwarden.stores.ports import Key
from formwarden.submission import Fields
from formwarden.tokens import Tokens
from tests.clock import MovableClock
from tests.mail.keys import openssl, private_key, record
from tests.servers.smtp import SmtpPeer

NOW = 1_790_000_000.0
SITE = Site(site_domain="site.example", staff_address=("office@site.example",))
MAIL = b"From: a@site.example\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhello\r\n"


def signer(pem: str | None = None) -> DkimSigner:
    return DkimSigner(pem or private_key(), selector="s1", domain="site.example")


def verifies(data: bytes, pem: str | None = None) -> bool:
    """Ask dkimpy, as a receiver would, with the record that the domain publishes."""
    asked: list[bytes] = []

    def txt(name: bytes, timeout: int = 5) -> bytes:
        assert timeout
        asked.append(name)
        return record(pem or private_key())

    right: bool = dkim.verify(data, dnsfunc=txt)
    assert asked in ([], [b"s1._domainkey.site.example."])
    return right


def reply(*, recipient: str = "bob@example.org", language: str = "ja", pem: str | None = None) -> bytes:
    clock = MovableClock(NOW)
    tokens = Tokens(("k" * 32,), clock=clock, entropy=bytes)
    stops = StopLinks(tokens, clock, public_url="https://www.site.example", prefix="/_formwarden/")
    by = Composer(SITE, Mail(), tokens, clock, bytes, signer=signer(pem), stops=stops)
    return by.reply(
        AutoReply(name=True),
        recipient=recipient,
        language=language,
        reference="FW-7K3M-9QXD",
        received_at=NOW,
        reply_id=bytes(16),
        person="山田 太郎",
        stop=Key(bytes(17)),
    ).data


@pytest.mark.parametrize("language", ["en", "ja"])
def test_r19_a_signed_reply_verifies_and_an_altered_one_does_not(language: str) -> None:
    data = reply(language=language)
    assert verifies(data)
    assert not verifies(data.replace(b"noreply@", b"noreplx@"))
    body = data.index(b"\r\n\r\n") + 8
    assert not verifies(data[:body] + bytes([data[body] ^ 1]) + data[body + 1 :])


@pytest.mark.anyio
@pytest.mark.parametrize("recipient", ["bob@example.org", "用户@例え.jp"])
async def test_r19_what_a_relay_received_verifies(recipient: str) -> None:
    data = reply(recipient=recipient)
    with SmtpPeer(dsn=True) as peer:
        result = await SmtpSender(peer.url).send("", recipient, data, deadline_s=10)
        assert result.state is SendState.TAKEN
        (mail,) = await peer.arrived(1)
    assert mail.mail_from == ""
    assert verifies(mail.data)


def test_relays_may_fold_headers_anew_and_trim_line_ends() -> None:
    head, _, body = reply().partition(b"\r\n\r\n")
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", head)
    assert unfolded != head
    assert verifies(unfolded + b"\r\n\r\n" + body + b"\r\n\r\n")


@pytest.mark.parametrize("name", SIGNED)
def test_nobody_adds_a_header_to_a_signed_mail(name: str) -> None:
    data = reply()
    assert not verifies(data.replace(b"\r\nFrom:", b"\r\n" + name.encode() + b": x@evil.example\r\nFrom:", 1))


def test_the_signature_covers_all_we_write_and_stands_first() -> None:
    message = message_from_bytes(reply(), policy=default)
    assert message.keys()[0] == "DKIM-Signature"
    tags = dict(part.strip().split("=", 1) for part in str(message["DKIM-Signature"]).split(";"))
    assert (tags["d"], tags["s"], tags["a"], tags["c"]) == (
        "site.example",
        "s1",
        "rsa-sha256",
        "relaxed/relaxed",
    )
    covered = [name.strip() for name in tags["h"].split(":")]
    for name in message:
        if name != "DKIM-Signature":
            assert covered.count(name.lower()) == 2
    assert covered.count("cc") == covered.count("reply-to") == covered.count("sender") == 1


def test_r17_a_signed_reply_to_the_longest_address_stays_within_four_kilobytes() -> None:
    data = reply(recipient=LONGEST_RECIPIENT, pem=private_key(2_048))
    assert len(data) <= REPLY_LIMIT
    assert verifies(data, private_key(2_048))


def test_a_mail_that_needs_smtputf8_is_signed_too() -> None:
    data = reply(recipient="用户@example.org")
    assert not data.isascii()
    assert verifies(data)


def test_staff_mail_is_signed_too() -> None:
    (mail,) = StaffMail(SITE, Mail(), MovableClock(NOW), bytes, signer=signer()).compose(
        form="contact",
        fields=Fields({"message": "hello"}),
        receipt="FW-1",
        received_at=NOW,
        score=0.0,
        reply_to="bob@example.org",
        address="bob@example.org",
    )
    assert verifies(mail.data)
    assert message_from_bytes(mail.data, policy=default)["Reply-To"] == "bob@example.org"


def test_a_key_may_be_pkcs1_or_pkcs8_a_path_or_the_pem_itself(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_text(private_key(), encoding="ascii")
    for given in (private_key(), private_key().replace("\n", "\\n"), str(path)):
        made = signer_of(Signing(dkim_selector="s1", dkim_key=given), "site.example")
        assert made is not None
        assert verifies(made.sign(MAIL))
    old = private_key(traditional=True)
    assert "RSA PRIVATE" in old
    assert verifies(signer(old).sign(MAIL), old)


def test_a_domain_in_letters_of_its_own_is_written_in_a_labels() -> None:
    signed = DkimSigner(private_key(), selector="s1", domain="例え.jp").sign(MAIL)
    assert b"d=xn--r8jz45g.jp;" in signed


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dkim", None)  # as where it is not installed
    with pytest.raises(SettingsError, match=r"install formwarden\[dkim\]"):
        signer_of(Signing(dkim_selector="s1", dkim_key=private_key()), "site.example")
    assert signer_of(Signing(), "site.example") is None


def test_without_a_key_nothing_is_signed() -> None:
    assert signer_of(Signing(), "site.example") is None
    assert signer_of(Signing(dkim_aligned=True), "site.example") is None


def test_a_mail_that_is_none_is_not_signed() -> None:
    with pytest.raises(ComposeError, match="cannot be signed"):
        signer().sign(b"no header at all\r\nFrom: x\r\n\r\n")


def altered(pem: str) -> str:
    """Change one byte near the end of the numbers: the length stays right, the key is no key any more."""
    head, body, foot = pem.partition("\n")[0], "".join(pem.splitlines()[1:-1]), pem.splitlines()[-1]
    data = bytearray(base64.b64decode(body))
    data[-5] ^= 1
    return f"{head}\n{base64.b64encode(data).decode()}\n{foot}\n"


def spoiled(what: str) -> str:
    pem = private_key()
    match what:
        case "public":
            return openssl("rsa", "-pubout", stdin=pem.encode()).decode()
        case "cut":
            return "\n".join([*pem.splitlines()[:6], pem.splitlines()[-1]])
        case "garbage":
            return "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n"
        case "altered":
            return altered(private_key(traditional=True))
        case "short":
            return private_key(512)
        case "encrypted":
            return openssl("rsa", "-aes128", "-passout", "pass:secret", stdin=pem.encode()).decode()
        case "ed25519":
            return private_key(kind="ed25519")
    return "hello"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("missing", "cannot be read .*; give the path of a PEM file, or the PEM itself"),
        ("public", "only the public half of a key; make one: openssl genrsa"),
        ("nonsense", "no private key in PEM; make one"),
        ("cut", "no RSA key that is whole; make one"),
        ("garbage", "no RSA key that is whole; make one"),
        ("altered", "numbers that do not belong together; make one"),
        ("short", "has 512 bits, and receivers want 1024 at least; make one"),
        ("encrypted", "behind a passphrase; take it off: openssl rsa"),
        ("ed25519", "no RSA key that is whole; make one"),
    ],
)
def test_a_wrong_key_fails_at_construction_with_its_remedy(what: str, why: str, tmp_path: Path) -> None:
    pem = private_key()
    path = tmp_path / "key.pem"
    if what != "missing":
        path.write_text(spoiled(what), encoding="ascii")
    with pytest.raises(SettingsError, match=f"FORMWARDEN_DKIM_KEY: .*{why}") as raised:
        warden(dkim_selector="s1", dkim_key=str(path))
    assert pem.splitlines()[3] not in str(raised.value)


def warden(**settings: object) -> Warden:
    plain: dict[str, object] = {"secret_keys": "k" * 40, "site_domain": "site.example", "store_url": "memory://"}
    return Warden(GuardedForm("contact", reply=AutoReply()), settings=Settings.only(**(plain | settings)))


def test_r19_the_null_sender_is_refused_without_a_signature_and_says_why() -> None:
    with pytest.raises(SettingsError, match=r"(?i)envelope.*: the null sender needs a DKIM signature .* DMARC fails"):
        warden(envelope="null")
    warden(envelope="null", dkim_aligned=True)
    warden(envelope="null", dkim_selector="s1", dkim_key=private_key())


@pytest.mark.parametrize(
    ("domain", "fits"),
    [("site.example", True), ("mail.site.example", True), ("example.com", False), ("othersite.example", False)],
)
def test_r19_a_signature_of_another_domain_does_not_carry_the_null_sender(domain: str, *, fits: bool) -> None:
    settings: dict[str, object] = {"dkim_selector": "s1", "dkim_key": private_key(), "dkim_domain": domain}
    warden(**settings)
    if fits:
        warden(envelope="null", **settings)
    else:
        with pytest.raises(SettingsError, match=r"(?i)dkim_domain: is not the domain of mail_from"):
            warden(envelope="null", **settings)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"dkim_selector": "s1"}, "DKIM_KEY .*is missing"),
        ({"dkim_key": "dkim.pem"}, "DKIM_SELECTOR .*is missing"),
        ({"dkim_domain": "no domain"}, "dkim_domain: is no domain"),
        ({"dkim_selector": "a b", "dkim_key": "x"}, "dkim_selector"),
    ],
)
def test_settings_that_do_not_go_together_are_told(settings: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        warden(**settings)


def test_the_key_is_a_secret() -> None:
    (shown,) = (each for each in Settings.only(dkim_key=private_key()).describe() if each.name == "dkim_key")
    assert "BEGIN" not in str(shown)
