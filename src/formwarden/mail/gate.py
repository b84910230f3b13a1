"""May this address be mailed? An ordered table over facts; the first row that speaks decides.

The numbers are those of the decision table (issue 7), and what a code means stands in mail/codes.py. Rows 14 to 17
are budgets: the ledger decides them inside the reservation (mail/budgets.py), and which of those that row 18 lets
through is a probe. The gate has no monitor mode: `judged` is read, never what a watching form does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from formwarden.address.report import CacheState, Flag, Status
from formwarden.mail.codes import meaning_of
from formwarden.mail.gate_facts import GateDecision, GateFacts
from formwarden.mail.watched import Watched
from formwarden.scoring import Action, Standing
from formwarden.stores.outcomes import REPLIES_OFF_CODE, strongest, suppression_code
from formwarden.stores.ports import Decision, Key, Reputation, Shut

DNS_CHECKS_S: Final = (60.0, 600.0, 3_600.0)  # when DNS is asked again: 1, 10 and 60 minutes after the first time
WORKER_LATE_S: Final = 300.0  # the last look falls on the end of the hold; the worker may be this late for it
DNS_TEMPORARY: Final = "ADDR_DNS_TEMP"
STAFF_ROWS: Final = frozenset({2, 3, 4, 5, 6, 7, 8, 9, 10, 13})
"""Where one of these speaks, the staff's mail has no Reply-To (G24)."""


Hold = Callable[[GateFacts], tuple[float, float | None]]
Rule = Callable[[GateFacts], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: its rule returns the code where it speaks. With `hold` the reply waits, else it is suppressed."""

    number: int
    rule: Rule
    hold: Hold | None = None

    def read(self, facts: GateFacts) -> GateDecision | None:
        """Say what this row decides; None: nothing."""
        code = self.rule(facts)
        if code is None:
            return None
        until_s, check_s = self.hold(facts) if self.hold is not None else (None, None)
        return GateDecision(
            decision=Decision.SUPPRESS if self.hold is None else Decision.HOLD,
            code=code,
            explanation=meaning_of(code),
            until_s=until_s,
            check_s=check_s,
        )


def row(number: int, *, hold: Hold | None = None) -> Callable[[Rule], Row]:
    """Make a rule into a row of the table."""
    return lambda rule: Row(number=number, rule=rule, hold=hold)


def decide(facts: GateFacts) -> GateDecision:
    """Read the table from the top; the first row that speaks decides."""
    for each in TABLE:
        decision = each.read(facts)
        if decision is not None:
            return decision
    return GateDecision(decision=Decision.SEND, code="OK", explanation=meaning_of("OK"))  # row 19


def answerable(facts: GateFacts) -> bool:
    """Tell whether the staff's mail may carry a Reply-To: a program there would answer whoever it names (G24)."""
    if facts.reputation is None:
        return False
    return all(each.read(facts) is None for each in TABLE if each.number in STAFF_ROWS)


def stopped(reputation: Reputation, watched: Watched) -> str | None:
    """Name what has come to stand against a reply since its slot was taken: rows 1, 3 and 11 once more.

    Row 18 is not read again: what was let through then, a probe among them, goes on.
    """
    if reputation.replies_off:
        return REPLIES_OFF_CODE
    return _unsafe(reputation, watched) or _suppression(reputation, watched) or _open(reputation, watched)


def _suppression(reputation: Reputation, watched: Watched) -> str | None:
    causes = [reputation.suppressed[key] for key in watched.recipient if key in reputation.suppressed]
    return suppression_code(strongest(causes)) if causes else None


def _unsafe(reputation: Reputation, watched: Watched) -> str | None:
    return "CONFIG_UNSAFE" if _stands(reputation, watched.provider + watched.site, Shut.CONFIG) else None


def _open(reputation: Reputation, watched: Watched) -> str | None:
    if _stands(reputation, watched.provider, Shut.OPEN):
        return "BREAKER_PROVIDER"
    return "BREAKER_SITE" if _stands(reputation, watched.site, Shut.OPEN) else None


def _stands(reputation: Reputation, keys: Sequence[Key], shut: Shut) -> bool:
    return any(reputation.breakers.get(key) is shut for key in keys)


def _dns_hold(facts: GateFacts) -> tuple[float, float | None]:
    left_s = facts.hold_dns_s - facts.waited_s
    checks_s = [check - facts.waited_s for check in DNS_CHECKS_S if check < facts.hold_dns_s]
    return left_s + WORKER_LATE_S, min((check for check in checks_s if check > 0), default=left_s)


def _suspect_hold(facts: GateFacts) -> tuple[float, float | None]:
    return facts.hold_suspect_s, None


@row(0)
def ledger_down(facts: GateFacts) -> str | None:
    """Sending fails closed: the ledger did not answer."""
    return "LEDGER_DOWN" if facts.reputation is None else None


@row(0)
def no_reply(facts: GateFacts) -> str | None:
    """No auto-reply belongs to this form."""
    return None if facts.form_replies else "NO_REPLY"


@row(0)
def no_relay(facts: GateFacts) -> str | None:
    """No relay is configured (FORMWARDEN_SMTP_URL)."""
    return None if facts.relay else "NO_RELAY"


@row(1)
def switched_off(facts: GateFacts) -> str | None:
    """Auto-replies are switched off."""
    off = not facts.replies or (facts.reputation is not None and facts.reputation.replies_off)
    return REPLIES_OFF_CODE if off else None


@row(1)
def config_unsafe(facts: GateFacts) -> str | None:
    """The provider refuses how this site sends, until that is mended."""
    return _unsafe(facts.reputation, facts.watched) if facts.reputation is not None else None


@row(2)
def no_address(facts: GateFacts) -> str | None:
    """There is no single address that mail can be sent to."""
    return "ADDR_SYNTAX" if facts.report.status is Status.INVALID else None


@row(3)
def suppressed(facts: GateFacts) -> str | None:
    """On the suppression list stands this address, or its domain."""
    return _suppression(facts.reputation, facts.watched) if facts.reputation is not None else None


@row(4)
def bot(facts: GateFacts) -> str | None:
    """Judged to be a bot's, and the owner has not released it."""
    held = facts.judged in {Action.QUARANTINE, Action.REJECT}
    return "BOT" if held and not facts.released else None


@row(5)
def undeliverable(facts: GateFacts) -> str | None:
    """DNS says that the domain takes no mail."""
    return "ADDR_UNDELIVERABLE" if facts.report.status is Status.UNDELIVERABLE else None


@row(5)
def parked(facts: GateFacts) -> str | None:
    """Mail to this domain ends at a seller of names who reads none."""
    return "ADDR_PARKED" if Flag.PARKED_MX in facts.flags else None


@row(6)
def dns_waited_out(facts: GateFacts) -> str | None:
    """DNS has not answered for as long as a reply may wait for it."""
    return DNS_TEMPORARY if _unknown(facts) and facts.waited_s >= facts.hold_dns_s else None


@row(6, hold=_dns_hold)
def dns_temporary(facts: GateFacts) -> str | None:
    """DNS has not answered; it is asked again, and nobody is blamed."""
    half = Flag.SPF_UNKNOWN in facts.flags and facts.waited_s < facts.hold_dns_s  # row 13 reads it in the end
    return DNS_TEMPORARY if _unknown(facts) or (half and not facts.known and not facts.released) else None


@row(7)
def own_domain(facts: GateFacts) -> str | None:
    """An address of the site itself, and not one of the staff."""
    return "OWN_DOMAIN" if facts.own and not facts.owner else None


@row(8)
def role_system(facts: GateFacts) -> str | None:
    """A program's mailbox, or a desk that form floods aim at."""
    return "ROLE_SYSTEM" if Flag.ROLE_SYSTEM in facts.flags else None


@row(9)
def sms_gateway(facts: GateFacts) -> str | None:
    """Mail to this domain becomes text messages on somebody's phone."""
    return "SMS_GATEWAY" if Flag.SMS_GATEWAY in facts.flags else None


@row(10)
def disposable(facts: GateFacts) -> str | None:
    """A mailbox to throw away, and the owner answers none of those."""
    return "DISPOSABLE" if facts.suppress_disposable and Flag.DISPOSABLE in facts.flags else None


@row(11)
def breaker_open(facts: GateFacts) -> str | None:
    """Too many replies failed there lately; nothing queues behind an open breaker."""
    return _open(facts.reputation, facts.watched) if facts.reputation is not None else None


@row(13, hold=_suspect_hold)
def suspect(facts: GateFacts) -> str | None:
    """Nothing shows that a person is there, so the owner decides."""
    if facts.known or facts.released:
        return None
    # A form that only watches lets an *asked* one through: the click that would settle it was never made.
    doubted = facts.standing is Standing.DOUBTFUL or facts.judged is Action.ASK
    weak = Flag.WEAK in facts.flags and facts.standing is not Standing.SHOWN  # G04
    # It has no MX, and says that nobody there sends mail; or it has not said, which may be the same.
    silent = not facts.flags.isdisjoint({Flag.SPF_REJECT_ALL, Flag.SPF_UNKNOWN})
    return "HELD_SUSPECT" if doubted or weak or silent else None


@row(18)
def no_probe(facts: GateFacts) -> str | None:
    """A breaker is half open: only people we know, and a few that show themselves, try whether mail arrives."""
    if facts.reputation is None or facts.known or facts.may_probe:
        return None
    keys = facts.watched.provider + facts.watched.site
    return "BREAKER_PROBE" if _stands(facts.reputation, keys, Shut.PROBING) else None


TABLE: Final = (
    ledger_down,
    no_reply,
    no_relay,
    switched_off,
    config_unsafe,
    no_address,
    suppressed,
    bot,
    undeliverable,
    parked,
    dns_waited_out,
    dns_temporary,
    own_domain,
    role_system,
    sms_gateway,
    disposable,
    breaker_open,
    suspect,
    no_probe,
)


def _unknown(facts: GateFacts) -> bool:
    """Tell whether DNS owes an answer; the site's own domain is never asked (G33).

    A verdict past its time judges, and sends nothing: the look-up that renews it decides.
    """
    owed = facts.report.status is Status.UNKNOWN or facts.report.cache is CacheState.STALE
    return owed and not facts.own
