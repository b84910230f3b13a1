import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

COMMAND = (sys.executable, "-m", "formwarden", "demo")
PATIENCE_S = 30


def environment(tmp_path: Path, **values: str) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("FORMWARDEN_")}
    return {**others, "TMPDIR": str(tmp_path), **values}


@contextmanager
def demo(tmp_path: Path, *arguments: str, **values: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the command until it says where it is; yield it with what it said."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        env=environment(tmp_path, **values),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        try:
            yield process, said
        finally:
            process.kill()


def found(said: list[str], pattern: str) -> str:
    match = re.search(pattern, "".join(said), re.MULTILINE)
    assert match is not None, "".join(said)
    return match.group(1)


def fails(tmp_path: Path, *arguments: str, **values: str) -> str:
    """Run the command to its end and return what it complained of."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(tmp_path, **values),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("formwarden-demo-*")) == []
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_with_nothing_set_and_leaves_nothing_behind(
    tmp_path: Path, workers: str, stop: signal.Signals
) -> None:
    with demo(tmp_path, "--workers", workers) as (process, said):
        site = found(said, r"^site +(\S+)/contact$")
        password = found(said, r"^owner .* password: (\S+)$")
        assert found(said, r"^mailbox +(\S+)$") == f"{site}/mailbox"
        with httpx2.Client(base_url=site, timeout=PATIENCE_S) as client:
            answer = client.get("/contact")
            assert answer.status_code == 200
            assert "server" not in answer.headers
            assert client.get("/mailbox").status_code == 200
            assert client.get("/warden/").status_code == 401
            assert client.get("/warden/?json", auth=("owner", password)).json()["store"] is None
        process.send_signal(stop)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout is not None
        assert process.stdout.read().strip() == "stopped"
    assert list(tmp_path.glob("formwarden-demo-*")) == []


@pytest.mark.slow
def test_a_password_that_is_set_is_not_printed(tmp_path: Path) -> None:
    with demo(tmp_path, FORMWARDEN_CONSOLE_PASSWORD="geheim") as (_, said):
        assert "geheim" not in "".join(said)
        url = found(said, r"^owner +(\S+)")
        assert httpx2.get(url, auth=("owner", "geheim"), timeout=PATIENCE_S).status_code == 200


@pytest.mark.slow
def test_a_port_in_use_is_said_and_nothing_is_put_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"port {port}: it is in use; choose another with --port" in fails(tmp_path, "--port", port)


@pytest.mark.slow
def test_a_host_that_is_not_ours_is_said(tmp_path: Path) -> None:
    assert "cannot listen on 192.0.2.1" in fails(tmp_path, "--host", "192.0.2.1", "--port", "0")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"FORMWARDEN_SMPT_URL": "smtp://127.0.0.1:1"}, "FORMWARDEN_SMTP_URL"),
        ({"FORMWARDEN_SECRET_KEYS": "short"}, "FORMWARDEN_SECRET_KEYS"),
        ({"FORMWARDEN_STORE_URL": "oracle://x"}, "FORMWARDEN_STORE_URL"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, values: dict[str, str], named: str) -> None:
    assert named in fails(tmp_path, "--port", "0", **values)


@pytest.mark.slow
def test_a_store_of_one_process_is_not_shared_by_several(tmp_path: Path) -> None:
    said = fails(tmp_path, "--port", "0", "--workers", "2", FORMWARDEN_STORE_URL="memory://")
    assert "memory://" in said
    assert "--workers" in said


@pytest.mark.parametrize(
    "arguments", [("--port", "70000"), ("--port", "-1"), ("--port", "http"), ("--workers", "0"), ("--workers", "x")]
)
@pytest.mark.slow
def test_arguments_out_of_range_are_refused(tmp_path: Path, arguments: tuple[str, str]) -> None:
    assert arguments[0] in fails(tmp_path, *arguments)


@pytest.mark.slow
def test_a_missing_extra_is_named_with_its_command(tmp_path: Path) -> None:
    (tmp_path / "aiosmtpd.py").write_text(
        "raise ModuleNotFoundError('No module named aiosmtpd', name='aiosmtpd')\n", encoding="utf-8"
    )
    said = fails(tmp_path, "--port", "0", PYTHONPATH=str(tmp_path))
    assert "pip install 'formwarden[demo]'" in said
