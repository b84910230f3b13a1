"""A person on the suppression list misses nothing but the mail, and the owner can say why (G29, issue 7 line 9)."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.e2e.demo_site import DemoSite, eventually, nothing_is_due, page_fields
from tests.servers.smtp import SmtpPeer
from tests.test_examples import BROWSER

pytestmark = pytest.mark.slow

DOMAIN = "workshop-of-strings.net"
LISTED, OTHER = "hanako.sato@gmail.com", "taro.yamada@gmail.com"
WORDS = {LISTED: "Do you repair cellos from the twenties?", OTHER: "What does a new bow for a child cost?"}
REFERENCE = re.compile("FW-[0-9A-Z]{4}-[0-9A-Z]{4}")
PATIENCE_S = 30


def command(store: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `formwarden suppress` beside the site, as its owner does."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("FORMWARDEN_")}
    settings = {"FORMWARDEN_SMTP_URL": "smtp://127.0.0.1:1", "FORMWARDEN_SITE_DOMAIN": DOMAIN}
    return subprocess.run(
        [sys.executable, "-m", "formwarden", "suppress", *words, "--store", store],
        env=others | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def send(browser: httpx2.Client, url: str, address: str) -> tuple[httpx2.Response, str]:
    """Fill in the form; return the answer and the thanks page."""
    form = browser.get("/contact")
    typed = {"name": "A person", "email": address, "message": WORDS[address]}
    headers = {"origin": url, "referer": f"{url}/contact"}
    answer = browser.post("/contact", data={**page_fields(form.text), **typed}, headers=headers)
    return answer, browser.get(answer.headers["location"]).text


def test_g29_a_listed_person_has_receipt_and_copy_and_no_mail_and_why_says_so(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/site.db"
    with SmtpPeer() as relay:
        settings = {
            "store_url": store,
            "smtp_url": relay.url,
            "site_domain": DOMAIN,
            "staff_address": f"staff@{DOMAIN}",
            "weights": "too_young=0",  # this test reads and types in no time
        }
        with DemoSite(settings) as site, httpx2.Client(base_url=site.url, headers=BROWSER) as browser:
            assert command(store, "add", LISTED).returncode == 0
            (first, page), (second, other) = (send(browser, site.url, each) for each in (LISTED, OTHER))
            relay.wait_for(3)  # the staff's two, and one reply
            eventually("every reply has left", lambda: nothing_is_due(site))
            why = command(store, "why", "--offline", "--json", LISTED)
        mailed = sorted(mail.rcpt_tos[0] for mail in relay.mails)
    assert mailed == sorted([f"staff@{DOMAIN}"] * 2 + [OTHER])

    assert (first.status_code, first.content) == (second.status_code, second.content) == (303, b"")
    assert [name for name, _ in first.headers.raw] == [name for name, _ in second.headers.raw]
    assert WORDS[LISTED] in page
    assert LISTED in page
    assert masked(page, LISTED) == masked(other, OTHER)

    told = json.loads(why.stdout)
    assert why.returncode == 1
    assert [each["code"] for each in told["replies"]] == ["SUPP_MANUAL"]
    assert told["suppressed"] == [{"cause": "manual", "until": None, "domain": False}]


def masked(page: str, address: str) -> str:
    """Leave out what was typed, and the receipt's number."""
    return REFERENCE.sub("FW", page.replace(address, "").replace(WORDS[address], ""))
