"""Hostile texts through every field of a posted form: what counts is the bytes the relay got."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from formwarden.mail.settings import Mail
from tests.e2e.real_site import RealSite
from tests.mail.test_injection import ADDRESSES, TEXTS, headers_of, mailboxes
from tests.proof import Proof
from tests.servers.smtp import Delivery
from tests.sites import ADDRESS, DOMAIN, MESSAGE, STAFF
from tests.soak import runs

pytestmark = [pytest.mark.anyio, pytest.mark.soak]
REPLY = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "x-auto-response-suppress",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-language",
}
STAFF_MAIL = REPLY | {"reply-to"}
# A form of this size is beyond every limit of the request; such texts are tested where mail is composed.
FITS = 60_000
# Only the composer stands between these texts and the wire: no budget, and no score, holds them back.
WIDE_OPEN: Mapping[str, object] = {
    name: 100_000
    for name in Mail.model_fields
    if name.endswith(("_hour", "_day", "_minute", "_week", "_form", "_plain"))
} | {"quarantine": 1_000, "reject": 2_000, "plain_share": 1, "shown_share": 1, "provider_share": 1}


def fields(hostile: str) -> list[dict[str, str]]:
    """Put one text into each field in turn, a name of a field included, and into all of them."""
    plain = {"name": "Taro", "email": ADDRESS, "message": MESSAGE}
    each = [plain | {name: hostile} for name in plain]
    return [*each, plain | {hostile: "x"}, dict.fromkeys(plain, hostile)]


def check(mail: Delivery) -> None:
    [recipient] = mail.rcpt_tos
    headers = headers_of(mail.data)  # fails on a header that stands twice, or on a line that is none
    assert set(headers) <= (STAFF_MAIL if recipient == STAFF else REPLY)
    assert mail.mail_from.endswith(f"@{DOMAIN}")
    assert headers["to"] == recipient
    assert mailboxes(headers["from"]) == [f"noreply@{DOMAIN}"]
    assert headers.get("reply-to", ADDRESS) == ADDRESS


async def test_no_text_in_any_field_adds_a_header_or_a_recipient(tmp_path: Path, proof: Proof) -> None:
    texts = [text for text in dict.fromkeys((*TEXTS, *ADDRESSES)) if len(text) < FITS]
    step = runs(9, 1)
    async with RealSite(tmp_path, **WIDE_OPEN) as site:
        number = 0
        for hostile in itertools.islice(texts, 0, None, max(1, step)):
            for posted in fields(hostile):
                number += 1
                visitor = site.visitor(f"198.{number // 62_500}.{number // 250 % 250}.{number % 250 + 1}")
                page = await visitor.open()
                site.clock.move(20)
                body = urlencode({**visitor.fill(page), **posted}, errors="surrogatepass").encode()
                headers = {"content-type": "application/x-www-form-urlencoded"}
                answer = await visitor.request("POST", "/contact", content=body, headers=headers)
                allowed = {200, 303, 403} if len(body) <= site.settings.web.fields_limit else {413}
                assert answer.status_code in allowed, hostile[:80]
            await site.later(1)
        for _ in range(50):
            if not await site.later(1):
                break
        mails = site.peer.mails
        kept = (await site.overview()).rows
    assert kept
    assert {mail.rcpt_tos for mail in mails} == {(STAFF,), (ADDRESS,)}
    for mail in mails:
        check(mail)
    proof(
        "hostile texts through every field of the form",
        posts=number,
        mails_read_at_the_peer=len(mails),
        headers_or_recipients_added=0,
    )
