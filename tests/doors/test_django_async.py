"""Django's async views under uvicorn: the warden's own methods are awaited, and the blocking twin says so."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from formwarden.desk.rebuild import parsed
from formwarden.stores.ports import State
from tests.doors.gunicorns import HERE, PATIENCE_S, environment
from tests.doors.test_gunicorn import PERSON, PHOTO, STAFF, TYPED, Surroundings, kept, recipients, surroundings
from tests.e2e.demo_site import page_fields
from tests.test_examples import BROWSER

__all__ = ["surroundings"]  # the fixture

pytestmark = pytest.mark.slow


@contextmanager
def serving(directory: Path, settings: dict[str, str]) -> Iterator[str]:
    command = [sys.executable, "-m", "uvicorn", "--no-proxy-headers", "--port", "0", "--lifespan", "auto"]
    with subprocess.Popen(
        [*command, "--app-dir", str(HERE.parents[1]), "tests.doors.async_site:application"],
        env=environment(settings),
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


def test_async_views_await_and_the_twin_refuses_with_the_right_words(
    surroundings: Surroundings, tmp_path: Path
) -> None:
    relay, settings = surroundings.relay, surroundings.settings(tmp_path)
    relay.clear()
    with serving(tmp_path, settings) as url, httpx2.Client(base_url=url, headers=BROWSER, timeout=30) as browser:
        sent = {**page_fields(browser.get("/contact").text), **TYPED}
        answer = browser.post("/contact", data=sent, files={"photo": PHOTO}, headers={"origin": url})
        assert answer.is_redirect, answer.text
        assert TYPED["message"] in browser.get(answer.headers["location"]).text
        assert browser.get("/thanks").text == "the site's own"
        relay.wait_for(2)  # though Django knows no lifespan, and nobody asks for anything more
        assert recipients(relay) == [PERSON, STAFF]

        refused = browser.post("/blocking", data={"message": "from an async view"})
        assert refused.status_code == 500
        assert "running event loop" in refused.text
        assert "await warden.judge(" in refused.text
        for path in ("/thread", "/sync"):
            assert browser.post(path, data={"message": f"from {path}"}).text.startswith("FW-")
    rows = asyncio.run(kept(settings))
    (done,) = [row for row in rows if row.inquiry.state is State.DONE]
    assert parsed(done.inquiry).contents == (PHOTO[1],)
    assert len(rows) == 3
