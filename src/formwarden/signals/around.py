"""Signals of what stands around the message: name, phone, subject and website fields, and links without a word."""

import re
from typing import Final

from formwarden.facts import Facts
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission

READ_CHARACTERS: Final = 300  # of a short field
MOST_BESIDE: Final = 12  # characters, not words, which not every script parts: "More..." and "see here" say nothing
LINK_CHARACTERS: Final = 400  # a longer text is no lone link
SHORTEST_GLUED: Final = 4  # letters of a name that comes again with an ending: "Ann" stands in "Anna"
LONGEST_ENDING: Final = 4
FAMILY_ENDINGS: Final = frozenset(  # John Johnson, Ivan Ivanov and Martin Martinez are people
    ["s", "son", "sen", "sson", "ssen", "ov", "ova", "ev", "eva", "off", "in", "ina", "ez", "es", "i", "er", "an"]
) | frozenset(["ian", "yan", "ski", "sky", "ic", "ich", "vic", "o", "a", "e", "y", "ton", "man", "ini", "elli"])
SIX_DIGITS: Final = 6
LONGEST_HOST: Final = 60  # characters of a search engine's address
PROBE_CHARACTERS: Final = 80
FEWEST_TAG_DIGITS: Final = 2

_LINK: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SEARCH_ENGINES: Final = ("google.", "bing.com", "yahoo.", "duckduckgo.com", "yandex.", "baidu.com")
_PRICE: Final = re.compile(  # "I wanted to know your price", in languages that the same probe was seen in
    r"know your price|your price\b|tu precio|su precio|o seu preço|votre prix|ihren preis|il tuo prezzo|jouw prijs|"
    r"вашу цену|twoją cenę|fiyatınızı",
    re.IGNORECASE,
)
_NUMBER_FIELD: Final = re.compile("phone|tel|subject|title", re.IGNORECASE)
_WEBSITE_FIELD: Final = re.compile("website|url|homepage|site", re.IGNORECASE)
_GLUED: Final = re.compile("[a-z]{3}[A-Z]{2}$")  # "JohnsonAB": an ending against filters of repeated names


@signal(weight=3.5, group="content")
def bare_link(_submission: Submission, facts: Facts) -> Evidence | None:
    """The message is a link to another site and hardly a word."""
    text = " ".join([value for name, value in facts.typed.pairs if name in facts.roles.message])
    if len(text) > LINK_CHARACTERS or ("://" not in text and "www." not in text.lower()):
        return None
    rest = _LINK.sub(" ", text)
    domain = facts.roles.site_domain
    if rest == text or "?" in rest or (domain and domain.lower() in text.lower()):
        return None
    return Evidence(text="a link and hardly a word") if len("".join(rest.split())) <= MOST_BESIDE else None


@signal(weight=2.0, group="content")
def name_suffix(_submission: Submission, facts: Facts) -> Evidence | None:
    """The name bears an ending that is no part of it."""
    for name in facts.typed.all(facts.roles.person):
        words = name[:READ_CHARACTERS].split()
        if any(_GLUED.search(word) for word in words):
            return Evidence(text="capitals glued to the name")
        if len(words) == 2 and _is_grown(*words):  # noqa: PLR2004 - first name and last name
            return Evidence(text="the name twice, once with an ending")
    return None


@signal(weight=1.5, group="content")
def six_digits(_submission: Submission, facts: Facts) -> Evidence | None:
    """A subject or phone field holds six digits and nothing else, as programs fill in."""
    apart = (facts.roles.person, facts.roles.address, *facts.roles.message)
    found = any(
        value.isascii() and value.isdigit()
        for name, value in facts.typed.pairs
        if len(value) == SIX_DIGITS and name not in apart and _NUMBER_FIELD.search(name)
    )
    return Evidence(text="six digits") if found else None


@signal(weight=2.0, group="content")
def search_engine_as_website(_submission: Submission, facts: Facts) -> Evidence | None:
    """The sender's website is said to be a search engine."""
    for name, value in facts.typed.pairs:
        if len(value) > LONGEST_HOST or "." not in value or not _WEBSITE_FIELD.search(name):
            continue
        host = value.strip().lower().rpartition("://")[2].removeprefix("www.").rstrip("/")
        if "/" not in host and host.startswith(_SEARCH_ENGINES):  # with a path it may be a map or a profile
            return Evidence(text="a search engine as website")
    return None


@signal(weight=1.0, group="content")
def tag_with_digits(_submission: Submission, facts: Facts) -> Evidence | None:
    """The address bears a plus tag with digits, one of many made for many forms."""
    for address in facts.addresses:
        local = address[:READ_CHARACTERS].partition("@")[0]
        tag = local.partition("+")[2]
        if sum(letter in "0123456789" for letter in tag) >= FEWEST_TAG_DIGITS:
            return Evidence(text="digits in a plus tag")
    return None


@signal(weight=2.0, group="content")
def price_probe(_submission: Submission, facts: Facts) -> Evidence | None:
    """One short line wants to know "your price" and not of what."""
    for name in facts.roles.message:
        for value in facts.typed.all(name):
            if len(value) <= PROBE_CHARACTERS and _PRICE.search(value):
                return Evidence(text="a price of nothing named")
    return None


def _is_grown(first: str, last: str) -> bool:
    """Tell whether the last name is the first with a few letters behind it."""
    low, grown = first.lower(), last.lower()
    ending = grown.removeprefix(low)
    if len(low) < SHORTEST_GLUED or ending == grown or ending in FAMILY_ENDINGS:
        return False
    return 0 < len(ending) <= LONGEST_ENDING
