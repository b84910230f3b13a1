"""Inquiries to look at, and a desk that the page is laid upon."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from formwarden.desk.overview import Overview, Row
from formwarden.errors import StoreError
from formwarden.settings import Settings
from formwarden.stores.ports import Inquiry, State
from formwarden.submission import URLENCODED

NOW = 1_790_000_000.0
PASSWORD = "pässword"
OWNER = {"authorization": "Basic " + base64.b64encode(f"owner:{PASSWORD}".encode()).decode()}
OWN_PAGE = {**OWNER, "origin": "http://testserver", "sec-fetch-site": "same-origin"}


def inquiry(number: int = 1, *, typed: Sequence[tuple[str, str]] = (), **values: object) -> Inquiry:
    """Make an inquiry; the one with the higher number is older."""
    plain = Inquiry(
        id=number.to_bytes(16, "big"),
        receipt=f"R-{number:04d}",
        form="contact",
        state=State.HELD,
        received_at=NOW - 60 * number,
        score=6.5,
        hits={"urls": 3.0, "too_young": 3.5, "gibberish": 0.0},
        evidence={"urls": "3 links", "too_young": "1.2 s", "gibberish": "0.1"},
        facts={"traps": ["company_fax"]},
        content_type=URLENCODED,
        body=urlencode(typed or [("name", "Taro"), ("message", "Hello")]).encode(),
        note="judged: quarantine",
    )
    return replace(plain, **values)  # type: ignore[arg-type]  # the names are those of Inquiry, as each test says


class Desk:
    """Stands for the warden: it turns pages over rows in memory, and notes what it was told."""

    def __init__(self, *rows: Row | Inquiry, password: str | None = PASSWORD, **values: object) -> None:
        self._rows = tuple(Row(inquiry=row) if isinstance(row, Inquiry) else row for row in rows)
        self._plain = replace(
            Overview(rows=(), after=None, journal=(), faults=(), store=None, replies_off=False, now=NOW),
            **values,  # type: ignore[arg-type]  # the names are those of Overview, as each test says
        )
        self._settings = Settings.only(console_password=password)
        self.told: list[tuple[str, bytes | bool]] = []
        self.moves = True
        self.down = False

    @property
    def settings(self) -> Settings:
        return self._settings

    async def overview(self, *, limit: int, after: str | None, states: frozenset[State]) -> Overview:
        found = [row for row in self._rows if not states or row.inquiry.state in states]
        start = int(after or 0)
        end = start + limit
        return replace(self._plain, rows=tuple(found[start:end]), after=str(end) if end < len(found) else None)

    async def release(self, inquiry: bytes, /) -> bool:
        return self._note("release", inquiry)

    async def release_reply(self, inquiry: bytes, /) -> bool:
        return self._note("reply", inquiry)

    async def discard(self, inquiry: bytes, /) -> bool:
        return self._note("discard", inquiry)

    async def switch_replies(self, on: bool, /) -> None:  # noqa: FBT001 - the warden's own signature
        self._note("replies", on)

    async def call_real(self) -> bool:
        return self._note("real", b"")

    def _note(self, what: str, about: bytes | bool) -> bool:  # noqa: FBT001 - what it was told
        if self.down:
            raise StoreError("disk full")
        self.told.append((what, about))
        return self.moves
