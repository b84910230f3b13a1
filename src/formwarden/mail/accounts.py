"""Whose reply it is: what a granted one's row keeps, for what its outcome will mean."""

from formwarden.address.report import Flag
from formwarden.mail.cases import Case
from formwarden.mail.watched import Watched, label_of, provider_group
from formwarden.scoring import Standing
from formwarden.stores.ports import Account
from formwarden.subjects import Subjects, bounced


def account_of(case: Case, watched: Watched, subjects: Subjects, standing: Standing) -> Account | None:
    """Name recipient, provider and client in the ledger's keys; None: there is no address to send to."""
    report = case.report
    if not watched.address:
        return None
    group = provider_group(report)
    # Behind a freemail domain stand many strangers: what one of them does is not said of the next (G12).
    own = report.registrable or report.domain if Flag.FREEMAIL not in report.flags else None
    return Account(
        recipient=watched.address,
        provider=watched.provider[0],
        site=watched.site[0],
        label=label_of(group),
        domain=subjects.keys("registrable", own)[0] if own else None,
        client=bounced(case.client.readable[:1])[0] if case.client.readable else None,
        network=case.network.readable,
        standing=str(standing),
    )
