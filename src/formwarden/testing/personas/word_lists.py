"""Lists of words by name, from lines that begin with the name; a line with a comma has phrases."""

from collections.abc import Mapping


def word_lists(text: str) -> Mapping[str, tuple[str, ...]]:
    """Read the lists; several lines of one name make one list."""
    lists: dict[str, tuple[str, ...]] = {}
    for line in text.strip().splitlines():
        name, _, words = line.partition(":")
        found = [each.strip() for each in words.split(",")] if "," in words else words.split()
        lists[name] = (*lists.get(name, ()), *filter(None, found))
    return lists
