"""One guarded request: read, judged, kept, and then carried out."""

from dataclasses import replace
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from formwarden.answers import redirect
from formwarden.bodies import (
    FieldLimits,
    ParsedBody,
    TooManyFieldsError,
    UnreadableBodyError,
    UnsupportedBodyError,
    parse_body,
)
from formwarden.course import Next, Step
from formwarden.forms import GuardedForm
from formwarden.scoring import Action, Verdict
from formwarden.submission import Answer, Submission, preferred_language
from formwarden.warden import Warden
from formwarden.web.body import BodyLateError, BodyTooLargeError, ClientGoneError, Replay
from formwarden.web.endpoint import Endpoint, hand_over
from formwarden.web.requests import declared_length, headers_of, is_repeated, peer_of, wants_json
from formwarden.web.responses import send_answer

PLAIN_ENCODINGS: Final = frozenset({"", "identity"})


class Guard:
    """Carries submissions from the wire to the endpoint, or to a page of ours."""

    def __init__(self, app: ASGIApp, warden: Warden) -> None:
        self._app = app
        self._warden = warden

    async def handle(self, form: GuardedForm, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request of a guarded form."""
        headers = headers_of(scope)
        replay = Replay(receive)
        try:
            # of two content types the site may read by the other one: two readings would be a gap
            body = 400 if is_repeated(scope, b"content-type") else await self._read(form, headers, replay)
        except ClientGoneError:
            return  # nobody is there to be answered, nobody is charged
        if isinstance(body, int):
            self._warden.faults.count("request", str(body))
            language = preferred_language(headers.get("accept-language", ""))
            answer = self._warden.answers.error(body, language, as_json=wants_json(headers))
            await send_answer(answer, send)
            return
        submission = Submission(
            form.name,
            body.fields,
            uploads=body.uploads,
            peer=peer_of(scope),
            headers=headers,
            content_type=headers.get("content-type", ""),
            body=replay.body,
        )
        judged = await self._warden.receive(form, submission)
        step = await self._warden.course.begin(judged)
        if step.next is Next.RUN:
            hand_over(scope, _accepted(judged.verdict), body)
            await Endpoint(self._app, self._warden.course, judged, send).run(scope, replay)
            return
        await send_answer(self._page(step, judged.verdict, as_json=wants_json(headers)), send)

    def _page(self, step: Step, verdict: Verdict, *, as_json: bool) -> Answer:
        answers = self._warden.answers
        match step.next:
            case Next.ASK:
                return answers.ask(verdict, as_json=as_json)
            case Next.REJECT:
                return answers.reject(verdict, as_json=as_json)
            case Next.ANSWER if step.answer is not None and step.answer[1]:
                status, location = step.answer
                return redirect(location, status)
        return answers.thanks(verdict, as_json=as_json)

    async def _read(self, form: GuardedForm, headers: dict[str, str], replay: Replay) -> ParsedBody | int:
        """Read and parse the body once, or name the status of what is wrong with it."""
        web = self._warden.settings.web
        if headers.get("content-encoding", "").strip().lower() not in PLAIN_ENCODINGS:
            return 415  # nothing here inflates a body: what it would become has no bound
        try:
            await replay.read(
                limit=form.limits.body or web.body_limit,
                declared=declared_length(headers),
                seconds=web.body_seconds,
            )
            limits = FieldLimits(text_bytes=web.fields_limit, count=web.fields_count)
            return parse_body(headers.get("content-type", ""), replay.body, limits)
        except (BodyTooLargeError, TooManyFieldsError):
            return 413
        except BodyLateError:
            return 408
        except UnreadableBodyError:
            return 400
        except UnsupportedBodyError:
            return 415


def _accepted(verdict: Verdict) -> Verdict:
    """What runs again after a failure was accepted the first time, whatever the second click was judged."""
    return verdict if verdict.accepted else replace(verdict, action=Action.ACCEPT)
