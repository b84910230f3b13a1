import base64
import json

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from formwarden.console import Console
from formwarden.console.app import PAGE_ROWS
from formwarden.console.report import as_plain
from formwarden.console.words import ENGLISH
from formwarden.stores.ports import State
from tests.console.cases import OWN_PAGE, OWNER, Desk, inquiry


def client(desk: Desk) -> TestClient:
    return TestClient(Starlette(routes=[Mount("/warden", Console(desk))]), follow_redirects=False)


def receipts(text: str) -> list[str]:
    return [line.partition(">")[2].partition("<")[0] for line in text.splitlines() if line.startswith("<h3 id=")]


def test_without_a_password_the_page_names_the_setting_that_opens_it() -> None:
    response = client(Desk(inquiry(), password=None)).get("/warden/", headers=OWNER)
    assert response.status_code == 403
    assert "FORMWARDEN_CONSOLE_PASSWORD" in response.text
    assert "R-0001" not in response.text


def test_an_empty_password_opens_nothing() -> None:
    nobody = {"authorization": "Basic " + base64.b64encode(b"owner:").decode()}
    assert client(Desk(password="")).get("/warden/", headers=nobody).status_code == 403


@pytest.mark.parametrize("path", ["/warden/", "/warden/?json", "/warden/console.css", "/warden/nothing"])
@pytest.mark.parametrize("authorization", [None, "Basic b3duZXI6d3Jvbmc="])
def test_nobody_else_reads_anything(path: str, authorization: str | None) -> None:
    headers = {"authorization": authorization} if authorization else {}
    response = client(Desk(inquiry())).get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic ")
    assert "R-0001" not in response.text


@pytest.mark.parametrize("path", ["/warden/", "/warden/?json", "/warden/console.css"])
def test_every_answer_is_kept_out_of_caches_frames_and_indexes(path: str) -> None:
    for headers in ({}, OWNER):
        answer = client(Desk(inquiry())).get(path, headers=headers)
        assert "no-store" in answer.headers["cache-control"]
        assert "noindex" in answer.headers["x-robots-tag"]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "script" not in policy


def test_the_page_has_neither_scripts_nor_inline_style() -> None:
    text = client(Desk(inquiry())).get("/warden/", headers=OWNER).text
    assert "<script" not in text
    assert "style=" not in text
    assert "<style" not in text


def test_the_page_speaks_the_readers_language() -> None:
    ours = client(Desk(inquiry()))
    assert "保留" in ours.get("/warden/", headers={**OWNER, "accept-language": "ja,en;q=0.8"}).text
    assert "held" in ours.get("/warden/", headers={**OWNER, "accept-language": "de,en;q=0.8"}).text


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [{"accept": "application/json"}, {}])
async def test_scripts_get_the_same_as_json(headers: dict[str, str]) -> None:
    desk = Desk(inquiry())
    path = "/warden/" if headers else "/warden/?json"
    response = client(desk).get(path, headers={**OWNER, **headers})
    assert response.headers["content-type"] == "application/json"
    assert response.json() == json.loads(
        json.dumps(as_plain(await desk.overview(limit=PAGE_ROWS, after=None, states=frozenset())))
    )


def test_a_lone_surrogate_in_what_was_typed_breaks_no_page() -> None:
    hostile = inquiry(
        content_type="multipart/form-data; boundary=x; charset=unicode_escape",
        body=b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--x--\r\n',
    )
    for path in ("/warden/", "/warden/?json"):
        assert client(Desk(hostile)).get(path, headers=OWNER).status_code == 200


def test_older_inquiries_are_a_link_away() -> None:
    rows = [inquiry(number) for number in range(1, PAGE_ROWS + 11)]
    ours = client(Desk(*rows))
    first = ours.get("/warden/", headers=OWNER).text
    assert receipts(first) == [row.receipt for row in rows[:PAGE_ROWS]]
    assert f'href="?after={PAGE_ROWS}"' in first
    second = ours.get(f"/warden/?after={PAGE_ROWS}", headers=OWNER).text
    assert receipts(second) == [row.receipt for row in rows[PAGE_ROWS:]]
    assert 'rel="next"' not in second


def test_one_state_may_be_asked_for_and_older_ones_of_it() -> None:
    rows = [inquiry(number, state=State.DONE) for number in range(1, PAGE_ROWS + 2)]
    text = client(Desk(inquiry(200), *rows)).get("/warden/?state=done", headers=OWNER).text
    assert receipts(text) == [row.receipt for row in rows[:PAGE_ROWS]]
    assert f'href="?state=done&amp;after={PAGE_ROWS}"' in text


def test_a_state_that_is_none_filters_nothing() -> None:
    assert receipts(client(Desk(inquiry())).get("/warden/?state=lost", headers=OWNER).text) == ["R-0001"]


@pytest.mark.parametrize("action", ["release", "discard", "reply"])
def test_a_button_acts_once_and_returns_to_the_list_as_it_was(action: str) -> None:
    desk = Desk(inquiry())
    ours = client(desk)
    response = ours.post(f"/warden/inquiries/{inquiry().id.hex()}/{action}?state=held&after=0", headers=OWN_PAGE)
    assert desk.told == [(action, inquiry().id)]
    assert response.status_code == 303
    assert response.headers["location"] == f"../../?done={action}&state=held&after=0"
    back = ours.get("/warden/" + response.headers["location"].removeprefix("../../"), headers=OWNER)
    assert ENGLISH[f"did_{action}"] in back.text


def test_a_click_that_came_too_late_says_so() -> None:
    desk = Desk(inquiry())
    desk.moves = False
    response = client(desk).post(f"/warden/inquiries/{inquiry().id.hex()}/release", headers=OWN_PAGE)
    assert response.headers["location"] == "../../?done=nothing"


@pytest.mark.parametrize("path", [f"inquiries/{inquiry().id.hex()}/release", "replies/off", "replies/real"])
def test_a_click_that_the_store_did_not_take_says_so(path: str) -> None:
    desk = Desk(inquiry())
    desk.down = True
    ours = client(desk)
    response = ours.post(f"/warden/{path}", headers=OWN_PAGE)
    assert response.status_code == 303
    assert "the store did not answer" in ours.get("/warden/?done=failed", headers=OWNER).text
    assert response.headers["location"].endswith("?done=failed")


@pytest.mark.parametrize(("switch", "on"), [("on", True), ("off", False)])
def test_g18_one_button_stops_all_replies_and_one_allows_them(switch: str, *, on: bool) -> None:
    desk = Desk()
    response = client(desk).post(f"/warden/replies/{switch}", headers=OWN_PAGE)
    assert desk.told == [("replies", on)]
    assert response.headers["location"] == "../?done=replies"


@pytest.mark.parametrize(("moves", "done"), [(True, "real"), (False, "calm")])
def test_g10_one_button_says_that_new_addresses_are_real_people(*, moves: bool, done: str) -> None:
    desk = Desk()
    desk.moves = moves
    response = client(desk).post("/warden/replies/real", headers=OWN_PAGE)
    assert desk.told == [("real", b"")]
    assert response.headers["location"] == f"../?done={done}"


@pytest.mark.parametrize(
    "path", ["inquiries/00/erase", "inquiries/zz/release", "replies/maybe", "inquiries/00/release/x"]
)
def test_an_unknown_button_does_nothing(path: str) -> None:
    desk = Desk(inquiry())
    assert client(desk).post(f"/warden/{path}", headers=OWN_PAGE).status_code == 404
    assert desk.told == []


@pytest.mark.parametrize("path", [f"inquiries/{inquiry().id.hex()}/release", "replies/off", "replies/real"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.com", "sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_post_from_another_site_does_nothing_though_the_browser_knows_the_password(
    path: str, headers: dict[str, str]
) -> None:
    desk = Desk(inquiry())
    response = client(desk).post(f"/warden/{path}", headers={**OWNER, **headers})
    assert response.status_code == 403
    assert desk.told == []


@pytest.mark.parametrize("path", [f"inquiries/{inquiry().id.hex()}/release", "replies/off", "replies/real"])
def test_a_link_or_an_image_does_nothing(path: str) -> None:
    desk = Desk(inquiry())
    assert client(desk).get(f"/warden/{path}", headers=OWN_PAGE).status_code == 405
    assert desk.told == []


def test_the_page_is_loaded_when_it_is_asked_for_and_nothing_else_is_there() -> None:
    import formwarden.console

    with pytest.raises(AttributeError, match="no attribute 'Curtain'"):
        _ = formwarden.console.Curtain
