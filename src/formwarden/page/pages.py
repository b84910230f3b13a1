"""The pages a visitor may meet from us: complete, without scripts of their own, and nothing typed is ever a link."""

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Final

from formwarden.address.messages import public_message
from formwarden.forms import AskPage, GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.context import current_root
from formwarden.page.texts import Texts, labels, texts_for
from formwarden.submission import Answer, Fields

RETRY_AFTER_S: Final = 60
BUSY: Final = 503
# Machinery of the site's framework is posted again, but nobody wrote it.
_MACHINERY: Final = re.compile(r"^_|csrf|xsrf|authenticity|viewstate|token|^utm_", re.IGNORECASE)
_FORM: Final = '<form method="post" accept-charset="utf-8" novalidate>'  # no action: the same URL
_ALWAYS: Final = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'self'"
_PLAIN_POLICY: Final = f"{_ALWAYS}; form-action 'none'"
_STOP_POLICY: Final = f"{_ALWAYS}; form-action 'self'"
# our script counts on the page that asks, too, and may fetch a token
_ASK_POLICY: Final = f"{_ALWAYS}; form-action 'self'; script-src 'self'; connect-src 'self'"


class OurPages:
    """Renders ask, thanks, reject and error pages of one site."""

    def __init__(self, assets: Assets, *, site_name: str | None = None) -> None:
        self._style = assets.page_style
        self._site_name = site_name

    def ask(self, page: AskPage, form: GuardedForm, *, correct_address: bool = False) -> Answer:
        """Ask for another click. A doubted address may be corrected, unless nothing may be displayed (G32)."""
        texts = texts_for(page.language)
        editable = form.address if correct_address and len(page.shown.all(form.address)) == 1 else None
        shown = page.shown.without({editable} if editable else ())
        return self._answer(
            200,
            texts.ask_title,
            (
                f"<p>{escape(page.reason)}</p>",
                f'<p class="quiet">{escape(texts.not_lost)}</p>',
                *(_suggested(page, editable, texts) if editable and page.suggestion else ()),
                _FORM,
                *_editable(page.hidden, editable, texts.roles[0], public_message(page.language)),
                _copy(texts.what_you_wrote, shown, labels(form, page.language)),
                _files(texts.files_kept, page.files),
                *(_hidden(name, value) for name, value in page.hidden.pairs if name != editable),
                page.markup,
                f'<div class="send"><button type="submit">{escape(texts.send)}</button></div>',
                "</form>",
            ),
            language=page.language,
            policy=_ASK_POLICY,
        )

    def thanks(self, receipt: str, fields: Fields, form: GuardedForm, language: str) -> Answer:
        """Show receipt number and copy; the same for an accepted and a quarantined submission (G29)."""
        texts = texts_for(language)
        return self._answer(
            200,
            texts.thanks_title,
            (
                f"<p>{escape(texts.thanks_text)}</p>",
                _receipt(texts.receipt, receipt),
                f'<p class="quiet">{escape(texts.keep_receipt)}</p>',
                _copy(texts.what_you_wrote, fields, labels(form, language)),
            ),
            language=language,
        )

    def reject(self, receipt: str, contact: str | None, language: str) -> Answer:
        """Refuse, with a receipt number and another way to reach the owner."""
        texts = texts_for(language)
        way = (
            f"<p>{escape(texts.reject_contact)}<br>\n<strong>{escape(contact)}</strong></p>"
            if contact
            else f"<p>{escape(texts.reject_no_contact)}</p>"
        )
        body = (f"<p>{escape(texts.reject_text)}</p>", way, _receipt(texts.receipt, receipt))
        return self._answer(403, texts.reject_title, body, language=language)

    def stop(self, language: str) -> Answer:
        """Ask whoever got a mail of ours whether to stop such mails; says nothing of whom."""
        texts = texts_for(language)
        button = f'<div class="send"><button type="submit">{escape(texts.stop)}</button></div>'
        body = (f"<p>{escape(texts.stop_text)}</p>", _FORM, button, "</form>")
        return self._answer(200, texts.stop_title, body, language=language, policy=_STOP_POLICY)

    def stopped(self, language: str) -> Answer:
        """Say that they are stopped; the same whatever the link was."""
        texts = texts_for(language)
        return self._answer(200, texts.stopped_title, (f"<p>{escape(texts.stopped_text)}</p>",), language=language)

    def error(self, status: int, language: str, contact: str | None = None) -> Answer:
        """Say in plain words what went wrong and what to do: nothing was kept, so there is another way, too."""
        texts = texts_for(language)
        title, remedy = texts.errors.get(status, texts.error_else)
        way = f"<p>{escape(texts.error_contact)}<br>\n<strong>{escape(contact)}</strong></p>" if contact else ""
        answer = self._answer(status, title, (f"<p>{escape(remedy)}</p>", way), language=language)
        if status == BUSY:
            answer.headers["retry-after"] = str(RETRY_AFTER_S)
        return answer

    def _answer(
        self, status: int, title: str, body: tuple[str, ...], *, language: str, policy: str = _PLAIN_POLICY
    ) -> Answer:
        site = f'<p class="site">{escape(self._site_name)}</p>' if self._site_name else ""
        style = escape(current_root() + self._style.url)
        lines = (
            "<!doctype html>",
            f'<html lang="{escape(language)}">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="robots" content="noindex">',
            # phones would make links of numbers and addresses (G29)
            '<meta name="format-detection" content="telephone=no, email=no, address=no, date=no, url=no">',
            f"<title>{escape(title)}</title>",
            f'<link rel="stylesheet" href="{style}" integrity="{escape(self._style.integrity)}">',
            "</head>",
            "<body>",
            "<main>",
            site,
            f"<h1>{escape(title)}</h1>",
            *body,
            "</main>",
            "</body>",
            "</html>",
            "",
        )
        html = "\n".join(line for line in lines if line or line is lines[-1])
        return Answer(status=status, headers=_headers(language, policy), body=html.encode("utf-8", "replace"))


def problem(
    status: int,
    title: str,
    detail: str,
    receipt: str | None = None,
    token: str | None = None,
    *,
    header: str | None = None,
    contact: str | None = None,
    kind: str = "about:blank",
) -> Answer:
    """Return problem details for JSON clients (RFC 9457).

    Where another try is wanted: with a fresh `token`, and `header`, which is all of `Formwarden` for that try.
    """
    members = {"type": kind, "title": title, "status": status, "detail": detail}
    extras = {"receipt": receipt, "token": token, "header": header, "contact": contact}
    data = members | {name: value for name, value in extras.items() if value is not None}
    headers = {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if status == BUSY:
        headers["retry-after"] = str(RETRY_AFTER_S)
    return Answer(status=status, headers=headers, body=json.dumps(data).encode("ascii"))


def _headers(language: str, policy: str) -> dict[str, str]:
    return {
        "content-type": "text/html; charset=utf-8",
        "content-language": language,
        "content-security-policy": policy,
        "cache-control": "no-store",
        # not `no-referrer`: browsers then post with `Origin: null`, which is nobody's own site (Fetch, section 3.2)
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }


def _copy(title: str, fields: Fields, names: Mapping[str, str]) -> str:
    """Show what was typed, for reading."""
    rows = [
        f'<div><dt>{escape(names.get(name, name))}</dt><dd dir="auto">{escape(value)}</dd></div>'
        for name, value in fields.pairs
        if value.strip() and not _MACHINERY.search(name)
    ]
    return "\n".join((f"<h2>{escape(title)}</h2>", "<dl>", *rows, "</dl>")) if rows else ""


def _files(title: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    items = (f'<li dir="auto">{escape(name)}</li>' for name in names)
    return "\n".join((f"<p>{escape(title)}</p>", "<ul>", *items, "</ul>"))


def _receipt(title: str, receipt: str) -> str:
    return f'<p class="receipt">{escape(title)} <strong>{escape(receipt)}</strong></p>'


def _editable(hidden: Fields, name: str | None, label: str, help_text: str) -> tuple[str, ...]:
    if name is None:
        return ()
    field = f'<input type="email" name="{_attribute(name)}" value="{_attribute(hidden.get(name, ""))}"'
    rest = f'autocomplete="email" dir="ltr" required><small>{escape(help_text)}</small>'  # read with the label
    return (f"<label>{escape(label)} {field} {rest}</label>",)


def _suggested(page: AskPage, name: str, texts: Texts) -> tuple[str, ...]:
    """Offer the address that was probably meant, in a form of its own: one click, and no script is needed."""
    suggestion = page.suggestion or ""
    pairs = ((each, suggestion if each == name else value) for each, value in page.hidden.pairs)
    return (
        _FORM,
        f'<p class="suggestion">{escape(texts.did_you_mean)}<br>',
        f'<strong dir="ltr">{escape(suggestion)}</strong></p>',
        *(_hidden(each, value) for each, value in pairs),
        page.markup,
        f'<div><button type="submit">{escape(texts.send_with_it)}</button></div>',
        "</form>",
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{_attribute(name)}" value="{_attribute(value)}">'


def _attribute(text: str) -> str:
    """Escape for an attribute; line ends as references, for an HTML parser would make CR and CRLF to LF."""
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;")
