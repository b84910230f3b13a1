"""What our pages say, in English and Japanese."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from formwarden.forms import GuardedForm


class AskCause(StrEnum):
    """Why another click is asked for; the first that applies is told."""

    CROSS_SITE = "cross_site"  # before the address: nothing that was typed may be displayed then (G32)
    ADDRESS = "address"
    CHALLENGE = "challenge"
    TAMPERED = "tampered"
    REPLAYED = "replayed"
    OTHER_FORM = "other_form"
    STALE = "stale"
    TOO_YOUNG = "too_young"
    OTHER = "other"


CAUSES: Final[Mapping[str, AskCause]] = {
    "address_invalid": AskCause.ADDRESS,
    "address_undeliverable": AskCause.ADDRESS,
    "cross_site_stale_page": AskCause.CROSS_SITE,
    "marker_tampered": AskCause.TAMPERED,
    "token_tampered": AskCause.TAMPERED,
    "token_replayed": AskCause.REPLAYED,
    "token_other_form": AskCause.OTHER_FORM,
    "token_rotated": AskCause.STALE,  # a new key is nothing a visitor can picture: the page is old
    "token_stale": AskCause.STALE,
    "too_young": AskCause.TOO_YOUNG,
}
"""The cause behind each signal that asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All words of one language. Only `reasons[ADDRESS]` has a slot."""

    leave_empty: str
    leave_unticked: str

    ask_title: str
    reasons: Mapping[AskCause, str]
    not_lost: str
    files_kept: str
    what_you_wrote: str
    send: str
    did_you_mean: str  # before the address
    send_with_it: str

    thanks_title: str
    thanks_text: str
    receipt: str
    keep_receipt: str

    reject_title: str
    reject_text: str
    reject_contact: str  # before the owner's own words
    reject_no_contact: str

    stop_title: str
    stop_text: str
    stop: str  # on the button
    stopped_title: str
    stopped_text: str

    roles: tuple[str, str, str]  # address, person, message
    errors: Mapping[int, tuple[str, str]]  # status: what happened, what to do
    error_else: tuple[str, str]
    error_contact: str  # before the owner's own words


ENGLISH: Final = Texts(
    leave_empty="Please leave this field empty.",
    leave_unticked="Please leave this box unticked.",
    ask_title="One more click, please",
    reasons={
        AskCause.ADDRESS: "Mail to “{address}” may not arrive: please check the address, then send.",
        AskCause.CROSS_SITE: "This came from a page of another site: please confirm that you want to send it.",
        AskCause.CHALLENGE: "We check that no program sends this: please confirm that you want to send it.",
        AskCause.TAMPERED: "The form did not arrive as we made it: please confirm that you want to send it.",
        AskCause.REPLAYED: "This form has been sent before: please confirm that you want to send it again.",
        AskCause.OTHER_FORM: "This came from the page of another form: please confirm that you want to send it here.",
        AskCause.STALE: "The page was open for a long time: please confirm that you want to send this.",
        AskCause.TOO_YOUNG: "That was very quick: please confirm that you want to send this.",
        AskCause.OTHER: "Please confirm that you want to send this.",
    },
    not_lost="Nothing is lost: what you wrote is still here.",
    files_kept="These files are kept and need not be sent again:",
    what_you_wrote="What you wrote",
    send="Send",
    did_you_mean="Did you mean this address?",
    send_with_it="Send with this address",
    thanks_title="Thank you for your message",
    thanks_text="We have received it and will get back to you.",
    receipt="Receipt number",
    keep_receipt="Please keep this number in case you need to ask about your message.",
    reject_title="We could not take this message",
    reject_text="Our protection against automated messages has stopped it. If you wrote it yourself, we are sorry.",
    reject_contact="Please reach us another way and mention the receipt number:",
    reject_no_contact="Please reach us another way and mention the receipt number.",
    stop_title="Stop automatic mail",
    stop_text="Our forms will send no automatic mail to your address any more. People here can still answer you.",
    stop="Stop",
    stopped_title="Stopped",
    stopped_text="If the mail with the link is not older than 60 days, no automatic mail goes to you any more.",
    roles=("Email", "Name", "Message"),
    errors={
        400: ("We could not read the form", "Please go back, check what you entered, and send it again."),
        408: ("Sending took too long", "Please check your connection, go back, and send it again."),
        413: ("That was too much to take", "Please go back and send a shorter text or smaller files."),
        415: ("We cannot read this kind of data", "Please use the form on our page to write to us."),
        429: ("Just a moment, please", "Many requests came from your network. Please try again in ten minutes."),
        503: ("Just a moment, please", "We are very busy. Please wait a minute, go back, and send it again."),
    },
    error_else=("Something went wrong", "Please go back and try once more."),
    error_contact="If that does not help, please reach us another way:",
)

JAPANESE: Final = Texts(
    leave_empty="この欄には何も入力しないでください。",
    leave_unticked="このチェックは入れないでください。",
    ask_title="もう一度、送信ボタンを押してください",
    reasons={
        AskCause.ADDRESS: "「{address}」にはメールが届かない可能性があります。アドレスを確認して、送信してください。",
        AskCause.CROSS_SITE: "ほかのサイトのページから届きました。送信してよろしければ、ボタンを押してください。",
        AskCause.CHALLENGE: "自動送信でないことを確認しています。送信してよろしければ、ボタンを押してください。",
        AskCause.TAMPERED: "フォームの一部が正しく届きませんでした。送信してよろしければ、ボタンを押してください。",
        AskCause.REPLAYED: "このフォームはすでに送信されています。もう一度送信する場合は、ボタンを押してください。",
        AskCause.OTHER_FORM: "別のフォームのページから届きました。送信してよろしければ、ボタンを押してください。",
        AskCause.STALE: "ページを開いてから時間がたっています。送信してよろしければ、ボタンを押してください。",
        AskCause.TOO_YOUNG: "送信までの時間がとても短かったようです。送信してよろしければ、ボタンを押してください。",
        AskCause.OTHER: "送信してよろしければ、ボタンを押してください。",
    },
    not_lost="ご入力内容は失われていません。",
    files_kept="次のファイルはお預かりしています。添付し直す必要はありません。",
    what_you_wrote="ご入力内容",
    send="送信する",
    did_you_mean="このアドレスではありませんか。",
    send_with_it="このアドレスで送信する",
    thanks_title="お問い合わせありがとうございます",
    thanks_text="お問い合わせを受け付けました。担当者よりご連絡いたします。",
    receipt="受付番号",
    keep_receipt="お問い合わせの際に必要となることがありますので、この番号をお控えください。",
    reject_title="送信を受け付けられませんでした",
    reject_text="自動送信への対策により、送信が止められました。ご本人が入力された場合は、お詫びいたします。",
    reject_contact="お手数ですが、受付番号を添えて、次の方法でご連絡ください。",
    reject_no_contact="お手数ですが、受付番号を添えて、ほかの方法でご連絡ください。",
    stop_title="自動返信を停止します",
    stop_text="今後、フォームからの自動返信はこのアドレスに届かなくなります。担当者からのご返信には影響しません。",
    stop="停止する",
    stopped_title="停止しました",
    stopped_text="メールのリンクが60日以内のものであれば、今後このアドレスに自動返信は届きません。",
    roles=("メールアドレス", "お名前", "お問い合わせ内容"),
    errors={
        400: ("フォームを読み取れませんでした", "前のページに戻り、入力内容を確認して、もう一度送信してください。"),
        408: ("送信に時間がかかりすぎました", "通信状態を確認し、前のページに戻って、もう一度送信してください。"),
        413: (
            "データが大きすぎます",
            "前のページに戻り、文章を短くするか、ファイルを小さくして、もう一度送信してください。",
        ),
        415: ("この形式は受け付けられません", "当サイトのフォームからお送りください。"),
        429: ("しばらくお待ちください", "多くの操作が続いています。10分ほど待ってから、もう一度お試しください。"),
        503: ("ただいま混み合っています", "1分ほど待ってから、前のページに戻り、もう一度送信してください。"),
    },
    error_else=("エラーが発生しました", "前のページに戻り、もう一度お試しください。"),
    error_contact="それでも送信できない場合は、次の方法でご連絡ください。",
)

TEXTS: Final[Mapping[str, Texts]] = {"en": ENGLISH, "ja": JAPANESE}


def texts_for(language: str) -> Texts:
    """Return the words of a language, English where we have none."""
    return TEXTS.get(language, ENGLISH)


def ask_cause(signals: Iterable[str], *, challenged: bool = False) -> AskCause:
    """Choose the cause to tell from the names of the signals that fired; `challenged`: in place of quarantine."""
    fired = {CAUSES[name] for name in signals if name in CAUSES} | ({AskCause.CHALLENGE} if challenged else set())
    return next((cause for cause in AskCause if cause in fired), AskCause.OTHER)


def ask_reason(cause: AskCause, language: str, *, address: str | None = None) -> str:
    """Say in one sentence why another click is asked for; a doubted address is shown."""
    reasons = texts_for(language).reasons
    if cause is not AskCause.ADDRESS:
        return reasons[cause]
    return reasons[cause].replace("{address}", address) if address else reasons[AskCause.OTHER]


def labels(form: GuardedForm, language: str) -> Mapping[str, str]:
    """Name the fields whose meaning we know; the rest keeps the name it has in the form."""
    address, person, message = texts_for(language).roles
    return {form.address: address, form.person: person} | dict.fromkeys(form.message, message)
