"""The same outages against the demo's own processes, as its owner sees them at /warden/."""

from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

from tests.e2e.demo_site import PASSWORD, DemoSite, eventually, page_fields
from tests.proof import Proof
from tests.servers.smtp import SmtpPeer

pytestmark = [pytest.mark.slow]
DOMAIN = "workshop-of-strings.net"
STAFF = f"staff@{DOMAIN}"
ADDRESS = "hanako.sato@gmail.com"
MESSAGE = "My cello buzzes on the open G since last week, could you have a look at it?"
MINUTE_S = 60.0
BROWSER = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept": "text/html",
    "accept-language": "en",
}


def settings(peer: SmtpPeer, **more: str) -> dict[str, str]:
    return {"smtp_url": peer.url, "site_domain": DOMAIN, "staff_address": STAFF, "min_age_s": "0", **more}


def send(site: DemoSite) -> httpx2.Response:
    with httpx2.Client(base_url=site.url, headers=BROWSER, timeout=30) as client:
        fields = page_fields(client.get("/contact").text)
        typed = {"name": "Hanako", "email": ADDRESS, "message": MESSAGE}
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": site.url}
        return client.post("/contact", content=urlencode({**fields, **typed}), headers=headers)


def owner_page(site: DemoSite) -> str:
    return httpx2.get(f"{site.url}/warden/", auth=("owner", PASSWORD), timeout=30).raise_for_status().text


def test_a_refusing_relay_is_shown_and_the_staff_get_one_mail_within_a_minute_of_its_return(proof: Proof) -> None:
    with SmtpPeer() as peer, DemoSite(settings(peer)) as site:
        peer.refuse_connections()
        assert send(site).status_code == 303
        eventually("the owner sees it", lambda: bool(site.overview().inquiries[0]["staff_note"]))
        [inquiry] = site.overview().inquiries
        assert (inquiry["state"], inquiry["staff"]) == ("done", "due")
        assert str(inquiry["staff_note"]) in owner_page(site)
        peer.listen()
        eventually("the staff's mail", lambda: site.overview().inquiries[0]["staff"] == "sent", patience_s=MINUTE_S)
        to_staff = [mail for mail in peer.mails if mail.rcpt_tos == (STAFF,)]
    assert len(to_staff) == 1
    proof("a relay that refused and came back: staff mails within a minute", mails=len(to_staff))


def test_a_broken_store_file_stops_replies_and_the_owner_sees_the_inquiry_in_the_journal(tmp_path: Path) -> None:
    store = tmp_path / "site.db"
    store.write_bytes(b"this is no database, and never was one " * 200)
    with SmtpPeer() as peer, DemoSite(settings(peer, store_url=f"sqlite:///{store}")) as site:
        assert send(site).status_code == 303
        peer.wait_for(1)
        overview, page = site.overview(), owner_page(site)
        peer.wait_until_alone()
        recipients = [mail.rcpt_tos for mail in peer.mails]
    assert recipients == [(STAFF,)]
    journal = overview.page["journal"]
    assert isinstance(journal, list)
    assert len(journal) == 1
    assert overview.page["store"]
    assert MESSAGE in page
