"""Addresses from standard input, one a line, whatever else is in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import Thread
from typing import BinaryIO, Final

MAX_LINE: Final = 4096  # bytes; 320 characters are the longest address, and a character has four bytes at most
BOM: Final = "\ufeff"  # some editors begin a file with it
COMMENT: Final = "#"


async def address_lines(source: BinaryIO) -> AsyncIterator[str]:
    """Give the lines that are neither blank nor comments, trimmed; a line too long is cut and stays too long.

    Reads in a thread: whoever writes may take his time, and what was read before is answered meanwhile.
    """
    while line := await _in_thread(source):
        # Bytes that are no UTF-8 become halves of characters, which no address has.
        text = line.decode("utf-8", "surrogateescape").strip().removeprefix(BOM).strip()
        if text and not text.startswith(COMMENT):
            yield text


async def _in_thread(source: BinaryIO) -> bytes:
    """Read one line in a thread that nobody waits for at the end: Ctrl-C must not wait for whoever writes."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes | OSError] = asyncio.Queue()

    def read() -> None:
        try:
            line: bytes | OSError = _line(source)
        except OSError as error:
            line = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lines.put_nowait, line)

    Thread(target=read, daemon=True).start()
    line = await lines.get()
    if isinstance(line, OSError):
        raise line
    return line


def _line(source: BinaryIO) -> bytes:
    line = rest = source.readline(MAX_LINE)
    while rest and not rest.endswith(b"\n"):
        rest = source.readline(MAX_LINE)
    return line
