from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files

import pytest

from formwarden.data import MAX_AGE, Listing, groups, listings, load, under, words

NAMES = sorted(path.name.removesuffix(".toml") for path in files("formwarden.data").iterdir() if ".toml" in path.name)


def lists(value: object) -> Iterator[tuple[object, ...]]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from lists(item)
    elif isinstance(value, tuple):
        yield value


def test_the_lists_are_there() -> None:
    assert {
        "canonical",
        "freemail",
        "parking",
        "popular",
        "privacy_relays",
        "providers",
        "roles",
        "sms_gateways",
        "special_names",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_list_says_where_it_is_from_how_old_it_is_and_who_may_use_it(name: str) -> None:
    table = load(name)

    assert isinstance(table["origin"], str)
    assert isinstance(table["date"], date)
    assert isinstance(table["licence"], str)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_in_small_letters_sorted_and_unique(name: str) -> None:
    for names in lists(load(name)):
        texts = [str(item) for item in names]

        assert texts == sorted(set(texts))
        assert all(text == text.lower().strip() and text.isascii() for text in texts)


def test_no_name_stands_twice_in_one_file() -> None:
    assert not words("freemail", "webmail") & words("freemail", "isp")
    members = [suffix for group in groups("providers", "groups").values() for suffix in group]
    assert len(members) == len(set(members))


def test_a_file_is_read_once_and_cannot_be_changed() -> None:
    assert load("roles") is load("roles")
    assert words("roles", "human") is words("roles", "human")
    assert not hasattr(load("roles"), "__setitem__")


def test_a_missing_file_or_key_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load("nothing")
    with pytest.raises(KeyError):
        words("roles", "nothing")


def test_asking_for_a_text_as_a_list_or_table_is_an_error() -> None:
    with pytest.raises(TypeError):
        words("roles", "origin")
    with pytest.raises(TypeError):
        groups("roles", "human")


def test_a_suffix_is_found_at_whole_labels_only() -> None:
    suffixes = frozenset({"google.com"})

    assert under("google.com", suffixes) == "google.com"
    assert under("aspmx.l.google.com", suffixes) == "google.com"
    assert under("evilgoogle.com", suffixes) is None
    assert under("google.com.evil.net", suffixes) is None


def test_every_file_tells_its_age_and_size() -> None:
    assert [each.name for each in listings()] == NAMES
    sizes = {each.name: each.names for each in listings()}
    assert sizes["roles"] == sum(map(len, lists(load("roles"))))
    assert min(sizes.values()) > 0


def test_a_file_is_stale_the_day_after_eighteen_months() -> None:
    listing = Listing(name="roles", checked=date(2026, 1, 1), origin="", names=1)

    assert not listing.is_stale(date(2027, 7, 3))
    assert listing.is_stale(date(2027, 7, 4))


def test_no_file_is_from_the_future_of_another() -> None:
    """One slip in a date would keep a list fresh for ever."""
    dates = sorted(each.checked for each in listings())
    assert dates[-1] - dates[0] < MAX_AGE
