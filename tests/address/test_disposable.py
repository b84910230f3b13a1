import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from formwarden.address.disposable import PACKAGE, Disposables, the_blocklist
from formwarden.address.flags import shared_domains
from formwarden.address.report import Flag, Status
from formwarden.address.settings import Address
from formwarden.data import words
from tests.address.played_resolver import PlayedResolver, a, checker, mx
from tests.clock import MovableClock

LISTED: Final = ("throwaway.example.net", "10minutes.com", "duck.com", "relay.firefox.com", "21cn.com")


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has not read the list yet, and finds what the test puts there."""
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    the_blocklist.cache_clear()
    yield
    the_blocklist.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same name and shape as the real one."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text(f"blocklist = {set(LISTED)!r}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the extra, whatever is installed here."""
    monkeypatch.setitem(sys.modules, PACKAGE, None)


@pytest.mark.anyio
@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("domain", "listed"),
    [
        ("10minutes.com", True),
        ("mail.10minutes.com", True),
        ("throwaway.example.net", True),
        ("example.net", False),
        ("not10minutes.com", False),
        ("10minutes.com.shop.co.jp", False),
        ("", False),
    ],
)
async def test_a_listed_domain_and_what_lies_below_it_is_known(domain: str, listed: bool) -> None:  # noqa: FBT001 - a column of the table
    disposables = Disposables()
    await disposables.load()

    assert disposables.lists(domain) is listed


@pytest.mark.anyio
@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("domain", ["duck.com", "relay.firefox.com", "x.duck.com", "21cn.com"])
async def test_a_privacy_relay_or_a_provider_is_never_disposable_whatever_the_list_says(domain: str) -> None:
    disposables = Disposables()
    await disposables.load()

    assert not disposables.lists(domain)


@pytest.mark.anyio
@pytest.mark.usefixtures("package")
async def test_what_the_site_allows_wins() -> None:
    disposables = Disposables(["10Minutes.com."])
    await disposables.load()

    assert not disposables.lists("10minutes.com")
    assert not disposables.lists("mail.10minutes.com")
    assert disposables.lists("throwaway.example.net")


@pytest.mark.anyio
@pytest.mark.usefixtures("package")
async def test_allowing_a_part_of_a_listed_domain_allows_only_that() -> None:
    disposables = Disposables(["ours.10minutes.com"])
    await disposables.load()

    assert not disposables.lists("ours.10minutes.com")
    assert disposables.lists("10minutes.com")


@pytest.mark.anyio
@pytest.mark.usefixtures("no_package")
async def test_without_the_package_nothing_is_listed() -> None:
    disposables = Disposables()
    await disposables.load()

    assert not disposables.lists("10minutes.com")


@pytest.mark.usefixtures("package")
def test_before_the_list_is_read_nothing_is_listed() -> None:
    assert not Disposables().lists("10minutes.com")


@pytest.mark.anyio
async def test_a_package_of_another_shape_lists_nothing(package: Path) -> None:
    (package / "__init__.py").write_text("blocklist = 'mailinator.com'\n", encoding="utf-8")
    disposables = Disposables()
    await disposables.load()

    assert not disposables.lists("mailinator.com")


@pytest.mark.anyio
async def test_the_real_package_knows_the_well_known_and_none_of_the_providers() -> None:
    pytest.importorskip(PACKAGE, reason="needs the extra `disposable`: pip install 'formwarden[disposable]'")
    disposables = Disposables()
    await disposables.load()

    assert len(the_blocklist()) > 5_000
    assert disposables.lists("yopmail.com")
    assert disposables.lists("mailinator.com")
    real = shared_domains() | words("popular", "domains") | words("popular", "real")
    assert [domain for domain in sorted(real) if disposables.lists(domain)] == []


@pytest.mark.anyio
@pytest.mark.usefixtures("package")
async def test_g04_a_disposable_domain_is_flagged_and_changes_no_verdict(clock: MovableClock) -> None:
    table = {("10minutes.com", "MX"): mx("mx.shop.co.jp"), ("mx.shop.co.jp", "A"): a()}
    flagged = await checker(PlayedResolver(table), clock).verify("taro@10minutes.com")
    allowed = await checker(
        PlayedResolver(table), clock, settings=Address(disposable_allowed=("10minutes.com",))
    ).verify("taro@10minutes.com")

    assert flagged.flags == {Flag.DISPOSABLE}
    assert allowed.flags == frozenset()
    assert flagged.status is allowed.status is Status.DELIVERABLE


@pytest.mark.anyio
@pytest.mark.usefixtures("package")
async def test_the_mark_needs_no_dns(clock: MovableClock) -> None:
    check = checker(PlayedResolver({}), clock, settings=Address(dns="off"))

    assert (await check.verify("taro@10minutes.com")).flags == {Flag.DISPOSABLE}


@pytest.mark.anyio
@pytest.mark.usefixtures("package")
async def test_the_sites_own_domain_is_never_disposable(clock: MovableClock) -> None:
    check = checker(PlayedResolver({}), clock, own=frozenset({"10minutes.com"}))

    assert (await check.verify("taro@10minutes.com")).flags == {Flag.OWN_DOMAIN}
