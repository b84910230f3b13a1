"""A small invented world of mail domains, and the answers a name server gives about it (ruling G37).

Names of real providers are played, never contacted: their mail goes to the demo's own SMTP sink. The addresses are
those of the AS112 project (RFC 7534): globally reachable by the registries, and home of no mail server.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rrset
import dns.zone

DEFAULT_ZONE: Final = """
gmail.com.                        300 MX    5 gmail-smtp-in.l.google.com.
gmail.com.                        300 MX    10 alt1.gmail-smtp-in.l.google.com.
googlemail.com.                   300 MX    5 gmail-smtp-in.l.google.com.
*.gmail-smtp-in.l.google.com.     300 A     192.175.48.20
gmail-smtp-in.l.google.com.       300 A     192.175.48.20
gmail-smtp-in.l.google.com.       300 AAAA  2620:4f:8000::20
outlook.com.                      300 MX    5 outlook-com.olc.protection.outlook.com.
hotmail.com.                      300 MX    5 outlook-com.olc.protection.outlook.com.
*.protection.outlook.com.         300 A     192.175.48.21
*.olc.protection.outlook.com.     300 A     192.175.48.21
yahoo.com.                        300 MX    1 mta5.am0.yahoodns.net.
mta5.am0.yahoodns.net.            300 A     192.175.48.22
yahoo.co.jp.                      300 MX    10 mx1.mail.yahoo.co.jp.
mx1.mail.yahoo.co.jp.             300 A     192.175.48.23
icloud.com.                       300 MX    10 mx01.mail.icloud.com.
mx01.mail.icloud.com.             300 A     192.175.48.24
docomo.ne.jp.                     300 MX    10 mfsmax.docomo.ne.jp.
mfsmax.docomo.ne.jp.              300 A     192.175.48.25
ezweb.ne.jp.                      300 MX    10 lsean.ezweb.ne.jp.
lsean.ezweb.ne.jp.                300 A     192.175.48.26
softbank.ne.jp.                   300 MX    10 mx.softbank.ne.jp.
mx.softbank.ne.jp.                300 A     192.175.48.27

; Any name below .played is an honest shop with a registrable domain of its own: taro@shop-17.played
*.played.                         300 MX    10 mx.played.
mx.played.                        300 A     192.175.48.30
workspace.played.                 300 MX    1 smtp.google.com.
smtp.google.com.                  300 A     192.175.48.20

; The sorry ones. What is not listed does not exist: dead.com, gmial.com
null-mx.com.                      300 MX    0 .
implicit.com.                     300 A     192.175.48.31
implicit-v6.com.                  300 AAAA  2620:4f:8000::31
implicit-private.com.             300 A     10.0.0.1
web-only.com.                     300 TXT   "v=spf1 -all"
loopback.com.                     300 MX    10 mx.loopback.com.
mx.loopback.com.                  300 A     127.0.0.1
dangling.com.                     300 MX    10 mx.gone.com.
alias.com.                        300 CNAME gmail.com.
dangling-alias.com.               300 CNAME gone.com.
"""

ZoneText = str | Mapping[str, Sequence[str]]
TTL_S: Final = 300
MAX_CHAIN: Final = 8
SOA: Final = "ns.played. nobody.played. 1 3600 600 86400 60"


class PlayedZone:
    """Answers questions from one zone at the root; a name may begin with `*.` (RFC 4592)."""

    def __init__(self, zone: ZoneText) -> None:
        text = zone if isinstance(zone, str) else _as_text(zone)
        self._zone = dns.zone.from_text(
            text, origin=".", rdclass=dns.rdataclass.IN, relativize=False, check_origin=False
        )

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Follow aliases to the records asked for; a negative answer bears the SOA (RFC 2308)."""
        response = dns.message.make_response(query, recursion_available=True)
        name, rdtype = query.question[0].name, query.question[0].rdtype
        for _ in range(MAX_CHAIN):
            source = self._source(name)
            if source is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                break
            found = self._zone.get_rdataset(source, rdtype) or self._zone.get_rdataset(source, "CNAME")
            if found is None:
                break
            response.answer.append(dns.rrset.from_rdata_list(name, found.ttl, list(found)))
            if found.rdtype == rdtype:
                return response
            name = found[0].target
        response.authority.append(dns.rrset.from_text(".", 60, "IN", "SOA", SOA))
        return response

    def _source(self, name: dns.name.Name) -> dns.name.Name | None:
        """Find whose records answer: the name's own, or those of the wildcard below its closest ancestor."""
        if self._exists(name):
            return name
        parent = name.parent()
        while not self._exists(parent):
            parent = parent.parent()
        wildcard = dns.name.Name((b"*", *parent.labels))
        return wildcard if wildcard in self._zone.nodes else None

    def _exists(self, name: dns.name.Name) -> bool:
        return name == dns.name.root or any(known.is_subdomain(name) for known in self._zone.nodes)


def _as_text(zone: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"{name.rstrip('.')}. {TTL_S} {record}" for name, records in zone.items() for record in records)
