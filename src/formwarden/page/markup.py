"""What goes into a guarded form: marker, token, traps, style sheet and script; nothing inline."""

from collections.abc import Sequence
from html import escape
from typing import Final

from formwarden.forms import GuardedForm
from formwarden.page.assets import Asset, Assets
from formwarden.page.texts import texts_for
from formwarden.page.traps import Trap, TrapKind
from formwarden.submission import MARKER_FIELD, TOKEN_FIELD

TRAP_BOX: Final = "fw-more"  # the class that guard.css hides and guard.js looks at
RENEW_AFTER_S: Final = 43_200  # half of what a token lives: the script then fetches a fresh one
# Password managers fill what they find; each of these is asked by its own attribute to let the field be.
LEFT_ALONE: Final = 'autocomplete="off" data-1p-ignore data-bwignore data-lpignore="true" data-form-type="other"'


class Markup(str):
    """HTML that template engines do not escape: Jinja2, MarkupSafe and Django ask for `__html__`.

    Whatever is made from it by `+`, `%` or `.format` is an ordinary text again, and is escaped.
    """

    __slots__ = ()

    def __html__(self) -> str:
        """Return it as it is: the protocol of template engines."""
        return str(self)


def render(
    form: GuardedForm,
    *,
    marker: str,
    token: str | None,
    traps: Sequence[Trap],
    assets: Assets,
    language: str,
    root: str = "",
    challenge: str | None = None,
    at_once: bool = False,
) -> Markup:
    """Return what stands inside `<form>`; without a token the script fetches one at the first interaction.

    No element has an id, so that two forms, or one form twice, stand on one page without a clash.
    `root`: where the app is mounted, as links begin. `challenge`: the work it demands (`page/effort.py`), done from
    the first interaction on, or `at_once` where somebody wrote already.
    """
    pinned = not form.cacheable
    fresh = escape(root + assets.token_path)
    work = f' data-work="{escape(challenge)}"{" data-at-once" if at_once else ""}' if challenge else ""
    parts = (
        _style(assets.guard_style, root, pinned=pinned),
        _hidden(MARKER_FIELD, marker),
        _hidden(TOKEN_FIELD, token or "", f' data-fresh="{fresh}" data-max-age="{RENEW_AFTER_S}"{work}'),
        f'<div class="{TRAP_BOX}" aria-hidden="true">',
        *(_field(trap, language) for trap in traps),
        "</div>",
        _script(assets.guard_script, root, pinned=pinned),
    )
    return Markup("\n".join(parts))


def _hidden(name: str, value: str, data: str = "") -> str:
    # autocomplete="off": browsers put old values of hidden fields back after "reload" and "back"
    return f'<input type="hidden" name="{name}" value="{escape(value)}" autocomplete="off"{data}>'


def _style(asset: Asset, root: str, *, pinned: bool) -> str:
    return f'<link rel="stylesheet" href="{escape(root + asset.url)}"{_integrity(asset, pinned=pinned)}>'


def _script(asset: Asset, root: str, *, pinned: bool) -> str:
    return f'<script src="{escape(root + asset.url)}" defer{_integrity(asset, pinned=pinned)}></script>'


def _integrity(asset: Asset, *, pinned: bool) -> str:
    """Pin the bytes, except in pages that may outlive this release: those get the current file instead (G35)."""
    return f' integrity="{escape(asset.integrity)}"' if pinned else ""


def _field(trap: Trap, language: str) -> str:
    texts = texts_for(language)
    name = escape(trap.name)
    if trap.kind is TrapKind.CHECKBOX:
        box = f'<input type="checkbox" name="{name}" value="yes" tabindex="-1" {LEFT_ALONE}>'
        return f"<label>{box} {escape(texts.leave_unticked)}</label>"
    text = f'<input type="text" name="{name}" value="" tabindex="-1" {LEFT_ALONE}>'
    return f"<label>{escape(texts.leave_empty)} {text}</label>"
