"""A guarded contact form in Django, in one file.

Set DJANGO_KEY and FORMWARDEN_SECRET_KEYS, _SITE_DOMAIN, _STAFF_ADDRESS and _SMTP_URL, then
`gunicorn --workers 2 --threads 4 django_contact:application`, with or without `--preload`.
"""

import os
from collections.abc import Callable

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import path

from formwarden import Answer, AutoReply, GuardedForm, Submission, Warden

PAGE = """<!DOCTYPE html>
<html lang="en">
<title>Contact</title>
<h1>Contact</h1>
<form method="post" enctype="multipart/form-data">
<input type="hidden" name="csrfmiddlewaretoken" value="{csrf}">
{guard}
<p><label>Name <input name="name" autocomplete="name" required></label></p>
<p><label>Mail address <input name="email" type="email" autocomplete="email" required></label></p>
<p><label>Message <textarea name="message" required></textarea></label></p>
<p><label>A photograph <input name="photo" type="file"></label> <button>Send</button></p>
</form>
</html>"""

OURS = ["django_contact.serve_ours", "django.middleware.csrf.CsrfViewMiddleware"]
settings.configure(ROOT_URLCONF=__name__, MIDDLEWARE=OURS, SECRET_KEY=os.environ["DJANGO_KEY"], ALLOWED_HOSTS=["*"])
warden = Warden(GuardedForm("contact", thanks="/thanks", reply=AutoReply()))


def respond(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)


# a middleware: style sheet, script, fresh tokens, and the copy on the thanks page
def serve_ours(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def serving(request: HttpRequest) -> HttpResponse:
        answer = warden.sync.serve(request.META)
        return view(request) if answer is None else respond(answer)

    return serving


def contact(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        page = PAGE.format(guard=warden.markup("contact", request=request.META), csrf=get_token(request))
        return HttpResponse(page, headers={"cache-control": "private, no-store"})
    pairs = [(name, value) for name, values in request.POST.lists() for value in values if isinstance(value, str)]
    files = [(name, each.name, each.content_type, each) for name, all_ in request.FILES.lists() for each in all_]
    verdict = warden.sync.judge(Submission.from_environ("contact", request.META, pairs, files=files))
    if not verdict.accepted:
        return respond(warden.answer(verdict, request=request.META))
    warden.sync.notify(verdict)  # the staff's mail
    warden.sync.reply(verdict)  # gated, budgeted, RFC 3834
    return redirect(warden.thanks_url(verdict))


def thanks(_request: HttpRequest) -> HttpResponse:  # without a receipt; with one, formwarden shows the copy
    return HttpResponse("<!DOCTYPE html><title>Thank you</title><p>Thank you for writing.</p>")


urlpatterns = [path("contact", contact), path("thanks", thanks)]
application = get_wsgi_application()
