"""The peers, each installed with its Django in an environment of its own, for they need different ones."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VENVS: Final = Path(__file__).parent.parent / ".venv-peers"
INSTALL_S: Final = 600.0
VERSIONS: Final = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A library that guards Django forms. `requirement`: what pip is asked for."""

    name: str
    package: str
    requirement: str
    scripts: bool  # it needs them of every visitor


PEERS: Final = (
    Peer(name="formguard", package="django-formguard", requirement="django-formguard>=0.11", scripts=True),
    Peer(name="honeypot", package="django-honeypot", requirement="django-honeypot>=1.2", scripts=False),
)


class NotInstalledError(RuntimeError):
    """A peer could not be installed; the message says what pip said."""


def python_of(peer: Peer) -> Path:
    """Return the Python of the peer's environment, made where it is missing. Raises NotInstalledError."""
    venv = VENVS / peer.name
    python = venv / "bin" / "python"
    if not _versions(peer, python):
        _run([sys.executable, "-m", "venv", "--clear", str(venv)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer.requirement])
    if not _versions(peer, python):
        raise NotInstalledError(f"{peer.package} was installed and cannot be found")
    return python


def versions(peer: Peer) -> Mapping[str, str]:
    """Return the versions of the peer and its Django."""
    return _versions(peer, VENVS / peer.name / "bin" / "python")


def _versions(peer: Peer, python: Path) -> Mapping[str, str]:
    if not python.is_file():
        return {}
    command = [str(python), "-c", VERSIONS, peer.package, "django"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    found: dict[str, str] = json.loads(ended.stdout) if ended.returncode == 0 else {}
    return found


def _run(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    if ended.returncode:
        raise NotInstalledError((ended.stderr or ended.stdout).strip().splitlines()[-1])
