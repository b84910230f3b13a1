"""One guarded request: read, judged, kept, and then carried out."""

from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from formwarden.answers import redirect
from formwarden.bodies import Held
from formwarden.course import Next, Step
from formwarden.desk.rebuild import own_names
from formwarden.forms import GuardedForm
from formwarden.judge import Judged
from formwarden.scoring import Action, Verdict
from formwarden.submission import Answer, Client, Submission, preferred_language
from formwarden.warden import Warden
from formwarden.web.body import Body, ClientGoneError
from formwarden.web.endpoint import Endpoint, hand_over
from formwarden.web.intake import BUSY, LATE, Intake, Refusal
from formwarden.web.requests import peer_of, wants_json
from formwarden.web.resent import resend
from formwarden.web.responses import send_answer
from formwarden.web.strip import stripped


class Guard:
    """Carries submissions from the wire to the endpoint, or to a page of ours."""

    def __init__(self, app: ASGIApp, warden: Warden, *, strip: bool = False) -> None:
        self._app = app
        self._warden = warden
        self._strip = strip
        self._intake = Intake(warden.settings.web, warden.spools)

    async def handle(  # noqa: PLR0917 - one request
        self,
        form: GuardedForm,
        client: Client,
        headers: dict[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Handle one request of a guarded form; client and headers are what the scope says of them."""
        try:
            body = await self._intake.read(form, client, scope, headers, receive)
        except ClientGoneError:
            return  # nobody is there to be answered, nobody is charged
        if isinstance(body, Refusal):
            await self._refuse(body, form, headers, scope, send)
            return
        try:
            await self._judged(form, client, headers, body, scope, receive, send)
        finally:
            body.close()

    async def _judged(  # noqa: PLR0917 - one request
        self,
        form: GuardedForm,
        client: Client,
        headers: dict[str, str],
        body: Body,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        submission = Submission(
            form.name,
            body.parsed.fields,
            uploads=body.parsed.uploads,
            client=client,
            peer=peer_of(scope),
            headers=headers,
            content_type=headers.get("content-type", ""),
            body=body.content,
            spooled=body.spooled,
            alternative=body.parsed.alternative,
        )
        try:
            judged = await self._warden.receive(form, submission)
        except BaseException:
            body.leave()  # cancelled: the store may be writing it down still
            raise
        step = await self._warden.course.begin(judged)
        if step.next is Next.RUN:
            rest = await self._replay(scope, submission.content_type, body, judged, receive)
            await Endpoint(self._app, self._warden.course, step.judged, send).run(scope, rest)
            return
        await send_answer(self._page(step, judged.verdict, as_json=wants_json(headers)), send)

    async def _replay(self, scope: Scope, content_type: str, body: Body, judged: Judged, receive: Receive) -> Receive:
        """Choose what the endpoint receives: the body as it came, with kept files, or without our own fields."""
        rest: Receive = body
        parsed, source = body.parsed, body.source
        if judged.resent is not None:
            content_type, parsed, source = judged.resent.content_type, judged.resent.parsed, Held(judged.resent.body)
            rest = resend(scope, receive, content_type=content_type.encode("ascii"), body=judged.resent.body)
        hand_over(scope, _accepted(judged.verdict), parsed)
        if self._strip:
            stripping = stripped(
                scope,
                receive,
                content_type=content_type,
                source=source,
                fields=parsed.fields,
                names=own_names(judged.inquiry),
                spools=self._warden.spools,
            )
            rest = await stripping or rest
        return rest

    async def _refuse(
        self, refusal: Refusal, form: GuardedForm, headers: dict[str, str], scope: Scope, send: Send
    ) -> None:
        """Answer what could not be read, and count it where the owner sees it."""
        self._warden.faults.count("request", f"{refusal.status}: {refusal.why} (form {form.name})")
        if refusal.status == BUSY:
            self._warden.faults.count("spool", refusal.why)
        language = preferred_language(headers.get("accept-language", ""))
        answer = self._warden.answers.error(refusal.status, language, as_json=wants_json(headers))
        if refusal.status == LATE and scope.get("http_version", "1.1").startswith("1"):
            answer.headers["connection"] = "close"  # nobody waits for the rest (RFC 9110 section 15.5.9)
        await send_answer(answer, send)

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


def _accepted(verdict: Verdict) -> Verdict:
    """What runs again after a failure was accepted the first time, whatever the second click was judged."""
    return verdict if verdict.accepted else replace(verdict, action=Action.ACCEPT)
