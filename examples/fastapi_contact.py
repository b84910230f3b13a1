"""A guarded contact form in FastAPI.

Set FORMWARDEN_SECRET_KEYS, FORMWARDEN_SITE_DOMAIN, FORMWARDEN_STAFF_ADDRESS and FORMWARDEN_SMTP_URL, then
`uvicorn --no-proxy-headers fastapi_contact:app`: the client behind a proxy is formwarden's to find.
"""

from typing import Annotated

from fastapi import Depends, FastAPI, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from starlette.middleware import Middleware

from formwarden import AutoReply, GuardedForm, Verdict, Warden, WardenMiddleware, verdict_of

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


class Inquiry(BaseModel):
    """What the site wants to be sent."""

    name: str
    email: str
    message: str


warden = Warden(GuardedForm("contact", path="/contact", thanks="/thanks", reply=AutoReply()))
app = FastAPI(middleware=[Middleware(WardenMiddleware, warden=warden)])


@app.get("/contact", response_class=HTMLResponse)
async def show() -> str:
    return PAGE.format(guard=warden.markup("contact"))


@app.post("/contact")  # accepted submissions only; the site's own model checks them as ever
async def submit(
    _inquiry: Annotated[Inquiry, Form()], verdict: Annotated[Verdict, Depends(verdict_of)]
) -> RedirectResponse:
    await warden.notify(verdict)  # the staff's mail
    await warden.reply(verdict)  # gated, budgeted, RFC 3834
    return RedirectResponse(warden.thanks_url(verdict), status_code=303)


@app.get("/thanks", response_class=HTMLResponse)  # without a receipt; with one, formwarden shows the copy
async def thanks() -> str:
    return "<!DOCTYPE html><title>Thank you</title><p>Thank you for writing.</p>"
