"""An example served by gunicorn, as its docstring says; its own processes, a port of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.demo_site import eventually

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
PATIENCE_S = 30.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that runs."""

    url: str
    log: Path


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment a site is started with."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("FORMWARDEN_")}
    own = {f"FORMWARDEN_{key.upper()}": value for key, value in settings.items()}
    return {**others, "DJANGO_KEY": "d" * 50, **own}


@contextmanager
def gunicorn(app: str, directory: Path, settings: Mapping[str, str], *options: str) -> Iterator[Served]:
    """Serve `module:app` of the examples; ends within seconds of SIGTERM, or the test fails."""
    log = directory / "gunicorn.log"
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--config", str(HERE / "gunicorn_conf.py")]
    places = f"{EXAMPLES},{HERE.parents[1]}"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--pythonpath", places, "--graceful-timeout", "5", *options, app],
            env={**environment(settings), "HOME": str(directory)},  # newer ones put a control socket there
            cwd=directory,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Served(url=_url(process, log), log=log)
        process.terminate()
        assert process.wait(STOP_S) == 0, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    found: list[str] = []

    def listens() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        found.extend(re.findall(r"Listening at: (http://\S+)", log.read_text(encoding="utf-8")))
        return bool(found)

    eventually("gunicorn listens", listens, PATIENCE_S)
    return found[0]
