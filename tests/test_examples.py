"""The examples as their readers start them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from formwarden.demo.played_dns import PlayedDns
from tests.e2e.demo_site import page_fields
from tests.servers.smtp import SmtpPeer

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))
ASGI = ("fastapi_contact", "starlette_contact")
WSGI = ("django_contact", "flask_contact")  # served in tests/doors
LINES = 70
PATIENCE_S = 30
BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-GB,en;q=0.9",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "sec-fetch-user": "?1",
    "upgrade-insecure-requests": "1",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
}
TYPED = {"name": "Hanako", "email": "hanako@gmail.com", "message": "Do you repair violins from the twenties?"}


@contextmanager
def serving(name: str, directory: Path, settings: dict[str, str]) -> Iterator[str]:
    """Serve an example with uvicorn, as its docstring says; yield its URL."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("FORMWARDEN_")}
    command = [sys.executable, "-m", "uvicorn", "--no-proxy-headers", "--app-dir", str(EXAMPLES), "--port", "0"]
    with subprocess.Popen(
        [*command, f"{name}:app"],
        env={**others, **{f"FORMWARDEN_{key.upper()}": value for key, value in settings.items()}},
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                running = re.search(r"running on (http://\S+)", line)
                if running:
                    yield running.group(1)
                    break
            else:
                pytest.fail("".join(said))
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


def test_there_are_examples_and_each_is_read_in_a_minute() -> None:
    assert sorted(ASGI + WSGI) == NAMES
    for name in NAMES:
        assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.slow
@pytest.mark.parametrize("name", ASGI)
def test_an_example_takes_an_inquiry_and_mails_staff_and_person(name: str, tmp_path: Path) -> None:
    with SmtpPeer() as relay, PlayedDns().in_thread() as dns:
        settings = {
            "secret_keys": "k" * 40,
            "site_domain": "shop-1.played",
            "staff_address": "staff@shop-1.played",
            "smtp_url": relay.url,
            "dns_servers": dns.address,
            "weights": "too_young=0",  # this test reads and types in no time
        }
        with serving(name, tmp_path, settings) as url, httpx2.Client(base_url=url, headers=BROWSER) as browser:
            form = browser.get("/contact")
            assert form.status_code == 200
            answer = browser.post(
                "/contact",
                data={**page_fields(form.text), **TYPED},
                headers={"origin": url, "referer": f"{url}/contact"},
            )
            assert answer.status_code == 303
            thanks = browser.get(answer.headers["location"])
            assert thanks.status_code == 200
            assert TYPED["message"] in thanks.text
            assert browser.get("/thanks").status_code == 200
            mails = relay.wait_for(2)
        assert sorted(mail.rcpt_tos for mail in mails) == [("hanako@gmail.com",), ("staff@shop-1.played",)]
