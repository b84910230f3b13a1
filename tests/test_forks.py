"""A fork finds nothing in the middle of something."""

import threading

from formwarden.forks import Lock
from tests.test_twin import run_python


def test_a_lock_is_held_by_one_at_a_time() -> None:
    lock, counted = Lock(), 0

    def counts() -> None:
        nonlocal counted
        for _ in range(2000):
            with lock:
                before = counted
                counted = before + 1

    threads = [threading.Thread(target=counts) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == 8000


def test_loops_rest_before_files_and_files_before_locks_and_go_on_the_other_way_round() -> None:
    out = run_python(
        """
        import os
        from formwarden.forks import FILES, LOCKS, LOOPS, watch

        class Told:
            def __init__(self, name):
                self.name = name
            def before_fork(self):
                print("before", self.name, flush=True)
            def after_fork_in_parent(self):
                print("after", self.name, flush=True)
            def after_fork_in_child(self):
                pass

        told = [Told("lock"), Told("loop"), Told("file"), Told("gone")]
        for one, rank in zip(told, (LOCKS, LOOPS, FILES, FILES)):
            watch(one, rank=rank)
        del told[3], one
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        """
    )
    assert out.split("\n")[:-1] == [
        "before loop",
        "before file",
        "before lock",
        "after lock",
        "after file",
        "after loop",
    ]


def test_a_lock_that_another_thread_holds_is_waited_for_and_free_in_the_child() -> None:
    out = run_python(
        """
        import os, threading
        from formwarden.forks import Lock

        lock, held, release = Lock(), threading.Event(), threading.Event()
        order = []

        def hold():
            with lock:
                held.set()
                release.wait()
                order.append("released")

        threading.Thread(target=hold).start()
        held.wait()
        threading.Timer(0.1, release.set).start()
        child = os.fork()
        if child == 0:
            with lock:
                os._exit(0 if order == ["released"] else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        with lock:
            print("free in both")
        """
    )
    assert out.strip() == "free in both"


def test_a_lock_that_is_never_released_holds_neither_the_fork_nor_the_child() -> None:
    out = run_python(
        """
        import os, threading
        from formwarden import forks
        forks.PATIENCE_S = 0.01

        lock, held = forks.Lock(), threading.Event()

        def hold():
            with lock:
                held.set()
                threading.Event().wait()

        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        child = os.fork()
        if child == 0:
            with lock:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        print("went on")
        """
    )
    assert out.strip() == "went on"


def test_two_forks_at_once_do_not_lock_each_other() -> None:
    out = run_python(
        """
        import os, threading
        from formwarden.forks import Lock
        from formwarden.twin import BackgroundLoop

        async def nothing():
            return 1

        loop, locks = BackgroundLoop(), [Lock() for _ in range(5)]
        loop.run(nothing())

        def forks():
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    for lock in locks:
                        with lock:
                            pass
                    os._exit(loop.run(nothing()))
                _, status = os.waitpid(child, 0)
                assert os.waitstatus_to_exitcode(status) == 1

        threads = [threading.Thread(target=forks) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(loop.run(nothing()))
        """
    )
    assert out.strip() == "1"
