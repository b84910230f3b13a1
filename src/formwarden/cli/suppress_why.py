"""`formwarden suppress why` says why a person got no mail, and what the gate would say now."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from formwarden.address.report import AddressReport, Status
from formwarden.address.resolvers import resolver_for
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import check_syntax
from formwarden.address.verify import AddressChecker
from formwarden.cli.apps import load
from formwarden.cli.suppress_list import cause_text, end_text, moment, printable
from formwarden.cli.told import Told
from formwarden.desk.why import STANDINGS, Why, Whys
from formwarden.entropy import system_entropy
from formwarden.errors import AddressError, SettingsError
from formwarden.forms import GuardedForm
from formwarden.mail.autoreply import AutoReply
from formwarden.mail.codes import meaning_of
from formwarden.mail.replies import Replies
from formwarden.scoring import Standing
from formwarden.stores.ports import Shut
from formwarden.subjects import ClientSubjects

if TYPE_CHECKING:
    from formwarden.clock import Clock
    from formwarden.faults import Faults
    from formwarden.settings import Settings
    from formwarden.stores.ports import Store
    from formwarden.warden import Warden

AGAINST: Final = 1  # exit code
UNNAMED: Final = "a form"  # where only the site's own budgets are asked
NOT_ASKED: Final = "not asked (--offline): nothing is said of the provider, its breaker and its budget"
NOBODY: Final = (
    "none was asked for: its inquiries, if there are any, were held, rejected or led to another click, the site did "
    "not call `reply`, or it is too long ago"
)
HERE: Final = "  (by the settings found here; where the site sets them in its code, name it: --app main:warden)"
SHUT: Final[Mapping[Shut, str]] = {
    Shut.OPEN: "open",
    Shut.PROBING: "half open: a few replies try it",
    Shut.CONFIG: "it refuses how this site sends",
}


async def why(
    args: argparse.Namespace, settings: "Settings", store: "Store", *, clock: "Clock", faults: "Faults"
) -> Told:
    """Say why. Raises AddressError where it is no address at all."""
    if check_syntax(args.address).status is Status.INVALID:
        raise AddressError(f"{args.address[:320]!r} is no address that mail could go to: it gets none (ADDR_SYNTAX)")
    warden = None if args.app is None else load(args.app)
    form = GuardedForm(args.form or UNNAMED, reply=AutoReply()) if warden is None else _form(args, warden)
    replies = Replies(
        store.ledger,
        store.recipient_keys,
        ClientSubjects(()),  # nobody in particular asks
        settings=settings.mail,
        site=settings.site,
        forms={form.name: form},
        clock=clock,
        faults=faults,
    )
    report = await _report(args, settings, clock)
    preview = replies.preview if warden is None else warden.preview
    whys = Whys(store=store, replies=replies, preview=preview, form=form.name, entropy=system_entropy)
    try:
        found = await whys.of(report)
    finally:
        if warden is not None:
            await warden.aclose()
    return Told(
        values=_values(found, offline=args.offline),
        lines=[*_lines(found, offline=args.offline), *([HERE] if args.app is None else [])],
        code=AGAINST if found.stands else 0,
    )


def _form(args: argparse.Namespace, warden: "Warden") -> GuardedForm:
    """Return the form whose budgets are asked."""
    name = args.form or (next(iter(warden.forms)) if len(warden.forms) == 1 else "")
    if name not in warden.forms:
        raise SettingsError((f"--form: give one of {', '.join(warden.forms)}",))
    return warden.forms[name]


async def _report(args: argparse.Namespace, settings: "Settings", clock: "Clock") -> AddressReport:
    """Ask DNS, unless told not to; then the domain is taken to be well, or all else could not be seen."""
    resolver, suffixes = resolver_for(settings.address), Suffixes()
    dns = "off" if args.offline else settings.address.dns
    own = frozenset(name.lower() for name in (*settings.mail.own_domains, settings.site.site_domain) if name)
    checker = AddressChecker(
        resolver,
        settings=settings.address.model_copy(update={"dns": dns}),
        suffixes=suffixes,
        clock=clock,
        own_domains=own,
    )
    if not args.offline:
        await resolver.load()
    report = await checker.verify(args.address)
    return replace(report, status=Status.DELIVERABLE) if args.offline else report


def _values(found: Why, *, offline: bool) -> dict[str, object]:
    return {
        "address": found.report.address,
        "status": None if offline else str(found.report.status),
        "reason": None if offline else str(found.report.reason),
        "provider": found.report.provider,
        "replies_off": found.off,
        "known": found.known,
        "suppressed": [
            {"cause": each.listed.cause, "until": each.listed.until, "domain": each.whole_domain}
            for each in found.against
        ],
        "breakers": [
            {
                "of": "site" if each.site else "provider",
                "shut": str(each.breaker.shut),
                "cause": each.breaker.cause,
                "until": each.breaker.until,
            }
            for each in found.shutters
        ],
        "replies": [
            {
                "at": row.created_at,
                "state": row.state,
                "code": row.code,
                "meaning": meaning_of(row.code),
                "held_until": row.held_until,
                "last": row.last,
            }
            for row in found.replies
        ],
        "waiting": [
            {"receipt": each.receipt, "state": str(each.state), "at": each.received_at, "score": each.score}
            for each in found.waiting
        ],
        "waiting_complete": found.looked_at_all,
        "now": {
            str(standing): {"decision": str(result.decision), "code": result.code, "meaning": meaning_of(result.code)}
            for standing, result in found.now.items()
        },
    }


def _lines(found: Why, *, offline: bool) -> Iterator[str]:
    report = found.report
    provider = f", provider {report.provider}" if report.provider else ""
    yield printable(report.address)
    yield f"  DNS:          {NOT_ASKED if offline else f'{report.status} ({report.reason}){provider}'}"
    if found.off:
        yield "  switch:       all auto-replies are off (formwarden reply on)"
    listed = "; ".join(cause_text(each.listed, whole_domain=each.whole_domain) for each in found.against)
    yield f"  suppressed:   {listed or 'no'}"
    yield f"  known:        {'yes' if found.known else 'no'}"
    for shutter in found.shutters:
        until = "until mended" if shutter.breaker.until is None else end_text(shutter.breaker.until)
        who = "of the site" if shutter.site else "of its provider"
        yield f"  breaker:      {who}: {SHUT[shutter.breaker.shut]} ({shutter.breaker.cause}), {until}"
    yield "  replies:" + ("" if found.replies else f"      {NOBODY}")
    for row in found.replies:
        said = f"; last: {printable(row.last)}" if row.last else ""
        yield f"    {moment(row.created_at)}  {row.state}, {row.code}: {meaning_of(row.code)}{said}"
    yield from _waiting_lines(found)
    yield "  now the gate would say of a person, by standing:"
    for standing in STANDINGS:
        result = found.now[standing]
        yield f"    {_padded(standing)}  {result.decision}, {result.code}: {meaning_of(result.code)}"


def _waiting_lines(found: Why) -> Iterator[str]:
    if found.waiting:
        yield "  inquiries of it that wait for you (a reply follows their release):"
    for each in found.waiting:
        yield f"    {moment(each.received_at)}  {each.receipt} {each.state}, {each.score:g} points"
    if not found.looked_at_all:
        yield "  more inquiries wait than were looked at: search the rest on the console"


def _padded(standing: Standing) -> str:
    return f"{standing:{max(len(each) for each in STANDINGS)}}"
