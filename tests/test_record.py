"""What is kept of a submission: enough to judge it again, and nothing in clear beyond body and recipient."""

import json
from pathlib import Path

import pytest

from formwarden.record import first_action, unjudged, unjudged_record
from formwarden.scoring import Action
from formwarden.stores.ports import State
from formwarden.submission import TOKEN_FIELD, Submission
from tests.sites import ADDRESS, MESSAGE, Site
from tests.stores.samples import inquiry

pytestmark = pytest.mark.anyio


async def test_every_hit_is_kept_with_points_strength_and_evidence(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor(scripts=False)
    await visitor.send(await visitor.open())
    kept = await site.inquiry()
    assert set(kept.hits) == set(kept.evidence) == set(kept.facts["strengths"])  # type: ignore[call-overload] # JSON
    assert "script_missing" in kept.hits


async def test_facts_and_evidence_hold_nothing_that_was_typed_and_no_address(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"name": "Unmistakable Name"})
    kept = await site.inquiry()
    written = json.dumps([dict(kept.facts), dict(kept.evidence), dict(kept.hits)])
    for text in (ADDRESS, MESSAGE, "Unmistakable", "gmail", visitor.ip):
        assert text not in written


@pytest.mark.parametrize("address", ["no address", "a@b@c", "x@host.local", "\udfff@gmail.com"])
async def test_what_can_never_be_mailed_is_no_recipient(tmp_path: Path, address: str) -> None:
    site = Site(tmp_path)
    page = await site.visitor().open()
    site.clock.move(20)
    fields = {**page.fields, "name": "Taro", "email": address, "message": MESSAGE}
    await site.warden.judge(Submission("contact", fields, client="203.0.113.9"))
    assert (await site.inquiry()).recipient is None


async def test_an_unjudged_submission_is_doubted_in_everything_but_its_way(tmp_path: Path) -> None:
    site = Site(tmp_path)
    submission = Submission("contact", {"message": MESSAGE, TOKEN_FIELD: "x"}, client="203.0.113.9")
    verdict = unjudged("contact", submission, b"i" * 16, 1_790_000_000.0)
    assert verdict.accepted
    assert not verdict.recorded
    assert dict(verdict.fields) == {"message": MESSAGE}
    kept = unjudged_record(verdict, submission)
    assert kept.state is State.ACCEPTED
    assert kept.body == submission.body
    assert (await site.warden.reply(verdict)).code == "LEDGER_DOWN"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (State.ACCEPTED, Action.ACCEPT),
        (State.DONE, Action.ACCEPT),
        (State.REFUSED, Action.ACCEPT),
        (State.ASKED, Action.ASK),
        (State.HELD, Action.QUARANTINE),
        (State.RELEASING, Action.QUARANTINE),
        (State.RELEASED, Action.QUARANTINE),
        (State.DISCARDED, Action.QUARANTINE),
        (State.REJECTED, Action.REJECT),
    ],
)
def test_a_second_click_has_the_action_of_what_the_first_became(state: State, action: Action) -> None:
    assert first_action(inquiry(1, state=state)) is action
