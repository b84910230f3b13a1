"""All that the gate's table reads, and what it says."""

from dataclasses import dataclass, field

from formwarden.address.report import AddressReport, Flag
from formwarden.mail.watched import Watched
from formwarden.scoring import Action, Standing
from formwarden.stores.ports import Decision, Reputation


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """All that the table reads. `reputation` is None where the ledger did not answer."""

    reputation: Reputation | None
    report: AddressReport  # *invalid* where no address was given, or several; *unknown* where nobody asked DNS
    judged: Action
    standing: Standing
    released: bool = False  # by the owner's hand
    watched: Watched = field(default_factory=Watched)
    own_domains: frozenset[str] = frozenset()  # small ASCII letters; what lies below them is own too
    owners: frozenset[str] = frozenset()  # canonical addresses of the staff and of the owner's tests (G26)
    replies: bool = True  # the setting
    form_replies: bool = True  # the form has a reply, or the caller writes it himself
    suppress_disposable: bool = False  # the setting (G04)
    relay: bool = True  # one is configured, or the caller has his own
    waited_s: float = 0.0  # how long this reply has waited for DNS
    hold_dns_s: float = 3_600.0
    hold_suspect_s: float = 259_200.0

    @property
    def flags(self) -> frozenset[Flag]:
        """Marks of the address."""
        return self.report.flags

    @property
    def known(self) -> bool:
        """Prior contact (G03)."""
        return self.standing is Standing.KNOWN or (self.reputation is not None and self.reputation.known)

    @property
    def may_probe(self) -> bool:
        """Whether this reply may try a half-open breaker: a person is there, or the owner says so (G09)."""
        return self.released or self.standing is Standing.SHOWN

    @property
    def own(self) -> bool:
        """The address is below a domain of the site."""
        domain = f".{self.report.domain}"
        return Flag.OWN_DOMAIN in self.flags or any(domain.endswith(f".{own}") for own in self.own_domains)

    @property
    def owner(self) -> bool:
        """The address is the staff's, or one the owner tests with."""
        return self.report.canonical in self.owners


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """What the table says. Seconds count from now; a hold without `check_s` waits for the owner."""

    decision: Decision
    code: str
    explanation: str
    until_s: float | None = None
    check_s: float | None = None
