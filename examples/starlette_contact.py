"""A guarded contact form in Starlette.

Set FORMWARDEN_SECRET_KEYS, FORMWARDEN_SITE_DOMAIN, FORMWARDEN_STAFF_ADDRESS and FORMWARDEN_SMTP_URL, then
`uvicorn --no-proxy-headers starlette_contact:app`: the client behind a proxy is formwarden's to find.
"""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from formwarden import AutoReply, GuardedForm, Warden, WardenMiddleware, verdict_of

PAGE = """<!DOCTYPE html>
<html lang="en">
<title>Contact</title>
<h1>Contact</h1>
<form method="post">
{guard}
<p><label>Name <input name="name" autocomplete="name" required></label></p>
<p><label>Mail address <input name="email" type="email" autocomplete="email" required></label></p>
<p><label>Message <textarea name="message" required></textarea></label></p>
<p><button>Send</button></p>
</form>
</html>"""

warden = Warden(GuardedForm("contact", path="/contact", thanks="/thanks", reply=AutoReply()))


async def show(_request: Request) -> Response:
    return HTMLResponse(PAGE.format(guard=warden.markup("contact")))


async def submit(request: Request) -> Response:  # accepted submissions only
    verdict = verdict_of(request)
    if not verdict.fields.get("message", "").strip():
        return HTMLResponse(PAGE.format(guard=warden.markup("contact", again=verdict)), status_code=422)
    await warden.notify(verdict)  # the staff's mail
    await warden.reply(verdict)  # gated, budgeted, RFC 3834
    return RedirectResponse(warden.thanks_url(verdict), status_code=303)


async def thanks(_request: Request) -> Response:  # without a receipt; with one, formwarden shows the copy
    return HTMLResponse("<!DOCTYPE html><title>Thank you</title><p>Thank you for writing.</p>")


app = Starlette(
    routes=[
        Route("/contact", show),
        Route("/contact", submit, methods=["POST"]),
        Route("/thanks", thanks),
    ],
    middleware=[Middleware(WardenMiddleware, warden=warden)],
)
