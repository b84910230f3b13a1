"""Every threshold, weight, budget and path that is in force: read from four sources, checked at once."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from formwarden.address.disposable import is_installed
from formwarden.address.settings import Address
from formwarden.blocklists import Zone
from formwarden.catalogue import GROUP_OF, GROUPS, Setting, describe, explain, flatten
from formwarden.console.settings import ConsoleAccess
from formwarden.errors import SettingsError
from formwarden.mail.alarm_settings import Alarming, parse_webhook
from formwarden.mail.dkim_settings import Signing
from formwarden.mail.settings import Mail
from formwarden.mail.staff_settings import Staffing
from formwarden.page.settings import Pages
from formwarden.proxies import TrustedProxies
from formwarden.scoring import Scoring
from formwarden.signals.limits import SignalLimits
from formwarden.site import Site
from formwarden.sources import CODE, DEFAULT, PREFIX, Source, outside, where
from formwarden.stores.settings import Stores
from formwarden.web.settings import Web

KEY_CHARACTERS: Final = 32  # what `token_urlsafe(24)` gives: 192 bits; below it, keys are words that people chose
KEY_COMMAND: Final = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
SMTP_SCHEMES: Final = ("smtp", "smtps")
STORE_URL: Final = re.compile(r"memory://|sqlite:////?[^/:\0][^\0]*[^/\0]|sqlite:////?[^/:\0]")


@dataclass(frozen=True, slots=True, init=False)
class Settings:
    """What is in force. Every value has a default; `Warden(...)` checks what must be given.

    Values come, the first that has one, from the code, the environment (`FORMWARDEN_<NAME>`), `.env` in the
    working directory, and `formwarden.toml`. In code and TOML a value is named by itself or in its group.
    Raises SettingsError with every fault.
    """

    site: Site
    pages: Pages
    scoring: Scoring
    signals: SignalLimits
    web: Web
    address: Address
    mail: Mail
    signing: Signing
    alarms: Alarming
    staffing: Staffing
    stores: Stores
    console: ConsoleAccess
    _origins: tuple[tuple[str, str], ...] = field(repr=False, compare=False)

    def __init__(self, **values: object) -> None:
        self._fill((Source(origin=CODE, values=values), *outside()))

    @classmethod
    def only(cls, **values: object) -> "Settings":
        """Take the values given and the defaults, and read no source."""
        settings = object.__new__(cls)
        settings._fill((Source(origin=CODE, values=values),))
        return settings

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each value came from: default, environment, .env, formwarden.toml or code."""
        return MappingProxyType(dict(self._origins))

    def describe(self) -> tuple[Setting, ...]:
        """Return every setting with its unit, origin and description; secrets stay hidden."""
        return tuple(
            describe(name, getattr(getattr(self, GROUP_OF[name]), name), origin) for name, origin in self._origins
        )

    def _fill(self, sources: Sequence[Source]) -> None:
        values: dict[str, object] = {}
        origins = dict.fromkeys(GROUP_OF, DEFAULT)
        faults: list[str] = []
        for source in sources:
            given, wrong = flatten(source)
            faults.extend((*source.faults, *wrong))
            for name, value in given.items():
                if name not in values:
                    values[name], origins[name] = value, source.origin
        for group, kind in GROUPS.items():
            try:
                checked = kind.model_validate({name: values[name] for name in kind.model_fields if name in values})
            except ValidationError as error:
                faults.extend(explain(error, kind, origins))
            else:
                object.__setattr__(self, group, checked)
        if faults:
            raise SettingsError(tuple(faults))
        object.__setattr__(self, "_origins", tuple(origins.items()))


def require(settings: Settings, *, for_reply: bool, signals: Collection[str]) -> None:
    """Raise SettingsError with everything that a warden could not work with, or would work with wrongly.

    `for_reply`: a form has an auto-reply. `signals`: the names that `weights` may use.
    """
    checks: tuple[Callable[[Settings], Iterator[tuple[str, str]]], ...] = (
        _keys,
        lambda each: _sender(each, for_reply=for_reply),
        _addresses,
        _relays,
        _signing,
        _alarms,
        _lists,
        _stores,
        _public,
        _proxies,
        _blocklists,
        lambda each: _scores(each, signals),
    )
    faults = tuple(f"{_where(settings, name)}: {fault}" for check in checks for name, fault in check(settings))
    if faults:
        raise SettingsError(faults)


def _where(settings: Settings, name: str) -> str:
    origin = settings.origins[name]
    return f"{PREFIX}{name.upper()} (not set)" if origin == DEFAULT else where(origin, name)


def _keys(settings: Settings) -> Iterator[tuple[str, str]]:
    keys = settings.site.secret_keys
    if not keys:
        yield "secret_keys", f"a secret key is needed and none is invented for you; make one: {KEY_COMMAND}"
    for number, key in enumerate(keys, start=1):
        if len(key.get_secret_value()) < KEY_CHARACTERS:
            yield "secret_keys", f"key {number} has fewer than {KEY_CHARACTERS} characters; make one: {KEY_COMMAND}"


def _sender(settings: Settings, *, for_reply: bool) -> Iterator[tuple[str, str]]:
    domain = settings.site.site_domain
    if domain is None and (for_reply or settings.site.staff_address or settings.alarms.alarm_smtp_url):
        yield "site_domain", "mail is to leave, so its domain is needed; give your own, such as example.jp"
    for name, given in (("site_domain", (domain,)), ("own_domains", settings.mail.own_domains)):
        for each in given:
            if each is not None and not _is_address(f"postmaster@{each}"):
                yield name, "is no domain; give the bare name, such as example.jp"


def _lists(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.mail.suppress_disposable and not is_installed():
        yield "suppress_disposable", "the list is missing; install formwarden[disposable], or switch this off"


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    lists = {
        "staff_address": settings.site.staff_address,
        "owner_test_addresses": settings.mail.owner_test_addresses,
        "alarm_address": settings.alarms.alarm_address,
    }
    for name, given in lists.items():
        for number, address in enumerate(given, start=1):
            if not _is_address(address):
                yield name, f"number {number} is no mail address; give addresses by commas or spaces"
    if settings.mail.mail_from is not None and not _is_address(settings.mail.mail_from):
        yield "mail_from", "is no mail address; give one of your own domain, without a name before it"


def _is_address(text: str) -> bool:
    from email_validator import EmailNotValidError, validate_email

    try:
        # The owner's own names: his relay may well serve `.local` or `.test`.
        validate_email(text, check_deliverability=False, globally_deliverable=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def _relays(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, url in (("smtp_url", settings.mail.smtp_url), ("alarm_smtp_url", settings.alarms.alarm_smtp_url)):
        if url is not None and not _is_relay(url.get_secret_value()):
            yield name, "is no relay; give smtp://[user:password@]host:port, or smtps:// for TLS from the start"


def _is_relay(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in SMTP_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a bracket too few
        return False


def _signing(settings: Settings) -> Iterator[tuple[str, str]]:
    domain, signing = settings.site.site_domain, settings.signing
    if signing.dkim_domain is not None and not _is_address(f"postmaster@{signing.dkim_domain}"):
        yield "dkim_domain", "is no domain; give the bare name, such as example.jp"
    sender = settings.mail.mail_from or f"noreply@{domain}"
    yield from signing.faults(domain, sender=sender, null_sender=settings.mail.envelope == "null")


def _alarms(settings: Settings) -> Iterator[tuple[str, str]]:
    alarms, key = settings.alarms, settings.alarms.alarm_webhook_key
    if alarms.alarm_webhook_url is not None:
        try:
            parse_webhook(alarms.alarm_webhook_url.get_secret_value(), local=alarms.alarm_webhook_local)
        except ValueError as error:
            yield "alarm_webhook_url", str(error)
    if key is not None and len(key.get_secret_value()) < KEY_CHARACTERS:
        yield "alarm_webhook_key", f"has fewer than {KEY_CHARACTERS} characters; make one: {KEY_COMMAND}"
    if alarms.alarm_file is not None and not Path(alarms.alarm_file).absolute().parent.is_dir():
        yield "alarm_file", "lies in no folder that is there; make the folder, or name another file"
    if alarms.alarm_smtp_url is not None and not (alarms.alarm_address or settings.site.staff_address):
        yield "alarm_smtp_url", "has nobody to mail to; give alarm_address, or staff_address"
    if alarms.alarm_address and alarms.alarm_smtp_url is None:
        yield "alarm_address", "is mailed by another relay than replies, and none is set; give alarm_smtp_url"


def _stores(settings: Settings) -> Iterator[tuple[str, str]]:
    urls = {"store_url": settings.stores.store_url, "counters_url": settings.stores.counters_url}
    for name, url in urls.items():
        if url is not None and not STORE_URL.fullmatch(url.get_secret_value()):
            yield name, "no such store; give sqlite:///file, sqlite:////absolute/file or memory://"
    if settings.site.machines > 1:
        # G19: each machine would grant the whole budget.
        yield "machines", "sqlite and memory serve one machine, and this release has no store for several; give 1"


def _public(settings: Settings) -> Iterator[tuple[str, str]]:
    try:
        usable = bool(urlsplit(settings.site.public_url or "https://example.com").hostname)
    except ValueError:  # a bracket too few
        usable = False
    if not usable:
        yield "public_url", "is no URL; give https://host, or https://host/path"


def _proxies(settings: Settings) -> Iterator[tuple[str, str]]:
    for word in settings.web.trusted_proxies:
        try:
            TrustedProxies.parse((word,))
        except ValueError as error:
            yield "trusted_proxies", str(error)


def _blocklists(settings: Settings) -> Iterator[tuple[str, str]]:
    for number, word in enumerate(settings.address.client_blocklists, start=1):
        try:
            Zone.parse(word)
        except ValueError as error:
            yield "client_blocklists", f"number {number} {error}"


def _scores(settings: Settings, signals: Collection[str]) -> Iterator[tuple[str, str]]:
    scoring = settings.scoring
    if scoring.quarantine > scoring.reject:
        yield "quarantine", f"{scoring.quarantine:g} points are above reject ({scoring.reject:g}); lower one of them"
    for name in sorted(set(scoring.weights) - set(signals)):
        near = get_close_matches(name, signals, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(signals))}"
        yield "weights", f"no signal {name!r}; {remedy}"
