"""Processes of their own that start quickly: forked from one that has imported what they do, and opened nothing."""

import multiprocessing

from tests.stores.sqlite.programs import WAIT_S

FLEET = multiprocessing.get_context("forkserver")
FLEET.set_forkserver_preload(["tests.stores.sqlite.programs"])


def together(processes: list[multiprocessing.context.ForkServerProcess]) -> None:
    """Start processes and wait for their end."""
    for process in processes:
        process.start()
    for process in processes:
        process.join(WAIT_S)
        assert process.exitcode == 0
