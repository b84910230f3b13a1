from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden import Action, Fields, Standing
from formwarden.address.report import Reason, Status
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.desk.rebuild import Rebuilder, parsed, typed_fields
from formwarden.stores.ports import State
from tests.clock import MovableClock
from tests.sites import ScriptedResolver
from tests.stores.samples import inquiry

URLENCODED = "application/x-www-form-urlencoded"
BODY = b"_fw_form=m&_fw_token=t&_fw_seen=s&plaque_topic=&name=Taro&message=a&message=b"
FACTS = {
    "judged": "quarantine",
    "standing": "plain",
    "language": "ja",
    "traps": ["plaque_topic", "weekly_digest"],
    "limits": {},
}


@pytest.fixture
def resolver() -> ScriptedResolver:
    return ScriptedResolver()


@pytest.fixture
def rebuilder(resolver: ScriptedResolver, clock: MovableClock) -> Rebuilder:
    checker = AddressChecker(
        resolver, settings=Address(), suffixes=Suffixes(), clock=clock, own_domains=frozenset[str]()
    )
    return Rebuilder(checker)


def test_what_was_typed_is_read_from_the_kept_body() -> None:
    kept = inquiry(1, body=BODY, facts=FACTS)
    assert typed_fields(kept) == Fields([("name", "Taro"), ("message", "a"), ("message", "b")])


@pytest.mark.parametrize("facts", [{}, {"traps": None}, {"traps": "plaque_topic"}, {"traps": [7]}])
def test_without_the_traps_names_the_rest_is_still_read(facts: dict[str, object]) -> None:
    assert typed_fields(inquiry(1, body=BODY, facts=facts)).all("message") == ("a", "b")


@given(body=st.none() | st.binary(max_size=40))
def test_a_body_that_is_gone_or_broken_is_empty(body: bytes | None) -> None:
    kept = inquiry(1, body=body)
    assert parsed(kept).uploads == ()
    assert not parsed(replace(kept, content_type="multipart/form-data; boundary=x")).uploads
    assert not parsed(replace(kept, content_type="text/plain")).fields


@pytest.mark.anyio
async def test_a_verdict_is_made_again_accepted_with_its_own_reasons(rebuilder: Rebuilder) -> None:
    kept = inquiry(1, body=BODY, facts=FACTS, state=State.HELD, recipient="taro@gmail.com", score=6.5)
    verdict = await rebuilder.verdict(kept, released=True)
    assert (verdict.action, verdict.judged) == (Action.ACCEPT, Action.QUARANTINE)
    assert (verdict.id, verdict.receipt, verdict.form, verdict.score) == (kept.id, kept.receipt, kept.form, 6.5)
    assert (verdict.standing, verdict.language, verdict.released) == (Standing.PLAIN, "ja", True)
    assert [(hit.signal, hit.points, hit.evidence) for hit in verdict.hits] == [("too_young", 1.5, "1.2 s")]
    assert verdict.lineage == kept.lineage
    assert verdict.recorded


@pytest.mark.anyio
async def test_g22_released_by_itself_it_is_doubtful_and_nobody_released_it(rebuilder: Rebuilder) -> None:
    verdict = await rebuilder.verdict(inquiry(1, facts=FACTS), released=False)
    assert (verdict.standing, verdict.released) == (Standing.DOUBTFUL, False)


@pytest.mark.anyio
async def test_the_address_is_looked_up_anew(rebuilder: Rebuilder, resolver: ScriptedResolver) -> None:
    kept = inquiry(1, facts=FACTS, recipient="taro@nagoya-bow.jp")
    assert (await rebuilder.verdict(kept, released=True)).report is not None
    assert resolver.asked["nagoya-bow.jp"] == 1
    resolver.gone.add("osaka-bow.jp")
    gone = await rebuilder.verdict(inquiry(2, facts=FACTS, recipient="taro@osaka-bow.jp"), released=True)
    assert gone.report is not None
    assert (gone.report.status, gone.report.reason) == (Status.UNDELIVERABLE, Reason.NXDOMAIN)


@pytest.mark.anyio
async def test_without_an_address_none_is_looked_up(rebuilder: Rebuilder, resolver: ScriptedResolver) -> None:
    verdict = await rebuilder.verdict(inquiry(1, facts=FACTS, recipient=None), released=True)
    assert (verdict.address, verdict.report) == (None, None)
    assert resolver.asked == {}


@pytest.mark.anyio
@pytest.mark.parametrize("facts", [{}, {"judged": "what?", "standing": "noble", "language": 7}])
async def test_facts_of_another_release_do_not_stop_it(rebuilder: Rebuilder, facts: dict[str, object]) -> None:
    verdict = await rebuilder.verdict(inquiry(1, facts=facts), released=True)
    assert verdict.standing is Standing.DOUBTFUL
    assert verdict.accepted
