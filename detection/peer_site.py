"""A minimal Django site with one contact form that mails its visitors, guarded by one peer.

Runs by the Python of an environment that holds Django and that peer, and nothing of ours:
`python peer_site.py formguard|honeypot|none PORT SMTP_PORT [CLOCK]`. `CLOCK` is a file that holds by how many seconds
this process's wall clock is ahead (detection/moved.py).
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

if __name__ == "__main__" and len(sys.argv) > 4:  # noqa: PLR2004 - before Django is loaded, which reads the clock
    sys.path.insert(0, str(Path(__file__).parent))
    import_module("moved").follow(Path(sys.argv[4]))

from django import forms
from django.conf import settings
from django.core.mail import send_mail
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

SENDER: Final = "noreply@workshop.played"
FORM: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Contact</title>{{ form.media }}</head>
<body><main>
<h1>Contact</h1>
<form method="post" action="/contact">
{{ form.non_field_errors }}
<p>{{ form.name.errors }}{{ form.name.label_tag }} {{ form.name }}</p>
<p>{{ form.email.errors }}{{ form.email.label_tag }} {{ form.email }}</p>
<p>{{ form.message.errors }}{{ form.message.label_tag }} {{ form.message }}</p>
GUARD
<p><button>Send</button></p>
</form>
</main></body>
</html>"""
FIELDS: Final = {
    "name": forms.CharField(max_length=100, widget=forms.TextInput({"autocomplete": "name"})),
    "email": forms.EmailField(widget=forms.EmailInput({"autocomplete": "email"})),
    "message": forms.CharField(widget=forms.Textarea),
}
# What each peer's own documentation tells a site to add; everything else stays at its default.
APPS: Final = {"formguard": ["formguard"], "honeypot": ["honeypot"], "none": []}
GUARDS: Final = {
    "formguard": "{{ form.guard_fields }}",
    "honeypot": "{% load honeypot %}{% render_honeypot_field %}",
    "none": "",
}
PEER: Final = sys.argv[1] if __name__ == "__main__" else "none"


def form_class() -> type[forms.Form]:
    """Return the form, with the peer's own part of it."""
    bases: tuple[type, ...] = (forms.Form,)
    if PEER == "formguard":
        bases = (import_module("formguard.forms").GuardedFormMixin, forms.Form)
    return type("Contact", bases, dict(FIELDS))


def contact(request: HttpRequest) -> HttpResponse:
    """Show the form; thank and mail whoever sent a good one."""
    more = {"request": request} if PEER == "formguard" else {}
    form = form_class()(request.POST if request.method == "POST" else None, **more)
    if request.method == "POST" and form.is_valid():
        text = "Thank you for writing. We answer within two working days."
        send_mail("We have your message", text, SENDER, [form.cleaned_data["email"]])
        return redirect("/thanks")
    return render(request, "contact.html", {"form": form})


def thanks(_request: HttpRequest) -> HttpResponse:
    """Thank."""
    return HttpResponse("<!DOCTYPE html><html lang=en><title>Thank you</title><h1>Thank you for writing.</h1></html>")


def guarded() -> list[object]:
    """Return the addresses of the site."""
    view = contact
    if PEER == "honeypot":
        view = import_module("honeypot.decorators").check_honeypot(contact)
    return [path("contact", view), path("thanks", thanks)]


def main(port: int, smtp_port: int) -> None:
    """Serve until this process is ended."""
    page = FORM.replace("GUARD", GUARDS[PEER])
    loaders = [
        ("django.template.loaders.locmem.Loader", {"contact.html": page}),
        "django.template.loaders.app_directories.Loader",
    ]
    settings.configure(
        DEBUG=True,  # serves the peer's scripts
        SECRET_KEY="of-this-run",  # noqa: S106 - on loopback, for some minutes
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django.contrib.staticfiles", *APPS[PEER]],
        STATIC_URL="/static/",
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}},
        ],
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=smtp_port,
        HONEYPOT_FIELD_NAME="phonenumber",  # the one of its documentation; it has no default
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    execute_from_command_line(["site", "runserver", "--noreload", "--skip-checks", f"127.0.0.1:{port}"])


urlpatterns = guarded()
if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]))
