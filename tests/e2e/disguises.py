"""Texts that bots put into forms so that an auto-reply carries them on: addresses of the web, and what hides them."""

import base64
import quopri
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

# "example" and "test" in many scripts; those with a top-level domain of their own were IANA's test names
HOSTS: Final = (
    "evil.test",
    "www.evil.test",
    "例え.テスト",
    "例子.测试",
    "пример.испытание",
    "παράδειγμα.δοκιμή",
    "مثال.إختبار",
    "آزمایشی.نمونه",
    "דוגמה.טעסט",
    "उदाहरण.परीक्षा",
    "உதாரணம்.பரிட்சை",
    "ตัวอย่าง.ทดสอบ",
    "실례.테스트",
    "օրինակ.թեստ",
    "მაგალითი.ტესტი",
    "xn--r8jz45g.xn--zckzah",
    "xn--e1afmkfd.xn--80akhbyknj4f",
    "evil.com",
    "evil.li",
    "192.0.2.7",
    "[2001:db8::7]",
)


def _fullwidth(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def _mathematical(text: str) -> str:
    bold = 0x1D41A - ord("a")
    return "".join(chr(ord(each) + bold) if "a" <= each <= "z" else each for each in text)


def _circled(text: str) -> str:
    return "".join(chr(ord(each) - ord("a") + 0x24D0) if "a" <= each <= "z" else each for each in text)


def _between(mark: str) -> Callable[[str], str]:
    return mark.join


DISGUISES: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": str,
    "scheme": lambda host: f"https://{host}/a?b=c#d",
    "two slashes": lambda host: f"//{host}/",
    "back slashes": lambda host: f"\\\\{host}\\",
    "user before host": lambda host: f"https://site.example@{host}/",
    "mailto": lambda host: f"mailto:a@{host}",
    "address": lambda host: f"a@{host}",
    "markdown": lambda host: f"[your prize](http://{host})",
    "markup": lambda host: f'<a href="//{host}">your prize</a>',
    "entities": lambda host: f"http&#58;&#47;&#47;{host.replace('.', '&#46;')}",
    "percent": lambda host: quote(f"http://{host}"),
    "defanged": lambda host: f"hxxp[:]//{host.replace('.', '[.]')}",
    "in words": lambda host: f"www {host.replace('.', ' ')}",
    "dot in words": lambda host: host.replace(".", " dot "),
    "dot as a sentence": lambda host: host.replace(".", ". "),
    "full width": lambda host: _fullwidth(f"http://{host}"),
    "ideographic stop": lambda host: host.replace(".", "。"),
    "full-width stop": lambda host: host.replace(".", "．"),
    "half-width stop": lambda host: host.replace(".", "｡"),
    "middle dot": lambda host: host.replace(".", "·"),
    "katakana middle dot": lambda host: host.replace(".", "・"),
    "one dot leader": lambda host: host.replace(".", "․"),
    "stroke for a dot": lambda host: host.replace(".", "丶"),
    "fraction slash": lambda host: f"http:⁄⁄{host}⁄",
    "division slash": lambda host: f"http:∕∕{host}∕",
    "ratio for a colon": lambda host: f"http∶//{host}",
    "modifier colon": lambda host: f"http꞉//{host}",
    "turned round": lambda host: f"\u202e{host[::-1]}\u202c",
    "isolated": lambda host: f"\u2067{host}\u2069",
    "right-to-left mark": lambda host: f"\u200f{host}\u200f",
    "zero-width space": _between("\u200b"),
    "zero-width joiner": _between("\u200d"),
    "word joiner": _between("\u2060"),
    "soft hyphen": _between("\u00ad"),
    "byte order mark": _between("\ufeff"),
    "variation selector": _between("\ufe0f"),
    "grapheme joiner": _between("\u034f"),
    "filler": lambda host: host.replace(".", "\u3164"),
    "combining marks": lambda host: "".join(each + "\u0336" * each.isalpha() for each in host),
    "many marks": lambda host: "".join(each + "\u0301\u0316\u0302\u0317" * each.isalpha() for each in host),
    "keycaps": lambda host: "".join(each + "\u20e3" for each in host),
    "emoji": lambda host: f"🎁 {host} 👉",
    "tags": lambda host: "🏴" + "".join(chr(0xE0000 + ord(each)) for each in host if each.isascii()),
    "mathematical": _mathematical,
    "circled": _circled,
    "decomposed": lambda host: unicodedata.normalize("NFD", host),
    "encoded word, q": lambda host: f"=?utf-8?q?{quopri.encodestring(host.encode()).decode()}=0D=0ABcc:_v@x?=",
    "encoded word, b": lambda host: f"=?utf-8?b?{base64.b64encode(host.encode()).decode()}?=",
    "header line": lambda host: f"Bob\r\nBcc: v@{host}\r\n\r\nhttp://{host}",
    "line separator": lambda host: f"Bob\u2028http://{host}",
    "next line": lambda host: f"Bob\x85http://{host}",
    "null": lambda host: f"Bob\0http://{host}",
    "private use": lambda host: f"\ue000{host}",
    "template": lambda host: f"$reference ${{site}} %s {{0}} {host}",
    "10 kB": lambda host: f"{host} " * (10_240 // (len(host) + 1)),
    "padded": lambda host: " " * 200 + host,
}
"""By name: what is done with a host."""

PLAIN_NAMES: Final = (
    *("Taro Yamada", "O'Neill-Smith", "Dr. José María", "山田 太郎", "Анна Иванова", "محمد علي", "김민지"),
    "マリー・アントワネット",
)


def corpus() -> tuple[str, ...]:
    """Return every disguise of one host, and every host in two of them."""
    own = [disguise("evil.test") for disguise in DISGUISES.values()]
    others = [DISGUISES[name](host) for host in HOSTS for name in ("plain", "scheme")]
    return tuple(dict.fromkeys((*own, *others, "www evil test", "ＷＷＷ　ｅｖｉｌ　ｔｅｓｔ")))


def drawn(seed: str, count: int) -> tuple[str, ...]:
    """Draw disguises of disguises."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    return tuple(_drawn(chance) for _ in range(count))


def _drawn(chance: random.Random) -> str:
    names: Sequence[str] = [name for name in DISGUISES if name != "10 kB"]
    text = chance.choice(HOSTS)
    for _ in range(chance.randint(1, 3)):
        text = DISGUISES[chance.choice(names)](text)[:2_000]
    return text
