"""Whatever a visitor brings along, drawn from a seed: the same generators serve bots and people.

What tells them apart can then only be what they do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from formwarden.testing.personas import english, japanese
from formwarden.testing.personas.chance import Chance
from formwarden.testing.personas.headers import BROWSERS, LANGUAGES, Browser

ENGLISH: Final = "en"
JAPANESE: Final = "ja"
ANYBODY: Final = ("*.invalid",)  # no mail ever arrives there (RFC 2606)
NEWEST_NETWORK: Final = 511  # of 198.18.0.0/15, whose addresses nobody has (RFC 2544)
_PATTERNS: Final = ("{given}.{family}", "{given}{family}", "{first}{family}", "{family}.{given}", "{family}_{first}")


class Length(StrEnum):
    """How much somebody writes."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


SENTENCES: Final = {Length.SHORT: (1, 2), Length.MEDIUM: (3, 5), Length.LONG: (7, 11)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """How somebody is called, and how that is spelled in addresses."""

    written: str
    given: str
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody, person or program: what is typed, and the browser that says it sends it."""

    language: str
    name: str
    address: str
    message: str
    browser: Browser


class Draw(Chance):
    """Draws visitors, and each thing of theirs.

    `domains` are where their addresses are: `*.` before one puts a name of its own before each. They must be the
    caller's, reserved, or played on loopback (G37). `languages` are those they write, `ja` and others as English.
    """

    def __init__(
        self, seed: int | str, *, domains: Sequence[str] = ANYBODY, languages: Sequence[str] = (ENGLISH, JAPANESE)
    ) -> None:
        if not domains or not languages:
            raise ValueError("Draw needs at least one domain for addresses and one language")
        super().__init__(seed)
        self.domains = tuple(domains)
        self.languages = tuple(languages)

    def apart(self, name: str) -> "Draw":
        """Return a draw of its own, by a name."""
        return Draw(f"{self._seed}/{name}", domains=self.domains, languages=self.languages)

    def visitor(self, language: str | None = None, length: Length | None = None) -> Visitor:
        """Draw somebody who writes something."""
        language = language or self.one(self.languages)
        name = self.called(language)
        return Visitor(
            language=language,
            name=name.written,
            address=self.address(name),
            message=self.text(language, length),
            browser=self.browser(language),
        )

    def name(self, language: str | None = None) -> str:
        """Draw a name as it is written."""
        return self.called(language or self.one(self.languages)).written

    def called(self, language: str) -> Name:
        """Draw a name, with what addresses make of it."""
        if language == JAPANESE:
            family, given = self.one(japanese.FAMILY), self.one(japanese.GIVEN)
            return Name(
                written=self.one((" ", "　", "")).join((family[0], given[0])), given=given[1], family=family[1]
            )
        given_name, family_name = self.one(english.NAMES["given"]), self.one(english.NAMES["family"])
        written = f"{given_name} {family_name}"
        return Name(written=written, given=given_name.lower(), family=family_name.lower())

    def address(self, name: Name | None = None) -> str:
        """Draw an address; for a name, or for any."""
        name = name or self.called(self.one(self.languages))
        pattern = self.one(_PATTERNS)
        local = pattern.format(given=name.given, family=name.family, first=name.given[0])
        return f"{local}{self._digits()}@{self.domain()}"

    def domain(self) -> str:
        """Draw a domain for an address."""
        domain = self.one(self.domains)
        if not domain.startswith("*."):
            return domain
        return (
            f"{self.one(english.WORDS['thing'])}-{self.one(english.WORDS['work'])}-{self.number(1, 9999)}{domain[1:]}"
        )

    def text(self, language: str | None = None, length: Length | None = None) -> str:
        """Compose a message in a language and of a length, or in any and of any."""
        language = language or self.one(self.languages)
        parts = japanese if language == JAPANESE else english
        low, high = SENTENCES[length or self.one((Length.SHORT, Length.MEDIUM, Length.MEDIUM, Length.LONG))]
        sentences = [self._sentence(each, language) for each in self.some(parts.SENTENCES, self.number(low, high))]
        body = ("" if language == JAPANESE else " ").join(sentences)
        opening, closing = self.one(parts.OPENINGS), self.one(parts.CLOSINGS)
        return self.one(("\n", "\n\n")).join(each for each in (opening, body, closing) if each)

    def browser(self, language: str) -> Browser:
        """Draw a browser set to a language."""
        languages = LANGUAGES.get(language, LANGUAGES[ENGLISH])
        return replace(self.one(BROWSERS), languages=self.one(languages))

    def network(self) -> str:
        """Draw the network address of a client, of those reserved for measurements: nobody's."""
        network = self.number(0, NEWEST_NETWORK)
        return f"198.{18 + network // 256}.{network % 256}.{self.number(1, 254)}"

    def _sentence(self, template: str, language: str) -> str:
        parts = japanese if language == JAPANESE else english
        text, at = [], 0
        while (start := template.find("{", at)) >= 0:
            end = template.index("}", start)
            text += [template[at:start], self._word(template[start + 1 : end], parts.WORDS, parts.WORDS_FROM)]
            at = end + 1
        return _with_article("".join((*text, template[at:])))

    def _word(self, slot: str, words: Mapping[str, Sequence[str]], numbers: Mapping[str, tuple[int, int]]) -> str:
        if slot == "a":
            return slot
        if slot in numbers:
            return str(self.number(*numbers[slot]))
        word = self.one(words[slot.lower()])
        return word[0].upper() + word[1:] if slot[0].isupper() else word

    def _digits(self) -> str:
        return str(self.number(1, 9_999)) if self.happens(0.7) else ""


def _with_article(sentence: str) -> str:
    """Write `an` before a vowel."""
    words = sentence.split(" ")
    vowels = [*(word[:1] in "aeiouAEIOU" for word in words[1:]), False]
    return " ".join(f"{word}n" if word == "a" and vowel else word for word, vowel in zip(words, vowels, strict=True))
