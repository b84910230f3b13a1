"""What an alarm says: what happened, what formwarden did, what to do next, in English and Japanese."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from formwarden.stores.ports import Alarm

SHOWN: Final = 20  # of alarms that are told together
BREAKER: Final = "breaker"
CONFIG: Final = "config"
COMPLAINT: Final = "complaint"
DRIP: Final = "drip"
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One kind of alarm in one language."""

    title: str
    did: str
    do: str


ENGLISH: Final[Mapping[str, Words]] = {
    BREAKER: Words(
        title="auto-replies are stopped: too much came back, or a provider distrusts us",
        did="It sends no auto-reply there until the time is over, then a few as a test. Nothing waits behind it. "
        "Inquiries, staff mail and the thanks page go on as before.",
        do="Run `formwarden reply status` and see /warden/ for what is being typed into the form. Where it was a "
        "mistake, `formwarden reply close GROUP` lets replies go again.",
    ),
    CONFIG: Words(
        title="a provider refuses mail because of how it is sent",
        did="It sends no auto-reply to that provider until this is mended. Inquiries and staff mail go on as before.",
        do="Ask whoever runs the mail server to set reverse DNS, SPF, DKIM and TLS right, then run "
        "`formwarden reply close GROUP`.",
    ),
    COMPLAINT: Words(
        title="somebody called an auto-reply spam",
        did="It sends this address no auto-reply any more, and lets the number of replies grow no further today.",
        do="See /warden/ whether strangers' addresses are typed into the form; `formwarden reply off` stops all "
        "replies.",
    ),
    DRIP: Words(
        title="far more new addresses than usual get auto-replies",
        did="It holds auto-replies to as many a day as were usual. Inquiries and staff mail go on as before.",
        do="See /warden/ whether these are people. If they are, or when it is over, run `formwarden reply real`; if "
        "not, leave it so, or stop all replies by `formwarden reply off`.",
    ),
    CLOSED: Words(
        title="auto-replies leave again",
        did="It sends auto-replies there as before, and counts what comes back from now on.",
        do="Nothing, if you know what was wrong; else see /warden/ for what is typed into the form.",
    ),
}
JAPANESE: Final[Mapping[str, Words]] = {
    BREAKER: Words(
        title="自動返信を止めました：宛先不明などの戻りが多いか、メール事業者に警戒されています",
        did="期限まで、その宛先への自動返信を送りません。その後、少数を試しに送ります。送信待ちはたまりません。"
        "お問い合わせの受付、担当者への通知、完了ページはこれまでどおりです。",
        do="`formwarden reply status` と /warden/ で、フォームに何が入力されているかを確認してください。"
        "誤りであれば `formwarden reply close GROUP` で再開します。",
    ),
    CONFIG: Words(
        title="送信設定を理由に、メール事業者が受信を拒否しています",
        did="直るまで、その事業者への自動返信を送りません。お問い合わせの受付と担当者への通知はこれまでどおりです。",
        do="メールサーバーの管理者に、逆引き DNS・SPF・DKIM・TLS の設定を確認してもらい、"
        "直したら `formwarden reply close GROUP` を実行してください。",
    ),
    COMPLAINT: Words(
        title="自動返信が迷惑メールとして報告されました",
        did="このアドレスへの自動返信を今後送りません。今日は自動返信の上限を増やしません。",
        do="他人のアドレスが入力されていないか /warden/ で確認してください。"
        "`formwarden reply off` で自動返信をすべて止められます。",
    ),
    DRIP: Words(
        title="初めての宛先への自動返信が、いつもよりかなり増えています",
        did="自動返信を 1 日あたり普段の件数までに抑えています。"
        "お問い合わせの受付と担当者への通知はこれまでどおりです。",
        do="本物のお問い合わせかどうか /warden/ で確認してください。本物のとき、または収まったときは "
        "`formwarden reply real`、そうでなければそのままにするか `formwarden reply off` で止めてください。",
    ),
    CLOSED: Words(
        title="自動返信を再開しました",
        did="その宛先への自動返信をこれまでどおり送り、これからの戻りを数え直します。",
        do="原因が分かっていれば、することはありません。分からなければ /warden/ で入力内容を確認してください。",
    ),
}
OTHER: Final = Words(
    title="something needs a look",
    did="It went on as safely as it can: where in doubt, no auto-reply leaves.",
    do="Run `formwarden reply status` and see /warden/.",
)
OTHER_JAPANESE: Final = Words(
    title="確認が必要です",
    did="安全な側で動作を続けています。疑わしい自動返信は送りません。",
    do="`formwarden reply status` と /warden/ で確認してください。",
)


def subject_of(kind: str, site: str, count: int) -> str:
    """Return one line that names it."""
    number = f" ({count} alarms)" if count > 1 else ""
    return f"formwarden {site}: {ENGLISH.get(kind, OTHER).title}{number}"


def text_of(kind: str, alarms: Sequence[Alarm]) -> str:
    """Return the whole, one language below the other; what stands in an alarm is given once."""
    happened = "\n".join(f"- {line_of(alarm)}" for alarm in alarms[:SHOWN])
    more = len(alarms) - SHOWN
    rest = f"\n- and {more} more / 他 {more} 件" if more > 0 else ""
    english, japanese = ENGLISH.get(kind, OTHER), JAPANESE.get(kind, OTHER_JAPANESE)
    return (
        f"What happened: {english.title}.\n{happened}{rest}\n\n"
        f"What formwarden did: {english.did}\n\nWhat to do next: {english.do}\n\n"
        f"起きたこと：{japanese.title}（詳しくは上の英文の各行）。\n\n"
        f"formwarden の対応：{japanese.did}\n\n次にすること：{japanese.do}\n"
    )


def line_of(alarm: Alarm) -> str:
    """Return one alarm on one line."""
    return f"{datetime.fromtimestamp(alarm.at, UTC):%Y-%m-%d %H:%M} UTC: {alarm.text}"
