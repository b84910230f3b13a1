"""One visit: a page is opened, its form filled in and sent, and the answer looked at as from outside."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urljoin

from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD
from formwarden.testing.personas.drawing import Visitor
from formwarden.testing.personas.evidence import Hands, written
from formwarden.testing.personas.form_page import RECEIPT, Field, Form, Role, read_page
from formwarden.testing.personas.headers import origin_of
from formwarden.testing.personas.scene import Client, Response, Seen, Sent

REDIRECTS: Final = 5  # followed for one answer
REDIRECTED: Final = range(300, 400)
REFUSED: Final = frozenset({400, 403, 422})
ASKED_AGAIN: Final = 409  # JSON clients are asked with it
WORK: Final = "work"  # the token field's data attributes
FRESH: Final = "fresh"
WORK_HEADER: Final = "formwarden-work"

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A form as it stands on a page."""

    url: str  # of the page
    form: Form

    def filled(self, values: Mapping[str, str]) -> Pairs:
        """Return what a browser sends when some fields were changed; a box is ticked by giving its value."""
        left = dict(values)
        kept = tuple((name, left.pop(name, value)) for name, value in self.form.untouched())
        return (*kept, *left.items())

    def value(self, name: str) -> str:
        """Return what stands in a field; an absent one is empty."""
        field = self.form.field(name)
        return field.value if field else ""

    def evidence(self, hands: Hands) -> Pairs:
        """Return what formwarden's script would add; nothing where it is not."""
        token = self.form.field(TOKEN_FIELD)
        if token is None:
            return ()
        return ((EVIDENCE_FIELD, written(hands, token.value, token.data.get(WORK, ""))),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a post looked like, and the form that came again with the answer."""

    sent: Sent
    again: Shown | None = None


class Visit:
    """A visitor's browser, or what passes for one. It never leaves the site: such an answer is a `ValueError`."""

    def __init__(self, client: Client, visitor: Visitor) -> None:
        self._client = client
        self.visitor = visitor

    def open(self, path: str) -> Shown:
        """Open the page; LookupError if no form is on it to write into."""
        answer = self._followed(self._client.get(path, headers=self.visitor.browser.opening(path)))
        page = read_page(answer.text, str(answer.url))
        if page.form is None:
            raise LookupError(f"{page.url} has no form that posts a message (status {answer.status_code})")
        return Shown(url=page.url, form=page.form)

    def send(
        self, shown: Shown, typed: Mapping[str, str], more: Pairs = (), headers: Mapping[str, str] | None = None
    ) -> Answered:
        """Send a form from its page with what was typed, and more than that; `headers` go over the browser's own."""
        url = _within(shown.url, shown.form.url)
        body = urlencode([(name, _with_crlf(value)) for name, value in (*shown.filled(typed), *more)])
        own = self.visitor.browser.posting(shown.url, url) | dict(headers or {})
        answer = self._client.post(url, content=body.encode(), headers=own)
        return seen(self._followed(answer), typed)

    def blind(
        self, path: str, typed: Mapping[str, str], more: Pairs = (), headers: Mapping[str, str] | None = None
    ) -> Answered:
        """Post to an address whose page was never opened."""
        body = urlencode([(name, _with_crlf(value)) for name, value in (*typed.items(), *more)])
        own = self.visitor.browser.posting(path, path)
        own = {name: value for name, value in own.items() if name not in {"origin", "referer"}} | dict(headers or {})
        return seen(self._followed(self._client.post(path, content=body.encode(), headers=own)), typed)

    def send_json(self, shown: Shown, typed: Mapping[str, str]) -> Answered:
        """Send what was typed as JSON, as a script of the page would."""
        url = _within(shown.url, shown.form.url)
        own = self.visitor.browser.fetching(shown.url, url)
        own |= {"content-type": "application/json", "origin": origin_of(shown.url)}
        answer = self._client.post(url, content=json.dumps(dict(typed)).encode(), headers=own)
        return seen(self._followed(answer), typed)

    def renewed(self, shown: Shown) -> Shown:
        """Fetch a fresh token, as the script does on a page that is old or came from a cache."""
        token, marker = shown.form.field(TOKEN_FIELD), shown.form.field(MARKER_FIELD)
        if token is None or marker is None or not token.data.get(FRESH):
            return shown
        url = _within(shown.url, urljoin(shown.url, f"{token.data[FRESH]}?m={quote(marker.value, safe='')}"))
        answer = self._client.get(url, headers=self.visitor.browser.fetching(shown.url, url))
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own
            return shown
        data = {FRESH: token.data[FRESH], WORK: answer.headers.get(WORK_HEADER, "")}
        fresh = Field(name=TOKEN_FIELD, kind=token.kind, value=answer.text.strip(), data=data)
        fields = tuple(fresh if each is token else each for each in shown.form.fields)
        return Shown(url=shown.url, form=Form(url=shown.form.url, method=shown.form.method, fields=fields))

    def _followed(self, answer: Response) -> Response:
        for _ in range(REDIRECTS):
            place = answer.headers.get("location")
            if answer.status_code not in REDIRECTED or not place:
                return answer
            page = str(answer.url)
            url = _within(page, urljoin(page, place))
            answer = self._client.get(url, headers=self.visitor.browser.following(page, url))
        return answer


def seen(answer: Response, typed: Mapping[str, str]) -> Answered:
    """Look at an answer as from outside: thanks, a question, or a refusal."""
    page = read_page(answer.text, str(answer.url))
    longest = max(typed, key=lambda name: len(typed[name]), default="")
    form = page.form_with(longest) if longest else None
    how = _how(answer, again=form is not None)
    standing = _plain("\n".join((page.text, *(each.value for each in (form.fields if form else ())))))
    stands = all(_plain(value) in standing for value in typed.values())
    found = Sent(
        status=answer.status_code,
        seen=how,
        address=next((value for value in typed.values() if "@" in value and " " not in value), ""),
        receipt=page.receipt or _receipt_of(answer),
        typed_kept=how is Seen.THANKED or (how is Seen.ASKED and stands),
    )
    return Answered(sent=found, again=None if form is None else Shown(url=page.url, form=form))


def _how(answer: Response, *, again: bool) -> Seen:
    if again or answer.status_code == ASKED_AGAIN:
        return Seen.ASKED
    if answer.status_code in REFUSED:
        return Seen.REJECTED
    return Seen.THANKED if answer.status_code < REDIRECTED.start else Seen.ERROR


def _receipt_of(answer: Response) -> str | None:
    """Return the number of an answer in JSON."""
    if "json" not in answer.headers.get("content-type", ""):
        return None
    try:
        members: object = json.loads(answer.text)
    except ValueError:
        return None
    number = members.get(RECEIPT) if isinstance(members, dict) else None
    return number if isinstance(number, str) else None


def _with_crlf(text: str) -> str:
    """Write line ends as browsers send them (HTML, "construct the entry list")."""
    return "\r\n".join(text.replace("\r\n", "\n").split("\n"))


def _plain(text: str) -> str:
    """Make all line ends one, for comparing."""
    return "\n".join(text.strip().splitlines())


def _within(page: str, url: str) -> str:
    if origin_of(url) != origin_of(page):
        raise ValueError(f"{page} leads to {url}, which is another site")
    return url


def written_into(form: Form, visitor: Visitor) -> dict[str, str]:
    """Return what one types into the fields that ask for it, and into any other that must be filled."""
    typed = {Role.ADDRESS: visitor.address, Role.PERSON: visitor.name, Role.MESSAGE: visitor.message}
    values: dict[str, str] = {}
    for field in form.fields:
        if field.role in typed:
            values[field.name] = typed[field.role]
        elif field.required and not field.off and not field.value and field.is_typed:
            values[field.name] = "-"
        elif field.required and not field.off and field.kind in {"checkbox", "radio"}:
            values.setdefault(field.name, field.value)
        elif field.required and field.kind == "select" and not field.value:
            values[field.name] = next((each for each in field.options if each), "")
    return values
