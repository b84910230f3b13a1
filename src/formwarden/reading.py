"""What a submission carries, read before anything is looked up: all of it is free."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from formwarden.address.report import AddressReport, Flag
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import check_syntax
from formwarden.clients import find_client
from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.facts import (
    Facts,
    MarkerOutcome,
    Origin,
    PageFacts,
    RepeatFacts,
    ScriptFacts,
    TokenOutcome,
    WorkFacts,
)
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.json_values import is_json
from formwarden.kept_files import ResentBody
from formwarden.page.effort import Effort
from formwarden.page.evidence import page_facts, script_facts, typed_fields
from formwarden.page.header import HEADER, own_field, read_header, with_traps
from formwarden.page.traps import Trap, Traps
from formwarden.prints import Prints, text_prints
from formwarden.proxies import TrustedProxies
from formwarden.signals.limits import SignalLimits
from formwarden.site import Site
from formwarden.stores.ports import Key, Observation, Observed, Tally
from formwarden.subjects import ClientSubjects
from formwarden.submission import (
    EVIDENCE_FIELD,
    MARKER_FIELD,
    TOKEN_FIELD,
    Client,
    Fields,
    Submission,
    Upload,
)
from formwarden.tokens import Marker, Token, Tokens
from formwarden.vouchers.asking import Presented, Vouchers, prints_of

ID_BYTES: Final = 16
TOKEN_WINDOW_S: Final = 86_400.0
LINEAGE_WINDOW_S: Final = 86_400.0
COARSE: Final = frozenset({"network", "domain", "form"})  # of few values: they say something when the fine ones flood
CLIENT_WINDOW_S: Final = 600.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S  # for as long are texts remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One submission, read."""

    form: GuardedForm
    submission: Submission
    received_at: float
    client: Client
    typed: Fields
    traps: tuple[str, ...]
    token: Token | None
    outcome: TokenOutcome
    page: PageFacts
    script: ScriptFacts
    work: WorkFacts
    origin: Origin
    networks: tuple[Key, ...]
    addresses: tuple[str, ...]
    syntax: AddressReport | None  # of the one address; None: none or several
    id: bytes
    observation: Observation
    tallies: dict[str, Key]  # what each tally counts -> its newest key
    prints: Prints
    presented: tuple[Presented, ...] = ()  # what vouchers are to be asked about
    alternative: Fields | None = None  # what was typed, in the other reading of the same bytes

    def resent(self, body: ResentBody) -> "Reading":
        """Return the same with another body and its files; what the submission is known by stays."""
        sent = replace(
            self.submission,
            uploads=body.parsed.uploads,
            content_type=body.content_type,
            body=body.body,
            spooled=None,
        )
        return replace(self, submission=sent)


class Reader:
    """Reads submissions: tokens, traps, evidence, the client, the syntax of the address."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        traps: Traps,
        site: Site,
        limits: SignalLimits,
        proxies: TrustedProxies,
        suffixes: Suffixes,
        clients: ClientSubjects,
        vouchers: Vouchers,
        clock: Clock,
        entropy: Entropy,
        faults: Faults,
    ) -> None:
        self._tokens = tokens
        self._effort = Effort(tokens)
        self._traps = traps
        self._site = site
        self._public_host = urlsplit(site.public_url or "").netloc
        self._limits = limits
        self._proxies = proxies
        self._suffixes = suffixes
        self._clock = clock
        self._entropy = entropy
        self._faults = faults
        self._subjects = clients
        self._vouchers = vouchers
        self._id_key = tokens.derive("submissions")
        self._print_key = tokens.derive("prints")

    def client_of(self, submission: Submission) -> Client:
        """Return the client as given, or find it from socket and forwarding headers."""
        if submission.client is not None:
            return submission.client
        return self.client_at(submission.peer, submission.headers)

    def client_at(self, peer: str | None, headers: Mapping[str, str]) -> Client:
        """Find the client from the socket's peer and the forwarding headers."""
        found = find_client(peer, headers, self._proxies)
        if found.fault is not None:
            self._faults.remark("proxy", found.fault)
        return found.client

    def networks_of(self, client: Client, window_s: float = TOKEN_WINDOW_S) -> tuple[Key, ...]:
        """Name the client's network under today's key and those before; nothing for an unknown client."""
        if client.network is None:
            return ()
        return self._subjects.keys("network", client.network, now=self._clock.now(), window_s=window_s)

    def read(self, form: GuardedForm, submission: Submission) -> Reading:
        """Read everything that needs no look-up."""
        header = read_header(submission.headers.get(HEADER))
        now = submission.received_at if submission.received_at is not None else self._clock.now()
        client = self.client_of(submission)
        networks = self.networks_of(client)
        marker_text, token_text, evidence_text = _own_texts(submission, header)
        marker = self._tokens.read_marker(marker_text, form.name)
        traps = self._traps_of(form, marker)
        sent = with_traps(submission.fields, header, traps)
        typed = typed_fields(sent, traps).without(self._vouchers.fields)
        outcome, token = self._tokens.read(token_text, form.name, stale_after_s=self._limits.stale_after_s)
        script = script_facts(evidence_text, token_text)
        addresses = tuple(dict.fromkeys(v.strip() for v in typed.all(form.address) if v.strip()))
        syntax = check_syntax(addresses[0], self._suffixes) if len(addresses) == 1 else None
        tallies = self._tallies(form, client, syntax, token)
        prints = text_prints((value for name in form.message for value in typed.all(name)), self._print_key)
        digest = self._digest(form, typed, submission.uploads)
        presented = self._vouchers.read(sent, token.nonce if token else None)
        return Reading(
            form=form,
            submission=submission,
            received_at=now,
            client=client,
            typed=typed,
            traps=tuple(trap.name for trap in traps if trap.name not in typed),
            token=token,
            outcome=outcome,
            page=page_facts(sent, marker=marker.outcome, traps=traps, script=script),
            script=script,
            work=self._effort.facts(outcome, token, token_text, script.answer),
            origin=self._origin(submission),
            networks=networks,
            addresses=addresses,
            syntax=syntax,
            id=self.new_id() if token is None else self._digest(form, typed, submission.uploads, token.nonce),
            observation=Observation(
                nonce=token.nonce if token else None,
                networks=networks,
                body=digest,
                tallies=tuple(tallies.values()),
                prints=(*((prints.exact,) if prints.exact else ()), *prints.near, *prints_of(presented)),
            ),
            tallies={name: tally.keys[0] for name, tally in tallies.items()},
            prints=prints,
            presented=presented,
            alternative=None if submission.alternative is None else self._alternative(submission.alternative, traps),
        )

    def new_id(self) -> bytes:
        """Make an id for a submission that nothing can be recognised by."""
        return self._entropy(ID_BYTES)

    def is_marked(self, marker: str, form: GuardedForm) -> bool:
        """Say whether this is a marker of ours for that form."""
        return self._tokens.read_marker(marker, form.name).outcome is MarkerOutcome.VALID

    def facts(
        self, reading: Reading, outcome: TokenOutcome, observed: Observed | None, address: AddressReport | None
    ) -> Facts:
        """Put together what signals read; `observed` None: the counters did not answer."""
        uses = None if observed is None else 0 if observed.same_body else observed.uses
        token = self._tokens.facts(outcome, reading.token, networks=reading.networks, uses=uses)
        return Facts(
            typed=reading.typed,
            roles=reading.form.roles(self._site.site_domain),
            token=token,
            page=reading.page,
            script=reading.script,
            work=reading.work if outcome is TokenOutcome.FRESH else WorkFacts(),
            origin=reading.origin,
            client_known=reading.client.ip is not None,
            repeats=_repeats(reading, observed),
            address=address,
            addresses=reading.addresses,
            limits=self._limits,
        )

    def _alternative(self, sent: Fields, traps: Sequence[Trap]) -> Fields:
        return typed_fields(sent, traps).without(self._vouchers.fields)

    def _traps_of(self, form: GuardedForm, marker: Marker) -> Sequence[Trap]:
        epoch = marker.epoch if marker.key_id else self._traps.epoch(self._clock.now())
        return self._traps.of(form, epoch=epoch, key_id=marker.key_id)

    def _origin(self, submission: Submission) -> Origin:
        """Compare where the browser says it comes from with where it went (G01)."""
        origin, site = submission.headers.get("origin"), submission.headers.get("sec-fetch-site")
        own = {submission.host, self._public_host}
        if origin is not None:
            host = _netloc(origin)
            return Origin.OWN if host and host in own else Origin.CROSS
        if site is not None:
            return Origin.OWN if site == "same-origin" else Origin.CROSS
        return Origin.ABSENT

    def _tallies(
        self, form: GuardedForm, client: Client, syntax: AddressReport | None, token: Token | None
    ) -> dict[str, Tally]:
        subjects: dict[str, tuple[bytes | None, float]] = {
            "client": (client.identity, CLIENT_WINDOW_S),
            "client week": (client.identity, WEEK_S),
            "network": (client.network, HOUR_S),
            "address": (_bytes(syntax.canonical if syntax else None), DAY_S),
            "domain": (_domain(syntax), HOUR_S),
            "form": (form.name.encode(), HOUR_S),
            "lineage": (token.lineage if token else None, LINEAGE_WINDOW_S),
        }
        now = self._clock.now()
        return {
            name: Tally(
                keys=self._subjects.keys(f"seen {name}", value, now=now, window_s=window_s),
                window_s=window_s,
                coarse=name in COARSE,
            )
            for name, (value, window_s) in subjects.items()
            if value is not None
        }

    def _digest(self, form: GuardedForm, typed: Fields, uploads: Sequence[Upload], nonce: bytes = b"") -> bytes:
        """Hash what was sent: the pairs in order, ours removed, and files by name and SHA-256 (DESIGN, Retry)."""
        digest = hashlib.blake2b(key=self._id_key, digest_size=ID_BYTES)
        parts = [form.name.encode(), nonce]
        parts += [text.encode("utf-8", "surrogatepass") for pair in typed.pairs for text in pair]
        for upload in uploads:
            names = (upload.field, upload.filename)
            parts += [*(name.encode("utf-8", "surrogatepass") for name in names), upload.sha256]
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()


def _own_texts(submission: Submission, header: Fields) -> tuple[str | None, ...]:
    """Find marker, token and evidence; a JSON body is the client's own, so its header is asked first."""
    header_first = is_json(submission.content_type)
    names = (MARKER_FIELD, TOKEN_FIELD, EVIDENCE_FIELD)
    return tuple(own_field(name, submission.fields, header, header_first=header_first) for name in names)


def _netloc(origin: str) -> str:
    """Return host and port of an Origin header; nothing for `null` and for what is no URL."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # a bracket too few
        return ""


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _domain(syntax: AddressReport | None) -> bytes | None:
    """Name the address's domain where one owner stands behind it: everybody has a freemail address."""
    if syntax is None or syntax.registrable is None or Flag.FREEMAIL in syntax.flags:
        return None
    return syntax.registrable.encode()


def _repeats(reading: Reading, observed: Observed | None) -> RepeatFacts:
    """Read the counts; what this very submission left there before (a retry, an ask page) is not held against it."""
    if observed is None:
        return RepeatFacts()
    token = reading.token
    # one that came without a token and was asked for again begins its lineage with the answer
    own = int(observed.same_body) + (max(token.reissues, int(token.parent is not None)) if token else 0)

    def count(name: str) -> int | None:
        key = reading.tallies.get(name)
        return None if key is None else max(0, observed.counts.get(key, 0) - own)

    near = [observed.seen.get(each, 0) for each in reading.prints.near]
    return RepeatFacts(
        client=count("client"),
        client_week=count("client week"),
        network=count("network"),
        address=count("address"),
        domain=count("domain"),
        form=count("form"),
        lineage=observed.counts.get(reading.tallies["lineage"], 0) if "lineage" in reading.tallies else None,
        same_text=max(0, observed.seen.get(reading.prints.exact, 0) - own) if reading.prints.exact else None,
        near_text=max(0, max(near) - own) if near else None,
    )
