"""A Django site with async views; `uvicorn tests.doors.async_site:application`."""

import asyncio
import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from formwarden import AutoReply, GuardedForm, RunningLoopError, Submission, Warden

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY=os.environ["DJANGO_KEY"], ALLOWED_HOSTS=["*"])
warden = Warden(GuardedForm("contact", reply=AutoReply()))


def submission_of(request: HttpRequest) -> Submission:
    pairs = [(name, value) for name, values in request.POST.lists() for value in values if isinstance(value, str)]
    files = [(name, each.name, each.content_type, each) for name, all_ in request.FILES.lists() for each in all_]
    return Submission.from_environ("contact", request.META, pairs, files=files)


async def contact(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse(f"<form method='post'>{warden.markup('contact', request=request.META)}</form>")
    verdict = await warden.judge(submission_of(request))
    if not verdict.accepted:
        answer = warden.answer(verdict, request=request.META)
        return HttpResponse(answer.body, status=answer.status, headers=answer.headers)
    await warden.notify(verdict)
    await warden.reply(verdict)
    return redirect(warden.thanks_url(verdict))


async def thanks(request: HttpRequest) -> HttpResponse:
    answer = await warden.serve(request.META)
    return HttpResponse("the site's own" if answer is None else answer.body)


async def blocking(request: HttpRequest) -> HttpResponse:
    try:
        return HttpResponse(warden.sync.judge(submission_of(request)).receipt)
    except RunningLoopError as error:
        return HttpResponse(str(error), status=500)


async def in_a_thread(request: HttpRequest) -> HttpResponse:
    verdict = await asyncio.to_thread(warden.sync.judge, submission_of(request))  # no loop runs in that thread
    return HttpResponse(verdict.receipt)


def sync_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(warden.sync.judge(submission_of(request)).receipt)


urlpatterns = [
    path("contact", contact),
    path("thanks", thanks),
    path("blocking", blocking),
    path("thread", in_a_thread),
    path("sync", sync_view),
]
application = get_asgi_application()
