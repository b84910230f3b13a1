import asyncio
from contextvars import copy_context

import pytest

from formwarden import Client
from formwarden.page.context import CURRENT, PageRequest


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
