"""The second chance: what is doubted is kept, and asked for once more, in every framework (DESIGN, The ask page)."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from formwarden import Answer, AskPage, GuardedForm, Standing, StoreError
from formwarden.bodies import parse_body
from formwarden.stores.ports import State
from tests.page.elements import Elements
from tests.sites import ADDRESS, BROWSER, MESSAGE, Page, Site, Visitor, evidence, read_page
from tests.web.frameworks import FRAMEWORKS, FastApiSite, Framework, StarletteSite, closing

Make = Callable[..., Framework]
Files = Mapping[str, tuple[str, bytes, str]]
BYTES = bytes(range(256)) * 40 + b"\r\n--xyz--\r\n"
FILE: Files = {"photo": ("弓.png", BYTES, "image/png")}
OTHER_FILE: Files = {"photo": ("other.png", b"\x89PNG other", "image/png")}
DOUBTED = "taro@nagoya-bow.jp"
FOREIGN = {**BROWSER, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}


@pytest.fixture(params=FRAMEWORKS, ids=lambda kind: kind.__name__)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    with closing() as sites:

        def made(form: GuardedForm | None = None, setting: Mapping[str, object] | None = None) -> Framework:
            site: Framework = request.param(tmp_path, form, setting=setting)
            sites.append(site)
            return site

        yield made


@pytest.fixture
def site(make: Make) -> Framework:
    return make()


async def quick(site: Site, visitor: Visitor, files: Files | None = None) -> httpx2.Response:
    """Send sooner than a person can."""
    return await visitor.send(await visitor.open(), after_s=1.0, files=files)


async def stale(site: Site, visitor: Visitor) -> httpx2.Response:
    return await visitor.send(await visitor.open(), after_s=86_401)


async def rotated(site: Site, visitor: Visitor) -> httpx2.Response:
    old = Site(site.journal_path.parent, settings={"secret_keys": "o" * 40})
    return await visitor.send(await old.visitor().open())


async def other_form(site: Site, visitor: Visitor) -> httpx2.Response:
    return await visitor.send(await visitor.open("/order"))


async def replayed(site: Site, visitor: Visitor) -> httpx2.Response:
    page = await visitor.open()
    await site.visitor("1.2.3.4").send(page, {"email": "somebody@gmail.com", "message": "An altogether other matter."})
    return await visitor.send(page)


async def tampered(site: Site, visitor: Visitor) -> httpx2.Response:
    page = await visitor.open()
    return await visitor.send(page, {"_fw_token": f"{page.token[:-2]}xx"})


async def cross_site(site: Site, visitor: Visitor) -> httpx2.Response:
    page = await visitor.open()
    site.clock.move(20)
    foreign = site.visitor(headers=FOREIGN)
    return await foreign.post(foreign.fill(page) | {"_fw_token": ""})


async def doubted(site: Site, visitor: Visitor) -> httpx2.Response:
    site.resolver.gone.add("nagoya-bow.jp")
    return await visitor.send(await visitor.open(), {"email": DOUBTED})


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One reason to ask: how it comes about, the words for it, and how far the answer is trusted."""

    provoke: Callable[[Site, Visitor], "object"]
    words: str
    standing: Standing


CAUSES = {
    "too young": Cause(provoke=quick, words="That was very quick", standing=Standing.SHOWN),
    "stale": Cause(provoke=stale, words="The page was open for a long time", standing=Standing.SHOWN),
    "rotated": Cause(provoke=rotated, words="The page was open for a long time", standing=Standing.SHOWN),
    "other form": Cause(provoke=other_form, words="the page of another form", standing=Standing.DOUBTFUL),
    "replayed": Cause(provoke=replayed, words="has been sent before", standing=Standing.DOUBTFUL),
    "tampered": Cause(provoke=tampered, words="did not arrive as we made it", standing=Standing.DOUBTFUL),
    "cross-site": Cause(provoke=cross_site, words="a page of another site", standing=Standing.DOUBTFUL),
    "address": Cause(provoke=doubted, words=f"Mail to “{DOUBTED}” may not arrive", standing=Standing.DOUBTFUL),
}
