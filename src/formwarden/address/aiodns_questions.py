"""Questions by aiodns; imported by `AiodnsResolver` in a thread, by nobody else."""

from collections.abc import Sequence
from typing import Final

import aiodns
import pycares
import pycares.errno

from formwarden.address.dns_resolver import DnsServer
from formwarden.address.resolver import DnsAnswer, Rcode

TRY_S: Final = 0.8  # as with dnspython
MOST_RECORDS: Final = 256  # of an answer, about as many as dnspython is given; judging thousands takes 0.1 s
TRIES: Final = 3  # c-ares counts one also where a stranger's bad bytes made it close the socket that all share
LINKS: Final = 16  # of a chain of aliases, as dnspython
FLAGS: Final = pycares.ARES_FLAG_EDNS | pycares.ARES_FLAG_NOSEARCH | pycares.ARES_FLAG_NOALIASES

# Whatever else c-ares says is BROKEN: it has one word for a truncated answer whose TCP fails and for no connection,
# and one for bytes that are no answer.
RCODES: Final = {
    pycares.errno.ARES_ENODATA: Rcode.NODATA,
    pycares.errno.ARES_ENOTFOUND: Rcode.NXDOMAIN,
    pycares.errno.ARES_ESERVFAIL: Rcode.SERVFAIL,
    pycares.errno.ARES_EREFUSED: Rcode.REFUSED,
    pycares.errno.ARES_ENOTIMP: Rcode.REFUSED,
    pycares.errno.ARES_EFORMERR: Rcode.REFUSED,
    pycares.errno.ARES_ETIMEOUT: Rcode.TIMEOUT,
}
TYPES: Final = {
    "MX": pycares.MXRecordData,
    "A": pycares.ARecordData,
    "AAAA": pycares.AAAARecordData,
    "TXT": pycares.TXTRecordData,
}


class AresQuestions:
    """One configured resolver of one event loop: no search list, no hosts file."""

    def __init__(self, servers: Sequence[DnsServer]) -> None:
        self._resolver = aiodns.DNSResolver(
            nameservers=[_written(each) for each in servers] or None, timeout=TRY_S, tries=TRIES, flags=FLAGS
        )
        self._waiting = 0

    async def ask(self, name: str, rdtype: str) -> DnsAnswer:
        """Ask one question; what c-ares raises for its own reasons becomes an answer."""
        self._waiting += 1
        try:
            result = await self._resolver.query_dns(name, rdtype)
        except aiodns.error.DNSError as error:
            return DnsAnswer(rcode=RCODES.get(error.args[0], Rcode.BROKEN))
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._resolver.cancel()  # whom nobody waits for any more: the event loop may be about to end
        return _answered(name, rdtype, result)


def _answered(name: str, rdtype: str, result: pycares.DNSResult) -> DnsAnswer:
    if len(result.answer) > MOST_RECORDS:
        return DnsAnswer(rcode=Rcode.TRUNCATED)
    aliases = {
        _text(each.name): (_text(each.data.cname), each.ttl)
        for each in result.answer
        if isinstance(each.data, pycares.CNAMERecordData)
    }
    owner, ttls = _text(name), list[int]()
    while owner in aliases and len(ttls) <= LINKS:
        owner, ttl = aliases[owner]
        ttls.append(ttl)
    if len(ttls) > LINKS:
        return DnsAnswer(rcode=Rcode.CNAME_CHAIN)
    canonical = owner if ttls else None
    found = [each for each in result.answer if _text(each.name) == owner and isinstance(each.data, TYPES[rdtype])]
    if found:
        ttl_s = float(min(ttls + [each.ttl for each in found]))
        records = tuple(_record(each.data) for each in found)
        return DnsAnswer(rcode=Rcode.OK, records=records, ttl_s=ttl_s, canonical=canonical)
    if not aliases:
        return DnsAnswer(rcode=Rcode.BROKEN)  # YXDOMAIN, and what else c-ares takes for a success
    soa = [
        min(each.ttl, each.data.minimum) for each in result.authority if isinstance(each.data, pycares.SOARecordData)
    ]
    return DnsAnswer(rcode=Rcode.NODATA, ttl_s=float(min(ttls + soa)), soa=bool(soa), canonical=canonical)


def _record(data: object) -> tuple[int, str]:
    match data:
        case pycares.MXRecordData():
            return data.priority, _text(data.exchange) or "."
        case pycares.TXTRecordData():
            return 0, data.data.decode("ascii", "replace")
        case pycares.ARecordData() | pycares.AAAARecordData():
            return 0, data.addr
    return 0, ""


def _text(name: str) -> str:
    return name.rstrip(".").lower()


def _written(server: DnsServer) -> str:
    host = f"[{server.address}]" if ":" in server.address else server.address
    return f"{host}:{server.port}"
