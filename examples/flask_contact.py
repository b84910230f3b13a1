"""A guarded contact form in Flask.

Set FORMWARDEN_SECRET_KEYS, FORMWARDEN_SITE_DOMAIN, FORMWARDEN_STAFF_ADDRESS and FORMWARDEN_SMTP_URL, then
`gunicorn --workers 2 --threads 4 flask_contact:app`, with or without `--preload`.
"""

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as Base

from formwarden import Answer, AutoReply, GuardedForm, Submission, Warden

PAGE = """<!DOCTYPE html>
<html lang="en">
<title>Contact</title>
<h1>Contact</h1>
<form method="post" enctype="multipart/form-data">
{guard}
<p><label>Name <input name="name" autocomplete="name" required></label></p>
<p><label>Mail address <input name="email" type="email" autocomplete="email" required></label></p>
<p><label>Message <textarea name="message" required></textarea></label></p>
<p><label>A photograph <input name="photo" type="file"></label></p>
<p><button>Send</button></p>
</form>
</html>"""

warden = Warden(GuardedForm("contact", thanks="/thanks", reply=AutoReply()))
app = Flask(__name__)


def respond(answer: Answer) -> Base:
    return Response(answer.body, answer.status, answer.headers)


@app.before_request
def ours() -> Base | None:  # style sheet, script, fresh tokens, and the copy on the thanks page
    answer = warden.sync.serve(request.environ)
    return None if answer is None else respond(answer)


@app.get("/contact")
def show() -> Base:
    page = PAGE.format(guard=warden.markup("contact", request=request.environ))
    return Response(page, headers={"cache-control": "private, no-store"})


@app.post("/contact")
def submit() -> Base:
    pairs = request.form.items(multi=True)
    files = [(name, file.filename, file.content_type, file.stream) for name, file in request.files.items(multi=True)]
    verdict = warden.sync.judge(Submission.from_environ("contact", request.environ, pairs, files=files))
    if not verdict.accepted:
        return respond(warden.answer(verdict, request=request.environ))
    warden.sync.notify(verdict)  # the staff's mail
    warden.sync.reply(verdict)  # gated, budgeted, RFC 3834
    return redirect(warden.thanks_url(verdict), 303)


@app.get("/thanks")  # without a receipt; with one, formwarden shows the copy
def thanks() -> str:
    return "<!DOCTYPE html><title>Thank you</title><p>Thank you for writing.</p>"
