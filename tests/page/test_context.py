import asyncio
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden import Client
from formwarden.page.context import CURRENT, PageRequest, current_root, known, link_root, root_of


def test_outside_of_a_request_there_is_none() -> None:
    assert CURRENT.get() is None


def test_a_thread_or_task_of_the_request_writes_into_the_same_page() -> None:
    page = PageRequest(Client())
    context = copy_context()
    context.run(CURRENT.set, page)

    def renders() -> None:
        found = CURRENT.get()
        assert found is not None
        found.issued = True

    context.copy().run(renders)
    assert page.issued
    assert CURRENT.get() is None


@pytest.mark.anyio
async def test_requests_at_the_same_time_do_not_see_each_other() -> None:
    async def one(language: str) -> str:
        CURRENT.set(PageRequest(Client(), language))
        await asyncio.sleep(0)
        found = CURRENT.get()
        assert found is not None
        return found.language

    assert list(await asyncio.gather(one("ja"), one("en"))) == ["ja", "en"]


def test_a_page_is_known_while_it_is_rendered_and_no_longer() -> None:
    assert current_root() == ""
    with known(PageRequest(Client(), root="/shop")):
        assert current_root() == "/shop"
        with known(None):
            assert current_root() == ""
        assert current_root() == "/shop"
    assert CURRENT.get() is None


@pytest.mark.parametrize(
    ("root_path", "root"),
    [
        ("", ""),
        ("/", ""),
        ("//", ""),
        ("/shop", "/shop"),
        ("/shop/", "/shop"),
        ("shop", "/shop"),
        ("/a/b", "/a/b"),
        ("/弓", "/%E5%BC%93"),
        ("/a b?c#d", "/a%20b%3Fc%23d"),
        ('/"><script>', "/%22%3E%3Cscript%3E"),
        ("/\udcff", "/%3F"),
        ("//evil.example", "/evil.example"),
        ("/\\evil.example", "/%5Cevil.example"),
        ("https://evil.example", "/https%3A//evil.example"),
    ],
)
def test_a_mount_begins_links_and_never_names_a_host(root_path: str, root: str) -> None:
    assert link_root(root_path) == root


@given(root_path=st.text(max_size=20))
def test_whatever_a_mount_is_called_links_stay_on_this_host(root_path: str) -> None:
    root = link_root(root_path)
    assert root == "" or (root[0] == "/" and root[1] not in "/\\" and root.isascii() and root.isprintable())


@pytest.mark.parametrize(
    ("root_path", "mounted_at", "root"),
    [
        ("", "", ""),
        ("/shop", "/shop", "/shop"),
        ("/shop/sub", "/shop", "/shop"),  # a mount behind the middleware
        ("/shop", "", ""),
        ("/shopping", "/shop", "/shopping"),  # no part of a name is a mount: another request moved the mark
        ("/a", "/b", "/a"),
        ("", "/shop", ""),
    ],
)
def test_our_paths_lie_where_the_middleware_stands_and_not_where_the_page_does(
    root_path: str, mounted_at: str, root: str
) -> None:
    assert root_of({"root_path": root_path}, mounted_at) == root
    assert root_of({}, mounted_at) == ""
