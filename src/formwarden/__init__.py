"""Guards inquiry forms, and decides separately whether an auto-reply may leave."""

from formwarden.errors import (
    AddressError,
    ComposeError,
    FormwardenError,
    LateError,
    NoVerdictError,
    RunningLoopError,
    SettingsError,
    StoreError,
    TemplateError,
    UnknownFormError,
)
from formwarden.forms import AskPage, FormLimits, GuardedForm
from formwarden.mail.autoreply import AutoReply
from formwarden.page.markup import Markup
from formwarden.scoring import Action, Evidence, Hit, Standing, Thresholds, Verdict, signal
from formwarden.settings import Settings
from formwarden.submission import Answer, Client, Fields, Submission, Upload
from formwarden.warden import Warden
from formwarden.web.asgi import WardenMiddleware, form_of, verdict_of

__all__ = [
    "Action",
    "AddressError",
    "Answer",
    "AskPage",
    "AutoReply",
    "Client",
    "ComposeError",
    "Evidence",
    "Fields",
    "FormLimits",
    "FormwardenError",
    "GuardedForm",
    "Hit",
    "LateError",
    "Markup",
    "NoVerdictError",
    "RunningLoopError",
    "Settings",
    "SettingsError",
    "Standing",
    "StoreError",
    "Submission",
    "TemplateError",
    "Thresholds",
    "UnknownFormError",
    "Upload",
    "Verdict",
    "Warden",
    "WardenMiddleware",
    "form_of",
    "signal",
    "verdict_of",
]
