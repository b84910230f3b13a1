"""Signals of the texts themselves: shapes, not words. Each is linear in the length of what is scored.

What each costs on labelled texts was measured before its weight was set; none is enough alone.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from formwarden.facts import Facts
from formwarden.scoring import Evidence, signal
from formwarden.signals.letters import has_styled_letters, is_gibberish, is_mixed_word, words_of_two_scripts
from formwarden.submission import Submission

URLS_FOR_FULL: Final = 2  # beyond `max_urls`: 1.5 points each
MIXED_WORDS_FOR_FULL: Final = 2  # one may be a slip between two keyboard layouts
SLIP_STRENGTH: Final = 0.5
SAME_VALUE_FIELDS: Final = 3  # with the name: people put "nothing" into many, but not there
NAME_LIMIT: Final = 300  # characters of a name that are looked at
ADDRESS_STRENGTH: Final = 0.73  # 4 points: firms are called so, and people write their own site behind their name
SHORTEST_OWN_WORD: Final = 3  # letters by which a name is found again in its own site's address
SHORTEST_DOMAIN_LABEL: Final = 2

_WWW: Final = re.compile(r"www\.[a-z0-9]")
_MARKUP: Final = re.compile(r"<a\s|<script|\[(?:url|link)[=\]]")
_TLD_WORDS: Final = (  # endings of domains that are no endings of names: "Dr.Me", "Minh.Ly" and "St.John" are
    "com net org info biz ru cn io xyz top site online shop store club link click live pro app dev tk ml cf gq cc "
    "tv ws co uk de fr nl pl jp kr br ua kz vip win bid icu cyou buzz space website tech"
)
_TLDS: Final = frozenset(_TLD_WORDS.split())
_TLDS_WITH_PATH: Final = _TLDS | frozenset({"ly", "gl", "me", "gg", "su", "ga", "gd", "is", "it", "es", "eu", "us"})


@signal(weight=3.0, group="content")
def urls(_submission: Submission, facts: Facts) -> Evidence | None:
    """The texts hold more links than inquiries do."""
    apart = {facts.roles.person, facts.roles.address}  # `url_in_name` looks at the name
    count = sum(_count_urls(value) for name, value in _pairs(facts) if name not in apart)
    over = count - facts.limits.max_urls
    return Evidence(text=f"{count} URLs", strength=over / URLS_FOR_FULL) if over > 0 else None


@signal(weight=5.5, group="content")
def url_in_name(_submission: Submission, facts: Facts) -> Evidence | None:
    """The name holds a web address, to be carried out by the reply; a link beside other words is no name at all."""
    for name in facts.typed.all(facts.roles.person):
        head = name[:NAME_LIMIT]
        if "." not in head:
            continue
        words = head.split()
        links = [word for word in words if _count_urls(word) or _is_domain(word)]
        if any(_leads_away(link, words) for link in links):
            return Evidence(text="a link in the name")
        if links or _count_urls(head):
            return Evidence(text="a web address in the name", strength=ADDRESS_STRENGTH)
    return None


@signal(weight=3.0, group="content")
def markup(_submission: Submission, facts: Facts) -> Evidence | None:
    """The texts hold markup of web pages or forums, which a form does not render."""
    for _, value in _pairs(facts):
        if ("<" in value or "[" in value) and _MARKUP.search(value.lower()):
            return Evidence(text="a link or script in markup")
    return None


@signal(weight=5.0, group="content")
def mixed_script(_submission: Submission, facts: Facts) -> Evidence | None:
    """Words are disguised with letters of another script that look alike."""
    count = 0
    for _, value in _pairs(facts):
        if not value.isascii():
            count += sum(map(is_mixed_word, words_of_two_scripts(value)))
    if not count:
        return None
    return Evidence(text=f"{count} disguised words", strength=1.0 if count >= MIXED_WORDS_FOR_FULL else SLIP_STRENGTH)


@signal(weight=3.0, group="content")
def styled_letters(_submission: Submission, facts: Facts) -> Evidence | None:
    """Words are set in mathematical or enclosed letters, which slip through word lists."""
    found = any(not value.isascii() and has_styled_letters(value) for _, value in _pairs(facts))
    return Evidence(text="mathematical or enclosed letters") if found else None


@signal(weight=2.5, group="content")
def one_value_everywhere(_submission: Submission, facts: Facts) -> Evidence | None:
    """The same value stands in fields that ask for different things."""
    roles = facts.roles
    person = facts.typed.get(roles.person, "").strip().casefold()
    if not person:
        return None
    holders = {name for name, value in _pairs(facts) if value.strip().casefold() == person}
    if not holders.isdisjoint(roles.message):
        return Evidence(text="the name is the message")
    return Evidence(text=f"the name in {len(holders)} fields") if len(holders) >= SAME_VALUE_FIELDS else None


@signal(weight=2.0, group="content")
def gibberish(_submission: Submission, facts: Facts) -> Evidence | None:
    """A long word cannot be spoken: keys were hit at random."""
    found = any(is_gibberish(value) for name, value in _pairs(facts) if name != facts.roles.address)
    return Evidence(text="six consonants in a row") if found else None


@signal(weight=0.0, group="content")
def site_domain_in_text(_submission: Submission, facts: Facts) -> Evidence | None:
    """The message names the site's own domain, as offers sent to many sites do."""
    domain = (facts.roles.site_domain or "").lower()
    if not domain:
        return None
    named = any(domain in value.lower() for name, value in _pairs(facts) if name in facts.roles.message)
    return Evidence(text="own domain in the message") if named else None


def _pairs(facts: Facts) -> Iterator[tuple[str, str]]:
    """Give every name with every value, cut to what is scored."""
    cut = facts.limits.scored_characters
    return ((name, value[:cut]) for name, value in facts.typed.pairs)


def _count_urls(text: str) -> int:
    """Count web addresses that say they are: by scheme, or by www."""
    low = text.lower()
    count = low.count("http://") + low.count("https://") if "://" in low else 0
    if "www." not in low:
        return count
    return count + sum(_begins_word(low, found.start()) for found in _WWW.finditer(low))


def _begins_word(text: str, at: int) -> bool:
    """Tell whether no letter, slash or dot stands before: neither a groan nor a part of a link."""
    return at == 0 or not (text[at - 1].isalnum() or text[at - 1] in "/.")


def _leads_away(link: str, words: Sequence[str]) -> bool:
    """Tell whether a link that names a page, or how to get it, stands beside words that are not in it."""
    scheme, _, rest = link.lower().rpartition("://")
    if not (scheme or "/" in rest):
        return False  # a bare host: some firms are called so
    beside = [letters for word in words if word != link and (letters := "".join(filter(str.isalnum, word.lower())))]
    return bool(beside) and not any(word in link.lower() for word in beside if len(word) >= SHORTEST_OWN_WORD)


def _is_domain(word: str) -> bool:
    """Tell whether a word is a bare domain name; a mail address put into the name field is a slip, no advert."""
    if "@" in word:
        return False
    host, _, path = word.strip(".,;:!?()<>[]\"'").lower().partition("/")
    labels = host.split(".")
    if len(labels) == 1 or len(labels[-2]) < SHORTEST_DOMAIN_LABEL:
        return False
    return labels[-1] in (_TLDS_WITH_PATH if path else _TLDS)
