"""Starlette's TestClient, with a lifespan and without: each request in a loop of its own, and nothing hangs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from formwarden import Settings, Verdict, Warden
from tests.e2e.demo_site import eventually, page_fields
from tests.sites import (
    ADDRESS,
    BROWSER,
    DOMAIN,
    IP,
    MESSAGE,
    STAFF,
    URL,
    RecordingSender,
    ScriptedResolver,
    Site,
    contact,
    evidence,
)


class OwnSite(Site):
    """The usual site with a store on disk and the clock of this machine; its periodic work runs by itself."""

    def __init__(self, tmp_path: Path) -> None:
        self.verdicts: list[Verdict] = []
        self.requests: list[Request] = []
        self.endpoint = self.answers
        self.sender = RecordingSender()
        self.settings = Settings.only(
            secret_keys="k" * 40,
            site_domain=DOMAIN,
            staff_address=STAFF,
            smtp_url="smtp://127.0.0.1:1",
            store_url=f"sqlite:///{tmp_path}/fw.db",
            weights="too_young=0",
            quarantine=100,  # the same person writes again and again
            reject=100,
        )
        self.warden = Warden(contact(), settings=self.settings, resolver=ScriptedResolver(), sender=self.sender)
        self.app = self._app()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = OwnSite(tmp_path)
    yield site
    site.warden.sync.close()


def client_of(site: Site) -> TestClient:
    return TestClient(site.app, base_url=URL, headers=dict(BROWSER), follow_redirects=False, client=(IP, 4711))


def send(client: TestClient, number: int) -> None:
    """Fill in the form and post it, as a person does."""
    fields = page_fields(client.get("/contact").text)
    typed = {"name": "Taro", "email": ADDRESS, "message": f"{MESSAGE} ({number})"}
    answer = client.post("/contact", data={**fields, **typed, "_fw_seen": evidence(fields["_fw_token"])})
    assert answer.status_code == 303, answer.text
    assert f"({number})" in client.get(answer.headers["location"]).text


def test_without_a_lifespan_requests_are_taken_and_the_work_goes_on(site: Site) -> None:
    client = client_of(site)
    for number in range(3):
        send(client, number)
    eventually("the mails have left", lambda: len(site.sender.to(STAFF)) == 3)


def test_with_a_lifespan_requests_are_taken_and_the_work_goes_on(site: Site) -> None:
    with client_of(site) as client:
        for number in range(3):
            send(client, number)
        eventually("the mails have left", lambda: len(site.sender.to(STAFF)) == 3)


def test_both_ways_one_after_the_other_in_one_process(site: Site) -> None:
    number = 0
    for _ in range(2):
        send(client_of(site), number)
        with client_of(site) as client:
            send(client, number + 1)
            with client_of(site) as inner:  # as a fixture within a fixture does
                send(inner, number + 2)
            send(client, number + 3)
        send(client_of(site), number + 4)
        number += 5
    eventually("the mails have left", lambda: len(site.sender.to(STAFF)) == number)
