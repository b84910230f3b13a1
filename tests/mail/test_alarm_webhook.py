"""Alarms, posted over real HTTP on loopback."""

import hashlib
import hmac
from pathlib import Path

import pytest

from formwarden.mail.alarm import AlarmError, Notice
from formwarden.mail.alarm_webhook import Webhook
from formwarden.stores.ports import Alarm
from tests.clock import MovableClock
from tests.servers.hook import HookServer
from tests.servers.smtp import Certificate

pytestmark = pytest.mark.anyio
KEY = "k" * 40
SOON_S = 0.3  # a deadline that a hanging server makes us wait out
NOTICE = Notice(
    kind="breaker",
    site="bow-makers.jp",
    subject="formwarden bow-makers.jp: auto-replies are stopped",
    text="What happened: …\n起きたこと：…\n",
    alarms=(Alarm(id=7, kind="breaker", text="google: too many replies failed", at=1_790_000_000.0),),
)


def webhook(url: str, *, key: str | None = KEY, timeout_s: float = 10.0) -> Webhook:
    return Webhook(url, key=key, local=True, clock=MovableClock(1_790_000_100.5), timeout_s=timeout_s)


async def test_an_alarm_is_posted_as_json_and_signed() -> None:
    async with HookServer() as hook:
        await webhook(hook.url).tell(NOTICE)
        (posted,) = hook.requests
    assert posted.line == "POST /hook?room=1 HTTP/1.1"
    assert posted.headers["host"] == f"127.0.0.1:{hook.port}"
    assert posted.headers["content-type"] == "application/json"
    assert posted.json == {
        "site": "bow-makers.jp",
        "kind": "breaker",
        "text": f"{NOTICE.subject}\n\n{NOTICE.text}",
        "alarms": [{"id": 7, "kind": "breaker", "at": 1_790_000_000.0, "text": "google: too many replies failed"}],
    }
    signed = b"1790000100." + posted.body
    expected = hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    assert posted.headers["formwarden-signature"] == f"t=1790000100,v1={expected}"


async def test_the_documented_receiver_knows_our_alarms_from_forged_and_old_ones() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text(encoding="utf-8")
    found: dict[str, object] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], found)  # noqa: S102 - our own documentation, run
    is_ours = found["is_from_formwarden"]
    assert callable(is_ours)
    async with HookServer() as hook:
        await webhook(hook.url).tell(NOTICE)
        (posted,) = hook.requests
    header, now = posted.headers["formwarden-signature"], 1_790_000_130.0
    assert is_ours(header, posted.body, KEY, now)
    assert not is_ours(header, posted.body, KEY, now + 600)
    assert not is_ours(header, posted.body + b" ", KEY, now)
    assert not is_ours(header, posted.body, "j" * 40, now)
    assert not is_ours(header.replace("t=1790000100", "t=1790000101"), posted.body, KEY, now)


async def test_without_a_key_nothing_claims_to_be_signed() -> None:
    async with HookServer() as hook:
        await webhook(hook.url, key=None).tell(NOTICE)
        assert "formwarden-signature" not in hook.requests[0].headers


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 202\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_every_2xx_has_taken_it(answer: bytes) -> None:
    async with HookServer() as hook:
        hook.answer = answer
        await webhook(hook.url).tell(NOTICE)
        assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", "status 500"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "status 404"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 6, "only interim answers"),
        (b"", "no answer: IncompleteReadError"),
        (b"HTTP/1.1 200 OK\r\n", "no answer: IncompleteReadError"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no answer: IndexError"),
        (b"HTTP/1.1 fine\r\n\r\n", "no answer: ValueError"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000, "no answer: LimitOverrunError"),
    ],
)
async def test_every_other_answer_has_not(answer: bytes, why: str) -> None:
    async with HookServer() as hook:
        hook.answer = answer
        with pytest.raises(AlarmError, match=why):
            await webhook(hook.url).tell(NOTICE)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    async with HookServer() as hook, HookServer() as other:
        hook.answer = f"HTTP/1.1 {status} Go\r\nLocation: {other.url}\r\n\r\n".encode()
        with pytest.raises(AlarmError, match=f"status {status}"):
            await webhook(hook.url).tell(NOTICE)
        assert other.connections == 0


async def test_a_server_that_never_answers_keeps_nobody_waiting() -> None:
    async with HookServer() as hook:
        hook.answer = None
        with pytest.raises(AlarmError, match="no answer in time"):
            await webhook(hook.url, timeout_s=SOON_S).tell(NOTICE)


async def test_an_answer_without_an_end_is_read_no_further_than_its_head_may_be() -> None:
    async with HookServer() as hook:
        hook.answer, hook.endless = b"HTTP/1.1 200 OK\r\n", True
        with pytest.raises(AlarmError, match="LimitOverrunError"):
            await webhook(hook.url).tell(NOTICE)


async def test_nobody_who_listens_is_said() -> None:
    async with HookServer() as hook:
        url = hook.url
    with pytest.raises(AlarmError, match="ConnectionRefusedError"):
        await webhook(url).tell(NOTICE)


async def test_over_tls_the_certificate_must_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = Certificate()
    try:
        async with HookServer(tls=certificate.context) as hook:
            with pytest.raises(AlarmError, match="SSLCertVerificationError"):
                await webhook(hook.url).tell(NOTICE)
            assert hook.requests == []
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
            await webhook(hook.url).tell(NOTICE)
            assert len(hook.requests) == 1
    finally:
        certificate.remove()


async def test_a_name_that_leads_to_this_machine_gets_nothing_unless_it_may() -> None:
    async with HookServer() as hook:
        url = f"https://127.1:{hook.port}/hook"  # no address to look at, and resolved to 127.0.0.1
        with pytest.raises(AlarmError, match="leads to this machine"):
            await Webhook(url, key=None, local=False, clock=MovableClock()).tell(NOTICE)
        assert hook.connections == 0
