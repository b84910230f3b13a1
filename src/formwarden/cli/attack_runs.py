"""Runs visits side by side within the rate, and keeps what is finished when it is stopped."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

import httpx2

from formwarden.cli.attack_pace import Pace, StoppedError
from formwarden.cli.attack_site import Target, Visitors
from formwarden.cli.attack_table import Tried
from formwarden.testing.personas import Draw, Persona, Scene

AT_ONCE: Final = 24  # visitors: waiting costs a thread each, and nothing else
LOOK_S: Final = 0.2  # so soon Ctrl-C is heard
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run. `browsers`: names of the browser set."""

    target: Target
    personas: tuple[Persona, ...]
    browsers: tuple[str, ...]
    runs: int
    seed: str
    domains: tuple[str, ...]
    many: int
    forwarded: bool

    @property
    def visits(self) -> int:
        """Return how many visits that are."""
        return self.runs * (len(self.personas) + len(self.browsers))

    def draw(self, name: str, number: int) -> Draw:
        """Return what one visit draws from."""
        return Draw(f"{self.seed}/{name}/{number}", domains=self.domains)


class Attack:
    """One attack; `finished` may be read at any time."""

    def __init__(self, plan: Plan, pace: Pace, told: Told) -> None:
        self._plan = plan
        self._pace = pace
        self._told = told
        self._lock = threading.Lock()
        self._visitors = Visitors(plan.target, pace, forwarded=plan.forwarded)
        self.finished: list[Tried] = []

    def run(self) -> bool:
        """Make every visit; False: it was stopped by Ctrl-C."""
        plan = self._plan
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="attack")
        try:
            # One persona after another in each round: what is finished is finished for all of them alike.
            visits = [(persona, number) for number in range(plan.runs) for persona in plan.personas]
            jobs = {pool.submit(self._visit, persona, number) for persona, number in visits}
            if plan.browsers:
                jobs.add(pool.submit(self._browse))
            _watch(jobs)
        except KeyboardInterrupt:
            return False
        finally:
            self._pace.stop()
            pool.shutdown(cancel_futures=True)
            self._visitors.close()
        return True

    def _visit(self, persona: Persona, number: int) -> None:
        draw = self._plan.draw(persona.name, number)
        scene = self._scene(draw)
        try:
            self._add(Tried(persona=persona, sent=tuple(persona.act(scene.connect(), scene))))
        except StoppedError:
            return
        except (httpx2.HTTPError, LookupError, ValueError) as error:  # no answer, no form, or another site
            self._add(Tried(persona=persona, error=f"{type(error).__name__}: {error}"))

    def _browse(self) -> None:
        """Make all visits by browser, one after another: a browser belongs to one thread."""
        from formwarden.testing.browsers import NoFormError, Setting, browser_personas, chromium

        plan = self._plan
        setting = Setting(url=plan.target.url, forwarded=plan.forwarded, pace=self._pace.take)
        with chromium() as driven:
            chosen = [each for each in browser_personas(driven, setting) if each.name in plan.browsers]
            for number in range(plan.runs):
                for persona in chosen:
                    scene = self._scene(plan.draw(persona.name, number))
                    try:
                        self._browsed(persona, scene)
                    except StoppedError:
                        return
                    except NoFormError as error:
                        self._add(Tried(persona=persona, error=str(error)))

    def _browsed(self, persona: Persona, scene: Scene) -> None:
        from playwright.sync_api import Error

        try:
            # The client is not used by the browser set.
            self._add(Tried(persona=persona, sent=tuple(persona.act(scene.connect(), scene))))
        except Error as error:
            self._add(Tried(persona=persona, error=str(error).splitlines()[0]))

    def _scene(self, draw: Draw) -> Scene:
        return Scene(
            path=self._plan.target.path,
            draw=draw,
            wait=self._pace.wait,
            connect=lambda: self._visitors.connect(draw),
            many=self._plan.many,
        )

    def _add(self, tried: Tried) -> None:
        with self._lock:
            self.finished.append(tried)
            done = len(self.finished)
        self._told(done, self._plan.visits)


def _watch(jobs: "set[Future[None]]") -> None:
    """Wait for all, and raise what our own code raised."""
    while jobs:
        done, jobs = wait(jobs, timeout=LOOK_S, return_when=FIRST_COMPLETED)
        for each in done:
            each.result()
