"""What a digest says, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestWords:
    """One language."""

    subject: str
    head: str
    foot: str


WORDS: Final[Mapping[Literal["en", "ja"], DigestWords]] = MappingProxyType(
    {
        "en": DigestWords(
            subject="{total} inquiries are held",
            head=(
                "These inquiries are held: the site has not had them, and nobody was answered.\n"
                "One line for each campaign, {lines} at most, fewest points first: score, form, receipt, address, "
                "first words; (+3) means three more like it."
            ),
            foot=(
                "Held in all: {total} ({counts}). Rejected within the last day: {rejected}.\n"
                "Release or discard them in the console; each is told once."
            ),
        ),
        "ja": DigestWords(
            subject="保留中のお問い合わせ {total} 件",
            head=(
                "次のお問い合わせを保留しています。サイトにはまだ渡されておらず、返信もしていません。\n"
                "似たものは 1 行にまとめ、最大 {lines} 行、点数の低い順です：点数、フォーム、受付番号、アドレス、"
                "書き出し。（+3）は似たものがほかに 3 件あることを示します。"
            ),
            foot=(
                "保留の合計：{total} 件（{counts}）。この 1 日に拒否したもの：{rejected} 件。\n"
                "コンソールで解放または破棄してください。お知らせは 1 件につき 1 回です。"
            ),
        ),
    }
)
