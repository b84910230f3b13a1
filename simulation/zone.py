"""DNS for a scene, as a port: known providers, one domain that is gone, and everybody's own."""

from typing import Final

from formwarden.address.resolver import DnsAnswer, Rcode

HOSTS: Final = {
    "gmail.com": "gmail-smtp-in.l.google.com",
    "outlook.com": "outlook-com.olc.protection.outlook.com",
    "yahoo.co.jp": "mx1.mail.yahoo.co.jp",
    "docomo.ne.jp": "mfsmax.docomo.ne.jp",
}
NOWHERE: Final = (".gone.example.net", ".invalid")
ADDRESS: Final = "192.175.48.1"
TTL_S: Final = 3_600.0


class Zone:
    """Every domain has a mail host of its own, unless it is a provider's or gone."""

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:  # noqa: ARG002 - the port's
        """Answer one question."""
        if name.endswith(NOWHERE):
            return DnsAnswer(rcode=Rcode.NXDOMAIN, soa=True, ttl_s=TTL_S)
        if rdtype == "MX":
            return DnsAnswer(rcode=Rcode.OK, records=((10, HOSTS.get(name, f"mx.{name}")),), ttl_s=TTL_S)
        if rdtype == "A":
            return DnsAnswer(rcode=Rcode.OK, records=((0, ADDRESS),), ttl_s=TTL_S)
        return DnsAnswer(rcode=Rcode.OK, soa=True, ttl_s=TTL_S)
