"""What the weekly summary says, in each language; every line stands there every week, so that a change is seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryWords:
    """One language; each text names the figures it shows."""

    subject: str
    head: str
    inquiries: str
    replies: str
    off: str
    newcomers: str
    domains: str
    bounces: str
    refusal: str
    no_refusal: str
    stopped: str
    nothing_stopped: str
    until: str
    until_mended: str
    staff: str
    unknown: str
    foot: str


WORDS: Final[Mapping[Literal["en", "ja"], SummaryWords]] = MappingProxyType(
    {
        "en": SummaryWords(
            subject="Weekly summary: {came} inquiries, {held} held, {sent} auto-replies",
            head="The seven days until {until}.",
            inquiries=(
                "Inquiries: {came} came; {accepted} accepted, {held} held, {rejected} rejected, {released} released, "
                "{discarded} discarded."
            ),
            replies="Auto-replies: {sent} sent, {waiting} wait for you, {refused} refused by a relay, {without} not "
            "sent (most often: {codes}).",
            off="Auto-replies are switched off.",
            newcomers="New addresses that a reply was wanted for: {week} (before: {before} a week).",
            domains="Domains replied to, freemail apart: {domains}, {new} of them new (before: {before} a week).",
            bounces="Of {known} replies whose end is known {hard:g} came back for good; complaints: {complaints}; "
            "alarms: {alarms}.",
            refusal="The last refusal: {said}",
            no_refusal="No relay refused a reply.",
            stopped="Stopped now: {stopped}.",
            nothing_stopped="No provider is stopped.",
            until="{label} until {until}",
            until_mended="{label} until it is mended",
            staff="Staff mail that waits: {waiting}.",
            unknown="not known",
            foot="A slow rise of new addresses and domains is how strangers' addresses come in unnoticed.",
        ),
        "ja": SummaryWords(
            subject="週間まとめ：お問い合わせ {came} 件、保留 {held} 件、自動返信 {sent} 件",
            head="{until} までの 7 日間です。",
            inquiries=(
                "お問い合わせ：{came} 件（受付 {accepted}、保留 {held}、拒否 {rejected}、"
                "解放 {released}、破棄 {discarded}）。"
            ),
            replies="自動返信：送信 {sent} 件、確認待ち {waiting} 件、中継サーバーの拒否 {refused} 件、"
            "未送信 {without} 件（主な理由：{codes}）。",
            off="自動返信は停止しています。",
            newcomers="返信の対象になった新しいアドレス：{week} 件（これまでは週 {before} 件）。",
            domains=(
                "返信先のドメイン（フリーメールを除く）：{domains} 件、うち新しいもの {new} 件"
                "（これまでは週 {before} 件）。"
            ),
            bounces=(
                "結果の分かった返信 {known} 件のうち、宛先不明などで戻ったもの {hard:g} 件。"
                "苦情 {complaints} 件、警報 {alarms} 件。"
            ),
            refusal="最後の拒否：{said}",
            no_refusal="中継サーバーの拒否はありません。",
            stopped="停止中：{stopped}。",
            nothing_stopped="停止中の送信先はありません。",
            until="{label}（{until} まで）",
            until_mended="{label}（設定が直るまで）",
            staff="担当者宛てで送信待ちのメール：{waiting} 件。",
            unknown="不明",
            foot="新しいアドレスやドメインがゆっくり増えるのは、他人のアドレスが使われている兆しのことがあります。",
        ),
    }
)
