"""Whole replies before there are any: written for a hostile visitor with the site's own settings, and looked through.

What needs no settings, `AutoReply` has checked at its own construction.
"""

from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Final
from urllib.parse import urlsplit

from formwarden.errors import ComposeError, TemplateError
from formwarden.forms import GuardedForm
from formwarden.mail.autoreply import AutoReply
from formwarden.mail.canaries import CANARIES, MARK, PLAIN, foreign, leaked
from formwarden.mail.compose import Composer
from formwarden.mail.settings import Mail
from formwarden.mail.stop_links import KEY_BYTES
from formwarden.site import Site
from formwarden.stores.ports import Key

SAMPLE_ID: Final = bytes(16)
SAMPLE_AT: Final = 1_790_000_000.0  # 21 September 2026: no month is longer
LONGEST_REFERENCE: Final = "FW-XXXX-XXXX"
# 254 octets (RFC 5321 section 4.5.3.1.3): what fits with this recipient fits with every other
LONGEST_RECIPIENT: Final = f"{MARK}{'x' * 56}@{'x' * 60}.{'x' * 60}.{'x' * 59}.invalid"
FEW: Final = {"a name": PLAIN, "a URL": CANARIES["a URL"]}
"""With and without a name: `AutoReply` has tried all the others, and each mail takes milliseconds."""

ALL: Final = {**FEW, **CANARIES}
OF_A_VISITOR: Final = frozenset({"to"})  # the header that names him


class ReplyLint:
    """Looks through the replies of a site. `doctor` asks it again, and so may the site's own tests."""

    def __init__(self, composer: Composer, site: Site, mail: Mail) -> None:
        self._composer = composer
        self._hosts = own_hosts(site, mail)

    def check(self, forms: Mapping[str, GuardedForm]) -> None:
        """Raise TemplateError with everything that a form's reply would let through."""
        replies = {name: form.reply for name, form in forms.items() if form.reply is not None}
        found = [f"form {name!r}: {leak}" for name, reply in replies.items() for leak in self._found(reply, FEW)]
        if found:
            raise TemplateError("\n".join(found))

    def leaks(self, auto: AutoReply) -> tuple[str, ...]:
        """Say what a reply would carry that is not the site's, each with its remedy; none: it may leave."""
        return self._found(auto, ALL)

    def _found(self, auto: AutoReply, canaries: Mapping[str, str]) -> tuple[str, ...]:
        found = (leak for language in auto.languages for leak in self._leaks(auto, language, canaries))
        return tuple(dict.fromkeys(found))

    def _leaks(self, auto: AutoReply, language: str, canaries: Mapping[str, str]) -> Iterator[str]:
        for what, canary in canaries.items():
            try:
                headers, text = self._written(auto, language, canary)
            except ComposeError as error:
                yield f"reply ({language}): {error}"
                return
            slots = auto.slots(language)
            for place in leaked(_ours(headers), text, canary, slots=slots):
                yield f"reply {place} ({language}): {what} that a visitor typed would stand there"
            for host in foreign(f"{text}\n{headers['subject']}\n{headers['from']}", self._hosts):
                yield (
                    f"reply text ({language}): a link leads to {host}, which is not the site's; "
                    "take it out, or add the domain to FORMWARDEN_OWN_DOMAINS if it is yours"
                )

    def _written(self, auto: AutoReply, language: str, canary: str) -> tuple[Mapping[str, str], str]:
        mail = self._composer.reply(
            auto,
            recipient=LONGEST_RECIPIENT,
            language=language,
            reference=LONGEST_REFERENCE,
            received_at=SAMPLE_AT,
            reply_id=SAMPLE_ID,
            person=canary,
            stop=Key(bytes(KEY_BYTES)),
        )
        message = message_from_bytes(mail.data)
        body = message.get_payload(decode=True)
        headers = {name.lower(): str(make_header(decode_header(value))) for name, value in message.items()}
        return headers, body.decode() if isinstance(body, bytes) else ""


def own_hosts(site: Site, mail: Mail) -> frozenset[str]:
    """Return the domains that links of ours may lead to, and to hosts below them."""
    public = urlsplit(site.public_url or "").hostname
    given = (site.site_domain, public, *mail.own_domains)
    return frozenset(each.lower() for each in given if each)


def _ours(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in headers.items() if name not in OF_A_VISITOR}
