"""Framework-free answers for submissions that do not reach the endpoint, and for the second click of one that did."""

import json
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from string import Template
from typing import Final

from formwarden.challenge import Click
from formwarden.faults import Faults, bug
from formwarden.forms import Ask, AskPage, GuardedForm
from formwarden.kept_files import chosen
from formwarden.page.context import PageRequest, current_root
from formwarden.page.issuing import Issuer
from formwarden.page.pages import OurPages, problem
from formwarden.page.receipts import ReceiptLinks
from formwarden.page.texts import AskCause, ask_cause, ask_reason, texts_for
from formwarden.scoring import Action, Verdict
from formwarden.submission import Answer, Client, Fields

SEE_OTHER = 303
CONFLICT = 409  # RFC 9110 section 15.5.10: the client can settle it and try again
FORBIDDEN = 403
PROBLEM: Final = "urn:formwarden:"  # types of problems are names, and lead nowhere (RFC 9457 section 3.1.1)
ASK_FAULT: Final = "ask page"
CACHE_CONTROL: Final = "cache-control"


class Answers:
    """Makes the pages ask, thanks and reject of a verdict, as HTML or for JSON clients."""

    def __init__(
        self,
        *,
        forms: Mapping[str, GuardedForm],
        issuer: Issuer,
        links: ReceiptLinks,
        pages: OurPages,
        contact: str | None,
        faults: Faults,
    ) -> None:
        self._forms = forms
        self._issuer = issuer
        self._links = links
        self._pages = pages
        self._contact = contact
        self._faults = faults

    def answer(self, verdict: Verdict, *, as_json: bool = False) -> Answer:
        """Return what a visitor is told; an accepted one and a quarantined one are told the same (G29)."""
        match verdict.action:
            case Action.ASK:
                return self.ask(verdict, as_json=as_json)
            case Action.REJECT:
                return self.reject(verdict, as_json=as_json)
        return self.thanks(verdict, as_json=as_json)

    def thanks_url(self, verdict: Verdict) -> str:
        """Return the address of the thanks page with a signed receipt, below the mount of the current request."""
        return self._links.url(current_root() + self._forms[verdict.form].thanks, verdict.id)

    def thanks(self, verdict: Verdict, *, as_json: bool = False) -> Answer:
        """Send on to the thanks page, or answer JSON clients as the form says."""
        shape = self._forms[verdict.form].thanks_json
        if as_json and shape is not None:
            body = Template(shape).safe_substitute(reference=json.dumps(verdict.receipt)[1:-1])
            headers = {"content-type": "application/json", "cache-control": "no-store"}
            return Answer(status=200, headers=headers, body=body.encode())
        return redirect(self.thanks_url(verdict))

    def ask(self, verdict: Verdict, *, as_json: bool = False) -> Answer:
        """Ask for another click; what was typed is kept and comes again with it."""
        form = self._forms[verdict.form]
        challenged = verdict.click is Click.OFFERED
        cause = ask_cause((hit.signal for hit in verdict.hits if hit.asks), challenged=challenged)
        reason = ask_reason(cause, verdict.language, address=verdict.address)
        if as_json:
            title = texts_for(verdict.language).ask_title
            header = self._issuer.header(form, None, again=verdict.again)
            kind = f"{PROBLEM}ask:{cause.replace('_', '-')}"
            return problem(CONFLICT, title, reason, verdict.receipt, verdict.again, header=header, kind=kind)
        displays = cause is not AskCause.CROSS_SITE  # G32: nobody puts words on our page from another site
        page = AskPage(
            form=form.name,
            reason=reason,
            shown=verdict.fields if displays else Fields(),
            hidden=verdict.fields,
            files=tuple(upload.filename for upload in chosen(verdict.uploads)) if displays else (),
            markup=self._issuer.markup(
                form, PageRequest(Client(), verdict.language, root=current_root()), again=verdict.again
            ),
            language=verdict.language,
            suggestion=verdict.report.suggestion if cause is AskCause.ADDRESS and verdict.report else None,
        )
        own = None if form.ask is None else self._sites_own(form.ask, page)
        return own or self._pages.ask(page, form, correct_address=cause is AskCause.ADDRESS)

    def _sites_own(self, ask: Ask, page: AskPage) -> Answer | None:
        """Render the site's own page, kept by no cache, for a token is in it; None: it failed, and ours is shown."""
        try:
            answer: object = ask(page)
        except Exception as error:  # noqa: BLE001 - the site's own renderer; whatever it raises, the visitor is asked
            self._faults.count(ASK_FAULT, bug(error))
            return None
        if not isinstance(answer, Answer):
            if isinstance(answer, Coroutine):
                answer.close()
            self._faults.count(ASK_FAULT, f"`ask` must return an Answer, and returned {type(answer).__name__}")
            return None
        headers = {name: value for name, value in answer.headers.items() if name.lower() != CACHE_CONTROL}
        return replace(answer, headers=headers | {CACHE_CONTROL: "no-store"})

    def reject(self, verdict: Verdict, *, as_json: bool = False) -> Answer:
        """Refuse with a receipt number and another way to reach the owner."""
        if as_json:
            texts = texts_for(verdict.language)
            title, text, kind = texts.reject_title, texts.reject_text, f"{PROBLEM}rejected"
            return problem(FORBIDDEN, title, text, verdict.receipt, contact=self._contact, kind=kind)
        return self._pages.reject(verdict.receipt, self._contact, verdict.language)

    def error(self, status: int, language: str, *, as_json: bool = False) -> Answer:
        """Say that the request could not be read, and what to do."""
        if as_json:
            texts = texts_for(language)
            title, remedy = texts.errors.get(status, texts.error_else)
            return problem(status, title, remedy, contact=self._contact)
        return self._pages.error(status, language, self._contact)

    def copy(self, form: GuardedForm, receipt: str, fields: Fields, language: str) -> Answer:
        """Show the thanks page: receipt and what was typed (G29)."""
        return self._pages.thanks(receipt, fields, form, language)


def redirect(location: str, status: int = SEE_OTHER) -> Answer:
    """Send the browser elsewhere, with no header that a site's own redirect has not (G29)."""
    return Answer(status=status, headers={"location": location}, body=b"")
