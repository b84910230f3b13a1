"""A name server in a process of its own: every domain has mail at one host, and each answer comes after a while.

It handles bytes alone: one that understood them would be what is measured. Names that begin with `gone`, and all
below `invalid`, do not exist; of those that begin with `silent` it says nothing.
"""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final

HEADER: Final = 12  # octets (RFC 1035 section 4.1.1)
FLAGS: Final = b"\x81\x80" + b"\0\1" + b"\0\1" + bytes(4)  # an answer, recursive; one question, one record
NOT_THERE: Final = b"\x81\x83" + b"\0\1" + b"\0\0" + b"\0\1" + b"\0\0"  # no such name, and one record of authority
SOA: Final = (
    b"\0\0\6\0\1" + (900).to_bytes(4, "big") + b"\0\x16\0\0" + 4 * bytes(4) + (900).to_bytes(4, "big")
)  # of the root
OWNER: Final = b"\xc0\x0c"  # the name that was asked
TTL: Final = (300).to_bytes(4, "big")
RECORDS: Final = {  # type -> its name and data
    15: ("MX", b"\0\x0a" + b"\2mx\6played\0"),
    1: ("A", ip_address("192.175.48.30").packed),
    28: ("AAAA", ip_address("2620:4f:8000::30").packed),
}


class SlowDns:
    """What the process says of itself."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.address = self._line()

    def asked(self) -> Counter[str]:
        """Return how often each type was asked since the last time."""
        if self._process.stdin is None:
            raise RuntimeError("the name server has no standard input")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Counter({rdtype: int(count) for rdtype, _, count in map(_pair, self._line().split())})

    def _line(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the name server has no standard output")
        return self._process.stdout.readline().strip()


@contextmanager
def slow_dns(delay_s: float) -> Iterator[SlowDns]:
    """Run the server while the block runs."""
    argv = [sys.executable, "-m", "bench.slow_dns", str(delay_s)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield SlowDns(process)
        finally:
            process.kill()


def _pair(text: str) -> tuple[str, str, str]:
    return text.partition("=")


class _Server(asyncio.DatagramProtocol):
    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._transport: asyncio.DatagramTransport | None = None
        self.asked: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP's own
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        end = data.index(b"\0", HEADER) + 5
        kind = data[end - 4 : end]  # type and class
        name, value = RECORDS[int.from_bytes(kind[:2], "big")]
        self.asked[name] += 1
        asked = data[HEADER:end]
        if asked[1:].startswith(b"silent"):
            return
        if asked[1:].startswith(b"gone") or asked[:-4].endswith(b"\7invalid\0"):
            answer = data[:2] + NOT_THERE + asked + SOA
        else:
            record = OWNER + kind + TTL + len(value).to_bytes(2, "big") + value
            answer = data[:2] + FLAGS + asked + record
        if self._transport is not None:
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.sendto, answer, addr)


async def main(delay_s: float) -> None:
    """Serve until standard input ends; each line there is answered with the counts."""
    server = _Server(delay_s)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    print(f"127.0.0.1:{transport.get_extra_info('sockname')[1]}", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(" ".join(f"{rdtype}={count}" for rdtype, count in server.asked.items()), flush=True)
        server.asked.clear()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
