"""What the built-in receipt says, in English and Japanese: normal, with a greeting, minimal, and how to stop it."""

from collections.abc import Mapping
from typing import Final

SUBJECTS: Final[Mapping[str, str]] = {
    "en": "Auto: we received your inquiry [$reference] - $site",
    "ja": "【$site】お問い合わせを受け付けました（自動返信・受付番号 $reference）",
}
TEXTS: Final[Mapping[str, str]] = {
    "en": (
        "Your inquiry has reached $site.\n"
        "\n"
        "Reference: $reference\n"
        "Received:  $received\n"
        "\n"
        "We will answer it personally. This is an automatic message, so please do not reply to it.\n"
        "\n"
        "If you did not write to us, somebody typed your address into our form; you can ignore this mail.\n"
    ),
    "ja": (
        "$site へのお問い合わせを受け付けました。\n"
        "\n"
        "受付番号：$reference\n"
        "受付日時：$received\n"
        "\n"
        "担当者より改めてご連絡いたします。このメールは自動送信です。ご返信いただいてもお答えできません。\n"
        "\n"
        "お心当たりのない場合は、どなたかがあなたのアドレスを入力したものと思われます。このメールは破棄してください。\n"
    ),
}
GREETINGS: Final[Mapping[str, str]] = {"en": "Hello $name,\n\n", "ja": "$name\n\n"}
"""Before the text where the name slot is switched on."""

MINIMAL: Final[Mapping[str, str]] = {
    "en": (
        "$site received an inquiry from this address.\n"
        "\n"
        "Reference: $reference\n"
        "Received:  $received\n"
        "\n"
        "This is an automatic message. If you did not write to us, you can ignore it.\n"
    ),
    "ja": (
        "$site にお問い合わせがありました。\n"
        "\n"
        "受付番号：$reference\n"
        "受付日時：$received\n"
        "\n"
        "このメールは自動送信です。お心当たりのない場合は、破棄してください。\n"
    ),
}
"""Where a name was dropped because it could be more than a name (row 12): nothing that invites to read it."""

HONORIFIC: Final = " 様"  # goes with every name in Japanese
NOBODY: Final = "お客様"  # and stands in its place
STOP: Final[Mapping[str, str]] = {
    "en": "No more automatic mail to this address:\n$stop",
    "ja": "今後このアドレスに自動返信が不要な場合は、次のページで停止できます。\n$stop",
    "": "Stop: $stop",
}
"""The last line, where there is a link; `""` is for languages in which we have no sentence."""
