from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from formwarden.demo.headers import PageHeaders


async def plain(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def strict(_request: Request) -> Response:
    return PlainTextResponse("hello", headers={"content-security-policy": "default-src 'none'"})


SITE = TestClient(PageHeaders(Starlette(routes=[Route("/", plain), Route("/strict", strict)])))


def test_every_page_has_a_strict_policy() -> None:
    headers = SITE.get("/").headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_page_with_a_policy_of_its_own_keeps_it() -> None:
    assert SITE.get("/strict").headers.get_list("content-security-policy") == ["default-src 'none'"]


def test_a_lifespan_passes_through() -> None:
    with SITE as site:
        assert site.get("/").text == "hello"
