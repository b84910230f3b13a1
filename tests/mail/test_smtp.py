import asyncio
import contextlib
import gc
import socket
import ssl

import pytest

from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.mail.smtp import NO_SMTPUTF8, NOT_PLAIN, SmtpSender, masked, parse_relay
from tests.servers.smtp import Phase, SmtpPeer

DATA = b"From: a@site.example\r\nTo: bob@example.org\r\nSubject: x\r\n\r\n.dot\r\ntext\r\n"
SENDER = "bounce+abc@site.example"
RECIPIENT = "bob@example.org"
SOON_S = 0.3  # a deadline that a hanging peer makes us wait out
AMPLE_S = 10.0


async def deliver(
    sender: Sender, *, envelope: str = SENDER, to: str = RECIPIENT, data: bytes = DATA, deadline_s: float = AMPLE_S
) -> SendResult:
    return await sender.send(envelope, to, data, deadline_s=deadline_s)


# ------------------------------------------------------------------------------------------------ what went well
@pytest.mark.anyio
async def test_a_mail_arrives_byte_for_byte_and_the_relays_words_are_kept() -> None:
    with SmtpPeer() as peer:
        result = await deliver(SmtpSender(peer.url))
        (mail,) = await peer.arrived(1)
    assert result == SendResult(state=SendState.TAKEN, code=250, text="2.0.0 queued as PEER1")
    assert (mail.mail_from, mail.rcpt_tos, mail.data) == (SENDER, (RECIPIENT,), DATA)
    assert f"SIZE={len(DATA)}" in mail.mail_options


@pytest.mark.anyio
async def test_r18_with_the_null_sender_no_report_is_asked_for_for_nobody_would_get_it() -> None:
    with SmtpPeer(dsn=True) as peer:
        result = await deliver(SmtpSender(peer.url), envelope="")
        (mail,) = await peer.arrived(1)
    assert result.state is SendState.TAKEN
    assert mail.mail_from == ""
    assert mail.rcpt_options == ("NOTIFY=NEVER",)
    assert [each for each in mail.mail_options if each.startswith("RET")] == []


@pytest.mark.anyio
@pytest.mark.parametrize("dsn", [True, False])
async def test_r19_a_report_on_failure_is_asked_for_only_where_the_relay_offers_it(*, dsn: bool) -> None:
    with SmtpPeer(dsn=dsn) as peer:
        assert (await deliver(SmtpSender(peer.url))).state is SendState.TAKEN
        (mail,) = await peer.arrived(1)
    assert ("NOTIFY=FAILURE" in mail.rcpt_options) is dsn
    assert ("RET=HDRS" in mail.mail_options) is dsn


@pytest.mark.anyio
async def test_r18_a_relay_without_reports_is_asked_for_nothing() -> None:
    with SmtpPeer(dsn=False) as peer:
        assert (await deliver(SmtpSender(peer.url), envelope="")).state is SendState.TAKEN
        (mail,) = await peer.arrived(1)
    assert (mail.mail_from, mail.rcpt_options) == ("", ())


@pytest.mark.anyio
async def test_smtputf8_is_used_where_it_is_needed_and_offered() -> None:
    with SmtpPeer() as peer:
        result = await deliver(SmtpSender(peer.url), to="用户@例え.jp")
        await deliver(SmtpSender(peer.url))
        needed, plain = await peer.arrived(2)
    assert result.state is SendState.TAKEN
    assert needed.rcpt_tos == ("用户@xn--r8jz45g.jp",)
    assert (needed.smtputf8, plain.smtputf8) == (True, False)


@pytest.mark.anyio
async def test_without_smtputf8_a_mail_that_needs_it_is_refused_before_anything_is_said() -> None:
    with SmtpPeer(utf8=False) as peer:
        result = await deliver(SmtpSender(peer.url), to="用户@example.org")
        assert result == SendResult(state=SendState.REFUSED, code=553, text=NO_SMTPUTF8)
        assert (await deliver(SmtpSender(peer.url), data="Subject: ü\r\n\r\n".encode())).code == 553
        assert (peer.mails, peer.untaken) == ((), ())


@pytest.mark.anyio
async def test_a_relay_that_hangs_after_taking_the_mail_has_taken_it() -> None:
    with SmtpPeer() as peer:
        peer.hang_at("quit")
        result = await deliver(SmtpSender(peer.url))
    assert result.state is SendState.TAKEN


# ---------------------------------------------------------------------------------------------- what went wrong
@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["connect", "ehlo", "mail"])
@pytest.mark.parametrize("how", ["drop", "hang"])
async def test_g17_a_line_lost_before_rcpt_means_not_sent(phase: Phase, how: str) -> None:
    with SmtpPeer() as peer:
        _spoil(peer, phase, how)
        result = await deliver(SmtpSender(peer.url), deadline_s=SOON_S if how == "hang" else AMPLE_S)
        assert (result.state, result.code) == (SendState.NOT_SENT, None)
        assert result.text
        assert (peer.mails, peer.untaken) == ((), ())


@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["rcpt", "data", "end"])
@pytest.mark.parametrize("how", ["drop", "hang"])
async def test_g17_a_line_lost_at_or_after_rcpt_means_nobody_knows(phase: Phase, how: str) -> None:
    with SmtpPeer() as peer:
        _spoil(peer, phase, how)
        result = await deliver(SmtpSender(peer.url), deadline_s=SOON_S if how == "hang" else AMPLE_S)
        assert (result.state, result.code) == (SendState.UNKNOWN, None)
        assert result.text.startswith("RCPT:" if phase == "rcpt" else "DATA:")


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["554 5.3.2 not now", "421 4.3.2 going down"])
@pytest.mark.parametrize("phase", ["connect", "mail"])
async def test_g17_a_refusal_before_rcpt_means_not_sent(phase: Phase, answer: str) -> None:
    with SmtpPeer() as peer:
        peer.refuse_at(phase, answer)
        result = await deliver(SmtpSender(peer.url))
    assert (result.state, result.code) == (SendState.NOT_SENT, int(answer[:3]))
    assert answer[4:] in result.text


@pytest.mark.anyio
async def test_g17_a_relay_that_goes_away_at_the_greeting_is_not_greeted_again() -> None:
    with SmtpPeer() as peer:
        peer.refuse_at("ehlo", "421 4.3.2 going down")
        result = await deliver(SmtpSender(peer.url))
    assert (result.state, result.code) == (SendState.NOT_SENT, 421)


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "450 4.2.0 greylisted", "421 4.7.0 too much"])
@pytest.mark.parametrize("phase", ["rcpt", "data", "end"])
async def test_g17_a_refusal_at_or_after_rcpt_is_a_refusal_with_its_words(phase: Phase, answer: str) -> None:
    with SmtpPeer() as peer:
        peer.refuse_at(phase, answer)
        result = await deliver(SmtpSender(peer.url))
    assert result == SendResult(state=SendState.REFUSED, code=int(answer[:3]), text=answer[4:])


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["299-", "garbage", "354 go on"])
async def test_an_answer_that_is_none_at_the_end_leaves_it_unknown(answer: str) -> None:
    with SmtpPeer() as peer:
        peer.refuse_at("end", answer)
        result = await deliver(SmtpSender(peer.url), deadline_s=SOON_S)
    assert result.state is SendState.UNKNOWN


@pytest.mark.anyio
async def test_one_recipient_is_refused_and_another_is_not() -> None:
    with SmtpPeer() as peer:
        peer.refuse_at("rcpt", "550 5.1.1 no", recipient="BOB@example.org")
        assert (await deliver(SmtpSender(peer.url))).state is SendState.REFUSED
        assert (await deliver(SmtpSender(peer.url), to="eve@example.org")).state is SendState.TAKEN
        peer.behave()
        assert (await deliver(SmtpSender(peer.url))).state is SendState.TAKEN


@pytest.mark.anyio
async def test_nobody_listening_means_not_sent_and_the_next_mail_after_the_return_arrives() -> None:
    with SmtpPeer() as peer:
        sender = SmtpSender(peer.url)
        peer.refuse_connections()
        result = await deliver(sender)
        assert (result.state, result.code) == (SendState.NOT_SENT, None)
        assert result.text.startswith("connect:")
        peer.listen()
        assert (await deliver(sender)).state is SendState.TAKEN


@pytest.mark.anyio
async def test_the_deadline_is_for_the_whole_conversation() -> None:
    """A peer that answers each command late, but each in time, is given up all the same."""
    with SmtpPeer(pause_s=0.1) as peer:
        started = asyncio.get_running_loop().time()
        result = await deliver(SmtpSender(peer.url), deadline_s=0.25)
        took = asyncio.get_running_loop().time() - started
    assert result.state in {SendState.NOT_SENT, SendState.UNKNOWN}
    assert took < 1.0


@pytest.mark.anyio
async def test_a_peer_that_reads_no_more_does_not_keep_the_connection_open() -> None:
    with SmtpPeer() as peer:
        peer.hang_at("read")
        big = DATA + b"x" * 900 + b"\r\n"
        result = await deliver(
            SmtpSender(peer.url), data=big * 5_000, deadline_s=2 * SOON_S
        )  # the kernel takes 3 MB of it
        assert result.state is SendState.UNKNOWN
        await asyncio.sleep(0)
        assert not _open_sockets(peer.port)


@pytest.mark.anyio
async def test_cancelling_ends_the_connection_and_is_not_swallowed() -> None:
    with SmtpPeer() as peer:
        peer.hang_at("mail")
        task = asyncio.create_task(deliver(SmtpSender(peer.url)))
        await asyncio.to_thread(peer.wait_for_connections, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(peer.wait_until_alone)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "address",
    [
        "bob@example.org>\r\nRCPT TO:<eve@example.org",
        "bob@example.org\nDATA",
        "bob@example.org, eve@example.org",
        "<bob@example.org>",
        "Bob <bob@example.org>",
        "bob@example.org SIZE=1",
        "bob\u2028@example.org",
        "\0",
        "x",
    ],
)
async def test_more_than_one_plain_address_is_refused_without_a_connection(address: str) -> None:
    with SmtpPeer() as peer:
        for result in (
            await deliver(SmtpSender(peer.url), to=address),
            await deliver(SmtpSender(peer.url), envelope=address),
        ):
            assert result == SendResult(state=SendState.REFUSED, code=501, text=NOT_PLAIN)
        assert peer.connections == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("greeting", "answer"),
    [
        (b"\xff\xfe\x00\r\n", b""),
        (b"\r\n", b""),
        (b"220-" + b"x" * 9_000 + b"\r\n", b""),
        (b"220-again\r\n" * 4_000, b""),
        (b"220 ok\r\n", b"250 \xff\xff\r\n"),
        (b"220 ok\r\n", b"not a number\r\n"),
        (b"220 ok\r\n", b"250-AUTH CRAM-MD5\r\n250 SIZE much\r\n"),
        (b"220 ok\r\n", b"334 not*base64\r\n"),
        (b"220 ok\r\n", b"250-STARTTLS\r\n250 x\r\n"),
        (b"220 ok\r\n", b"220 x\r\n250 x\r\n"),
    ],
)
@pytest.mark.parametrize("login", ["", "u:p@"])
async def test_no_answer_of_a_relay_makes_sending_raise(greeting: bytes, answer: bytes, login: str) -> None:
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(greeting)
            while await reader.readline():
                writer.write(answer)
        writer.transport.abort()
        gone.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await deliver(SmtpSender(f"smtp://{login}127.0.0.1:{port}"), deadline_s=0.1)
    await gone.wait()
    server.close()
    await server.wait_closed()
    assert result.state in {SendState.NOT_SENT, SendState.UNKNOWN}
    assert result.text.isprintable()
    assert len(result.text) <= 500


# ---------------------------------------------------------------------------------------------- TLS and passwords
@pytest.mark.anyio
async def test_starttls_is_used_where_offered_and_its_certificate_is_not_asked_for() -> None:
    with SmtpPeer(starttls=True) as peer:
        assert (await deliver(SmtpSender(peer.url))).state is SendState.TAKEN
        (mail,) = await peer.arrived(1)
    assert mail.tls


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "220 go ahead"])
async def test_a_starttls_that_fails_means_not_sent(answer: str) -> None:
    with SmtpPeer(starttls=True) as peer:
        peer.refuse_at("starttls", answer)
        result = await deliver(SmtpSender(peer.url), deadline_s=SOON_S)
    assert result.state is SendState.NOT_SENT
    assert result.text.startswith("STARTTLS:")


@pytest.mark.anyio
@pytest.mark.parametrize("tls", [True, False])
async def test_a_password_is_given_to_this_machine_with_any_certificate_or_none(*, tls: bool) -> None:
    with SmtpPeer(starttls=tls, user="taro", password="s3cret/ü") as peer:
        assert (await deliver(SmtpSender(peer.url))).state is SendState.TAKEN
        (mail,) = await peer.arrived(1)
    assert (mail.user, mail.tls) == ("taro", tls)


@pytest.mark.anyio
async def test_a_password_goes_elsewhere_only_under_a_certificate_that_is_right() -> None:
    with SmtpPeer(starttls=True, user="taro", password="s3cret") as peer:
        assert peer.certificate is not None
        elsewhere = peer.url.replace("127.0.0.1", "127.1")  # the same place, under a name we do not take for ours
        wrong = await deliver(SmtpSender(elsewhere))
        assert (wrong.state, peer.mails) == (SendState.NOT_SENT, ())
        assert "CERTIFICATE_VERIFY_FAILED" in wrong.text
        trust = ssl.create_default_context(cafile=str(peer.certificate.file))
        right = await deliver(SmtpSender(peer.url.replace("127.0.0.1", "localhost"), tls=trust))
        assert right.state is SendState.TAKEN


@pytest.mark.anyio
async def test_a_password_does_not_go_elsewhere_in_clear() -> None:
    with SmtpPeer(user="taro", password="s3cret") as peer:
        result = await deliver(SmtpSender(peer.url.replace("127.0.0.1", "127.1")))
        assert (result.state, peer.mails) == (SendState.NOT_SENT, ())
    assert "password stays here" in result.text


@pytest.mark.anyio
async def test_a_wrong_password_means_not_sent() -> None:
    with SmtpPeer(user="taro", password="s3cret") as peer:
        result = await deliver(SmtpSender(peer.url.replace("s3cret", "guess")))
    assert (result.state, result.code) == (SendState.NOT_SENT, 535)


@pytest.mark.anyio
async def test_smtps_speaks_tls_from_the_start() -> None:
    with SmtpPeer(tls=True) as peer:
        assert (await deliver(SmtpSender(peer.url))).state is SendState.TAKEN
        (mail,) = await peer.arrived(1)
        assert mail.tls
        elsewhere = await deliver(SmtpSender(peer.url.replace("127.0.0.1", "127.1")))
    assert elsewhere.state is SendState.NOT_SENT


@pytest.mark.anyio
async def test_the_name_said_in_ehlo_can_be_given() -> None:
    with SmtpPeer() as peer:
        await deliver(SmtpSender(peer.url, hello="web.site.example"))
        (mail,) = await peer.arrived(1)
    assert mail.hello == "web.site.example"


@pytest.mark.anyio
async def test_a_relay_that_knows_no_ehlo_is_greeted_the_old_way() -> None:
    with SmtpPeer() as peer:
        peer.refuse_at("ehlo", "502 what?")
        assert (await deliver(SmtpSender(peer.url))).state is SendState.TAKEN


# ------------------------------------------------------------------------------------------------------------ URL
@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("smtp://relay.example", ("relay.example", 25, False, None, "")),
        ("smtp://relay.example:2525/", ("relay.example", 2525, False, None, "")),
        ("smtp://u%40x:p%2F%3A@relay.example", ("relay.example", 587, False, "u@x", "p/:")),
        ("smtps://u:p@[2001:db8::1]", ("2001:db8::1", 465, True, "u", "p")),
    ],
)
def test_a_url_names_the_relay(url: str, where: tuple[str, int, bool, str | None, str]) -> None:
    relay = parse_relay(url)
    assert (relay.host, relay.port, relay.implicit_tls, relay.user, relay.password) == where


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay.example:25",
        "http://relay.example",
        "smtp://",
        "smtp://:25",
        "smtp://hunter2@relay.example",
        "smtp://u:@relay.example",
        "smtp://u:hunter2@relay.example:port",
        "smtp://u:hunter2@relay.example:99999",
        "smtp://u:hunter2@relay.example/x",
        "smtp://u:hunter2@relay.example?tls=no",
        "smtp://u:hunter2@relay.example:25\r\n",
        "smtp://u:hunter2%0d%0a@relay.example",
        "smtp://[::1",
    ],
)
def test_a_url_that_is_none_is_told_at_construction_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://host:port") as caught:
        SmtpSender(url)
    assert "hunter2" not in str(caught.value)


def test_a_password_is_not_printed() -> None:
    assert "hunter2" not in repr(parse_relay("smtp://u:hunter2@relay.example"))


@pytest.mark.parametrize("hello", ["a b", "a\r\nb", "例え.jp"])
def test_a_name_for_ehlo_must_be_one(hello: str) -> None:
    with pytest.raises(ValueError, match="EHLO"):
        SmtpSender("smtp://relay.example", hello=hello)


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("smtp://relay.example", False),
        ("smtp://u:p@relay.example", True),
        ("smtps://relay.example", True),
        ("smtp://u:p@127.0.0.9", False),
        ("smtps://localhost", False),
        ("smtps://mail.localhost", False),
        ("smtp://u:p@[::1]", False),
        ("smtp://u:p@localhost.example", True),
    ],
)
def test_a_certificate_matters_where_a_password_or_tls_was_asked_for_and_not_on_this_machine(
    url: str, *, verified: bool
) -> None:
    assert parse_relay(url).verified is verified


# ------------------------------------------------------------------------------------------------ what is kept
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("5.1.1 <bob@example.org>: User unknown", "5.1.1 <…@example.org>: User unknown"),
        ("5.1.1 bob... User unknown", "5.1.1 …... User unknown"),
        ("5.1.1 <bob>: no", "5.1.1 <…>: no"),
        ("no such user bob here, bobby", "no such user … here, bobby"),
        ("see https://x.example/?to=bob%40example.org", "see https:…%40example.org"),
        ("from <bounce+abc@site.example> to 'o'neill@example.org'", "from <…@site.example> to …@example.org'"),
        ('"very odd"@example.org', "…@example.org"),
        ("5.1.1 one\n5.1.1 two\r\n\tthree\x00", "5.1.1 one 5.1.1 two three"),
        ("half \udce9 a letter", "half ? a letter"),
    ],
)
def test_a_relays_word_is_kept_without_local_parts(said: str, kept: str) -> None:
    assert masked(said, "bounce+abc@site.example", "bob@example.org") == kept


def test_a_mailbox_called_user_does_not_blank_out_the_words_of_the_refusal() -> None:
    assert masked("550 user unknown", "user@example.org") == "550 user unknown"
    assert masked("5.1.1 no", "5.1.1@example.org") == "5.1.1 no"


def test_a_relays_word_is_cut_and_never_in_the_middle_of_an_address() -> None:
    assert masked("x " * 400 + "b" * 32_000) == ("x " * 250)
    assert "bobby" not in masked("a@b " * 248 + "bobby.bobby@example.org " * 2)


@pytest.mark.anyio
async def test_a_refusal_that_quotes_the_address_is_kept_without_it() -> None:
    with SmtpPeer() as peer:
        peer.refuse_at("rcpt", f"550 5.1.1 <{RECIPIENT}>: bob is not here")
        result = await deliver(SmtpSender(peer.url))
    assert result.text == "5.1.1 <…@example.org>: … is not here"


def _open_sockets(port: int) -> list[socket.socket]:
    """Find our sockets that are connected to this port, or were until the other side left."""
    found: list[socket.socket] = []
    for each in gc.get_objects():
        if type(each) is socket.socket and each.family is socket.AF_INET and each.fileno() != -1:
            with contextlib.suppress(OSError):  # one that listens
                found.extend([each] if each.getpeername()[1] == port else [])
    return found


def _spoil(peer: SmtpPeer, phase: Phase, how: str) -> None:
    if how == "drop":
        peer.drop_at(phase)
    else:
        peer.hang_at(phase)
