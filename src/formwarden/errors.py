"""Every error that formwarden raises on purpose.

FormwardenError
├── SettingsError      (ValueError)    wrong, unknown or missing settings; lists all of them
├── UnknownFormError   (LookupError)   no GuardedForm of that name, or none for that path
├── AddressError       (ValueError)    what was given as one address is none that mail could go to
├── TemplateError      (ValueError)    a reply's text leaks what a visitor typed, or has an unknown slot
├── ComposeError       (ValueError)    a mail would carry a header or a recipient that is not ours
├── StoreError         (OSError)       the store did not answer: the caller takes its failing direction
│   └── StoreFullError                 it is well, at its bound in size, and nothing may be evicted
├── NoVerdictError     (LookupError)   the request did not pass the middleware
├── RunningLoopError   (RuntimeError)  the blocking twin was called from inside an event loop
└── LateError          (TimeoutError)  the blocking twin waited in vain; the message says what goes on
"""


class FormwardenError(Exception):
    """The root of the tree."""


class SettingsError(FormwardenError, ValueError):
    """Settings are wrong, unknown or missing; the message lists every fault with its remedy."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(("formwarden cannot start:", *(f"  - {fault}" for fault in self.faults)))


class UnknownFormError(FormwardenError, LookupError):
    """No guarded form has this name or serves this path."""


class AddressError(FormwardenError, ValueError):
    """What was given as one address is none that mail could go to; nothing was changed."""


class TemplateError(FormwardenError, ValueError):
    """A reply's text would carry what a visitor typed, or names a slot that does not exist."""


class ComposeError(FormwardenError, ValueError):
    """A composed mail would carry a header or a recipient that is not ours, so it does not leave."""


class StoreError(FormwardenError, OSError):
    """The store did not answer in time or refused; judging goes on without it, sending stops."""


class StoreFullError(StoreError):
    """The store is at its bound (`FORMWARDEN_STORE_BYTES`) and holds nothing that may be evicted (G23)."""


class NoVerdictError(FormwardenError, LookupError):
    """The request has no verdict: it did not pass WardenMiddleware, or its path is not guarded."""


class RunningLoopError(FormwardenError, RuntimeError):
    """`warden.sync` was called from inside a running event loop; await the method of the warden instead."""


class LateError(FormwardenError, TimeoutError):
    """`warden.sync` waited in vain; the message says whether what it waited for goes on."""
