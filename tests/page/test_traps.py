"""Names of traps."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.entropy import system_entropy
from formwarden.forms import GuardedForm
from formwarden.page.traps import NAMES, WEEK_S, TrapKind, Traps
from formwarden.submission import OWN_FIELDS
from formwarden.tokens import Tokens
from tests.clock import MovableClock

# Autofill tokens (HTML, section 4.10.18.7) and what browsers and password managers look for in names besides.
FILLED_BY_OTHERS = (
    "name", "mail", "tel", "phone", "mobile", "fax", "ext", "url", "web", "site", "home", "compan", "organi", "title",
    "address", "street", "line", "level", "city", "town", "state", "province", "region", "zip", "post", "country",
    "user", "login", "account", "pass", "pwd", "otp", "code", "cc", "card", "cvc", "csc", "exp", "iban", "pan", "pin",
    "bday", "birth", "date", "day", "month", "year", "sex", "gender", "lang", "photo", "impp", "nick", "given",
    "family", "first", "last", "middle", "prefix", "suffix", "amount", "currency", "number", "search", "promo",
    "ship", "bill", "subject", "message", "comment", "captcha", "honey", "trap", "bot",
)  # fmt: skip

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
ALL_NAMES = sorted(itertools.chain(*NAMES.values()))
ALL_WORDS = sorted({word for name in ALL_NAMES for word in name.split("_")})


def make(*keys: str) -> tuple[Tokens, Traps]:
    tokens = Tokens(keys, clock=MovableClock(), entropy=system_entropy)
    return tokens, Traps(tokens)


@pytest.mark.parametrize("word", ALL_WORDS)
def test_no_browser_and_no_password_manager_fills_a_field_with_this_word(word: str) -> None:
    assert not [part for part in FILLED_BY_OTHERS if part in word]


def test_every_pair_of_words_is_another_name() -> None:
    assert len(set(ALL_NAMES)) == len(ALL_NAMES)
    assert all(re.fullmatch(r"[a-z]+_[a-z]+", name) for name in ALL_NAMES)


@given(key=KEYS, form=st.text(min_size=1, max_size=20), epoch=st.integers(0, 2**32 - 1))
def test_two_traps_of_different_kinds_and_names(key: str, form: str, epoch: int) -> None:
    _, traps = make(key)
    guarded = GuardedForm("contact" if not form.isprintable() else form)
    made = traps.of(guarded, epoch=epoch)
    assert [trap.kind for trap in made] == [TrapKind.TEXT, TrapKind.CHECKBOX]
    assert len({trap.name for trap in made}) == 2
    assert not OWN_FIELDS & {trap.name for trap in made}
    assert made == traps.of(guarded, epoch=epoch)


def spelled(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name, name.upper(), name.replace("_", "-"), name.replace("_", ""), name.title()])


@given(
    key=KEYS,
    epoch=st.integers(0, 5000),
    names=st.lists(st.sampled_from(ALL_NAMES), min_size=3, max_size=8),
    data=st.data(),
)
def test_a_trap_never_bears_a_name_of_the_form_however_it_is_spelled(
    key: str, epoch: int, names: list[str], data: st.DataObject
) -> None:
    _, traps = make(key)
    free = traps.of(GuardedForm("contact"), epoch=epoch)
    used = [data.draw(spelled(name)) for name in (free[0].name, free[1].name, *names)]
    form = GuardedForm("contact", address=used[0], person=used[1], message=tuple(used[2:]))
    plain = {name.lower().replace("-", "").replace("_", "") for name in used}
    assert not plain & {trap.name.replace("_", "") for trap in traps.of(form, epoch=epoch)}


def test_a_form_that_uses_all_names_but_one_gets_that_one() -> None:
    _, traps = make("key")
    *used, last = NAMES[TrapKind.TEXT]
    form = GuardedForm("contact", message=tuple(used))
    assert traps.of(form, epoch=1)[0].name == last


def test_names_change_with_week_key_and_form() -> None:
    _, traps = make("key")
    names = {
        trap.name
        for form in ("contact", "career", "press")
        for epoch in range(20)
        for trap in traps.of(GuardedForm(form), epoch=epoch)
    }
    assert len(names) > 80
    form = GuardedForm("contact")
    assert traps.of(form, epoch=1) != make("other key")[1].of(form, epoch=1)


def test_an_epoch_is_a_week() -> None:
    _, traps = make("key")
    now = 2958 * WEEK_S
    assert traps.epoch(now) == traps.epoch(now + WEEK_S - 1) == 2958
    assert traps.epoch(now + WEEK_S) == 2959


def test_traps_of_an_old_page_are_named_again_from_its_marker() -> None:
    form = GuardedForm("contact")
    old_tokens, old_traps = make("old")
    rendered = old_traps.of(form, epoch=2958)
    tokens, traps = make("new", "old")
    marker = tokens.read_marker(old_tokens.mark("contact", 2958), "contact")
    assert traps.of(form, epoch=marker.epoch, key_id=marker.key_id) == rendered
    assert traps.of(form, epoch=2958) != rendered
    with pytest.raises(KeyError):
        make("new")[1].of(form, epoch=marker.epoch, key_id=marker.key_id)
