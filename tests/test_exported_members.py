"""What the package exports is what it lists."""

from types import ModuleType

import formwarden

LISTED = list(getattr(formwarden, "__all__", ()))


def test_the_list_is_sorted_as_ruff_sorts_it_and_names_nothing_twice() -> None:
    constants_first = sorted(set(LISTED), key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert constants_first == LISTED


def test_the_list_names_everything_that_can_be_seen_and_nothing_else() -> None:
    visible = {
        name
        for name, value in vars(formwarden).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert visible == {name for name in LISTED if not name.startswith("_")}


def test_every_exported_name_is_there_and_says_what_it_is() -> None:
    exported = {name: getattr(formwarden, name) for name in LISTED}
    assert [name for name, each in exported.items() if isinstance(each, type) and not each.__doc__] == []
