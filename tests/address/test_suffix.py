import asyncio

import publicsuffixlist
import pytest

from formwarden.address.suffix import Suffixes, guess, the_list


@pytest.fixture
async def suffixes() -> Suffixes:
    loaded = Suffixes()
    await loaded.load()
    return loaded


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("domain", "registrable"),
    [
        ("gmail.com", "gmail.com"),
        ("mail.shop.co.jp", "shop.co.jp"),
        ("a.b.city.kobe.jp", "city.kobe.jp"),
        ("MAIL.Shop.Co.Jp.", "shop.co.jp"),
        ("aqua.ocn.ne.jp", "ocn.ne.jp"),
        ("x.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("co.jp", None),
    ],
)
async def test_the_list_tells_what_one_owner_registered(
    suffixes: Suffixes, domain: str, registrable: str | None
) -> None:
    assert suffixes.loaded
    assert suffixes.registrable(domain) == registrable


@pytest.mark.anyio
async def test_many_who_load_at_once_read_the_list_once(monkeypatch: pytest.MonkeyPatch) -> None:
    the_list.cache_clear()  # as in a process that has not read it yet
    reads: list[int] = []

    class Counted(publicsuffixlist.PublicSuffixList):
        def __init__(self) -> None:
            reads.append(1)
            super().__init__()

    monkeypatch.setattr(publicsuffixlist, "PublicSuffixList", Counted)
    suffixes = Suffixes()
    await asyncio.gather(*(suffixes.load() for _ in range(4)))
    await suffixes.load()

    assert len(reads) == 1


def test_before_the_list_is_read_the_shape_of_the_name_decides() -> None:
    suffixes = Suffixes()

    assert not suffixes.loaded
    assert suffixes.registrable("mail.shop.co.jp") == "shop.co.jp"
    assert suffixes.registrable("mail.shop.com") == "shop.com"


@pytest.mark.parametrize("name", ["", "com", "co.jp", "a..com", "."])
def test_a_guess_needs_enough_labels(name: str) -> None:
    assert guess(name) is None
