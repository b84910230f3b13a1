"""A site in this process with every real part: SQLite on disk, SMTP and DNS on loopback. Only the clock is ours."""

from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.requests import Request

from formwarden import Settings, Verdict, Warden
from formwarden.demo.played_dns import PlayedDns
from formwarden.desk.overview import Overview, Row
from tests.clock import MovableClock
from tests.servers.smtp import SmtpPeer
from tests.sites import DOMAIN, STAFF, Site, contact


class RealSite(Site):
    """`async with` it. `peer` is the relay, `dns` the name server; both can be made to misbehave."""

    def __init__(self, tmp_path: Path, **settings: object) -> None:
        self.tmp_path = tmp_path
        self.store_path = tmp_path / "formwarden.db"
        self.clock = MovableClock()
        self.verdicts: list[Verdict] = []
        self.requests: list[Request] = []
        self.endpoint = self.answers
        self.form = contact()
        self.peer = SmtpPeer()
        self.dns = PlayedDns()
        self._more = settings

    async def __aenter__(self) -> Self:
        self.peer.__enter__()
        self.dns.start()
        own: dict[str, object] = {
            "secret_keys": "k" * 40,
            "site_domain": DOMAIN,
            "staff_address": STAFF,
            "smtp_url": self.peer.url,
            "dns_servers": self.dns.address,
            "store_url": f"sqlite:///{self.store_path}",
            "work": "cron",
        }
        self.settings = Settings.only(**(own | self._more))
        self.warden = Warden(self.form, settings=self.settings, clock=self.clock)
        self.app = self._app()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.warden.aclose()
        self.dns.stop()
        self.peer.__exit__(kind, error, traceback)

    async def rows(self) -> tuple[Row, ...]:
        """What the owner sees, newest first."""
        return (await self.overview()).rows

    async def overview(self) -> Overview:
        """Everything the owner sees."""
        return await self.warden.overview()

    async def row_of_one(self) -> Row:
        """The only inquiry there is."""
        (row,) = await self.rows()
        return row

    def mailed(self, address: str) -> int:
        """How many mails this address got."""
        return sum(mail.rcpt_tos == (address,) for mail in self.peer.mails)
