"""A process that asks for one reply and dies at a given point, or one that comes after it and works."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from formwarden.mail.sender import Sender, SendResult
from formwarden.mail.smtp import SmtpSender
from simulation.people import Post
from simulation.world import World


class DyingSender:
    """The real relay, behind a process that is killed before the mail is sent, or after the relay took it."""

    def __init__(self, real: Sender, when: str) -> None:
        self._real = real
        self._when = when

    async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        """Send, and die."""
        if self._when == "before-send":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await self._real.send(envelope_from, recipient, data, deadline_s=deadline_s)
        if self._when == "before-commit":
            os.kill(os.getpid(), signal.SIGKILL)
        return result


async def _main(folder: Path, url: str, when: str, ahead_s: float) -> None:
    world = World(folder, seed=1, sender=DyingSender(SmtpSender(url), when), ahead_s=ahead_s)
    await world.parts.load()
    if when == "after":
        await world.parts.work.run_once()
        await world.send_due()
    else:
        await world.ask(Post(at=0.0, address="kim@gmail.com", client=7))
        if when == "before-taking":
            os.kill(os.getpid(), signal.SIGKILL)
        await world.send_due()
    await world.aclose()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])))
