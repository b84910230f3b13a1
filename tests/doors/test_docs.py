"""The code in docs/doors.md, run as it stands."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.doors.gunicorns import HERE, environment

TEXT = (HERE.parents[1] / "docs" / "doors.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^## (.+?)\n.*?^```python\n(.+?)^```", TEXT, re.DOTALL | re.MULTILINE))

FLASK = """
    client = app.test_client()
    page = client.get("/contact")
    assert page.headers["cache-control"] == "private, no-store"
    style = re.search(r'href="(\\S+[.]css)"', page.text)[1]
    assert client.get(style).status_code == 200
    sent = {"email": "a@shop-1.played", "message": "hello", "file": (BytesIO(b"x"), "f.txt")}
    answer = client.post("/contact", data=sent)
    assert answer.status_code == 303
    assert "hello" in client.get(answer.headers["location"]).text
    warden.sync.close()
"""
DJANGO = """
    import asyncio
    from django.conf import settings
    loader = ("django.template.loaders.locmem.Loader", {"contact.html": "<form>{{ guard }}</form>"})
    templates = {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [loader]}}
    settings.configure(ALLOWED_HOSTS=["*"], TEMPLATES=[templates])
    import django
    django.setup()
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import RequestFactory
    ask = RequestFactory()
    page = contact(ask.get("/contact"))
    style = re.search(r'href="(\\S+[.]css)"', page.content.decode())[1]
    assert serve_ours(contact)(ask.get(style)).status_code == 200
    for view in (contact, lambda request: asyncio.run(contact_async(request))):
        data = {"email": "a@shop-1.played", "message": "hello", "file": SimpleUploadedFile("f.txt", b"x")}
        answer = view(ask.post("/contact", data))
        assert answer.status_code == 303
        assert "hello" in serve_ours(contact)(ask.get(answer.headers["location"])).content.decode()
    warden.sync.close()
"""
SECOND = """
    submission = Submission("contact", {"message": "hello"})
    assert not taken(submission).accepted and rows == []
    warden.sync.close()
"""
DRIVERS = {"Flask": FLASK, "Django": DJANGO, "A second click": SECOND}


def test_there_is_code_for_every_door() -> None:
    assert set(DRIVERS) | {"A script, or anything that has fields and an address"} == set(BLOCKS)


@pytest.mark.slow
@pytest.mark.parametrize("title", sorted(BLOCKS))
def test_the_code_runs_as_it_stands(title: str, tmp_path: Path) -> None:
    driver = "import re\nfrom io import BytesIO\n" + textwrap.dedent(DRIVERS.get(title, ""))
    settings = {
        "secret_keys": "k" * 40,
        "site_domain": "shop-1.played",
        "staff_address": "staff@shop-1.played",
        "smtp_url": "smtp://127.0.0.1:1",
        "dns_servers": "127.0.0.1:1",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"{BLOCKS[title]}\n{driver}"],
        env=environment(settings),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
