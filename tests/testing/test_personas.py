"""Every persona visits a real site: SQLite, ledger, relay, DNS; only the clock is moved."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx2
import pytest

from formwarden.stores.ports import State
from formwarden.submission import TOKEN_FIELD
from formwarden.testing.personas import BOTS, PEOPLE, Client, Draw, Length, Persona, Scene, Seen, Visitor
from formwarden.testing.personas.visit import Visit
from tests.e2e.demo_site import DemoSite
from tests.proof import Proof
from tests.soak import runs
from tests.testing.persona_site import ENTERED, PLAYED, Told, lost, persona_site

BY_NAME = {persona.name: persona for persona in (*BOTS, *PEOPLE)}
POSTING_OFTEN = frozenset({"replayer", "token-harvester", "address-rotator", "dot-shuffler"})
OFFICE = "office-of-thirty"
CLOSER = "tab-closer"


def visited(name: str, tmp_path: Path, *, small: int, soak: int) -> Told:
    """Let one persona visit a site of its own until it has posted about so often."""
    count = runs(small, soak)
    with persona_site(tmp_path) as site:
        if name in POSTING_OFTEN:
            return site.visits(BY_NAME[name], 1, many=count)
        return site.visits(BY_NAME[name], count)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["blind-poster", "fill-all", "header-forger"])
def test_a_bot_with_a_tell_is_never_accepted_and_causes_no_mail(name: str, tmp_path: Path, proof: Proof) -> None:
    told = visited(name, tmp_path, small=6, soak=200)
    proof(f"persona {name}", **told.figures())
    assert told.accepted == 0, told.why(*ENTERED)
    assert told.mails == 0


@pytest.mark.soak
def test_a_replayer_gets_what_a_person_may_correct_and_one_auto_reply(tmp_path: Path, proof: Proof) -> None:
    told = visited("replayer", tmp_path, small=13, soak=201)
    recorded, *replayed = told.sent
    state = {row.inquiry.receipt: row.inquiry.state for row in told.rows}
    corrections = sum(state[each.receipt] in ENTERED for each in replayed if each.receipt in state)
    proof("persona replayer, beyond the post it recorded", posts=len(replayed), accepted=corrections)
    proof("persona replayer, with the post it recorded", **told.figures())
    assert state[recorded.receipt or ""] in ENTERED, "the recorded one is a person's own"
    assert corrections <= 2, told.why(*ENTERED)
    assert told.accepted == corrections + 1
    assert told.mails <= 1


@pytest.mark.soak
@pytest.mark.parametrize(
    "name",
    ["polite-script", "token-harvester", "address-rotator", "evidence-forger", "json-poster", "dot-shuffler",
     "name-advertiser"],
)  # fmt: skip
def test_the_mail_of_a_bot_without_a_tell_stays_within_the_share_of_its_standing(
    name: str, tmp_path: Path, proof: Proof
) -> None:
    told = visited(name, tmp_path, small=8, soak=200)
    proof(f"persona {name}", **told.figures())
    assert told.mails == sum(row.reply is not None and row.reply.state == "sent" for row in told.rows)
    for standing, share in (("plain", 0.25), ("shown", 0.75)):  # G07: 5 an hour and 20 a day until proven
        assert told.most_mails(standing, 3_600) <= math.ceil(5 * share), standing
        assert told.most_mails(standing, 86_400) <= math.ceil(20 * share), standing
    assert told.mails_of("doubtful") == 0


@pytest.mark.soak
@pytest.mark.parametrize("name", [each.name for each in PEOPLE if each.name not in {OFFICE, CLOSER}])
def test_a_person_is_never_rejected_loses_nothing_and_is_hardly_ever_held(
    name: str, tmp_path: Path, proof: Proof
) -> None:
    told = visited(name, tmp_path, small=5, soak=100)
    proof(f"persona {name}", **told.figures())
    assert lost(told.sent) == []
    assert told.sent[-1].seen is Seen.THANKED
    assert State.REJECTED not in told.states
    assert told.held <= told.ended / 100, told.why(State.HELD)
    assert told.states.get(State.ASKED, 0) == 0, "everybody who was asked has answered"
    assert told.ended == sum(each.seen is Seen.THANKED for each in told.sent)


def test_a_person_with_scripts_has_shown_that_somebody_is_there(tmp_path: Path) -> None:
    told = visited("patient-typist", tmp_path, small=3, soak=3)
    assert [row.inquiry.facts["standing"] for row in told.rows] == ["shown"] * 3


def test_a_page_from_a_cache_gets_a_fresh_token_by_script(tmp_path: Path) -> None:
    with persona_site(tmp_path) as site:
        scene = site.scene(1)
        visit = Visit(scene.connect(), scene.draw.visitor())
        old = visit.open(scene.path)
        new = visit.renewed(old)
        again = visit.renewed(new)
    assert len({each.value(TOKEN_FIELD) for each in (old, new, again)}) == 3
    assert all(each.value(TOKEN_FIELD).count(".") == 3 for each in (old, new, again))


@pytest.mark.soak
def test_thirty_people_behind_one_address_are_all_accepted(tmp_path: Path, proof: Proof) -> None:
    with persona_site(tmp_path) as site:
        told = site.visits(BY_NAME[OFFICE], runs(1, 4))
    proof(f"persona {OFFICE}", **told.figures())
    assert lost(told.sent) == []
    assert told.held <= told.ended / 100, told.why(State.HELD)
    assert told.accepted + told.held == len([each for each in told.sent if each.seen is Seen.THANKED])


class OneRequest(Draw):
    """Visitors who all want the same, in the words that one of them passed round."""

    words = ""

    def visitor(self, language: str | None = None, length: Length | None = None) -> Visitor:
        visitor = super().visitor(language, length)
        where = f"{self.number(1, 99)} Harbour Road, {self.number(10_000, 99_999)} Northfield"
        return replace(visitor, message=self.words.format(name=visitor.name, where=where))


@pytest.mark.parametrize(
    "words",
    [
        "Please send me the new brochure.",
        "Please send me the new brochure. {name}, {where}",
        (
            "Dear all,\nwe would like to have a quote for one of the new standing desks in oak, as shown on page "
            "four of your brochure, with delivery to our office before the end of next month.\n"
            "My address: {where}\n{name}"
        ),
        (
            "お世話になっております。新しいカタログを一部、下記の住所までお送りいただけますでしょうか。"
            "あわせて納期と送料も教えていただけると助かります。よろしくお願いいたします。\n{where}\n{name}"
        ),
    ],
    ids=["one sentence", "with name and address", "a quote", "Japanese"],
)
def test_thirty_people_behind_one_address_may_all_ask_for_the_same(words: str, tmp_path: Path, proof: Proof) -> None:
    with persona_site(tmp_path) as site:
        scene = site.scene("one request")
        draw = OneRequest("one request", domains=PLAYED)
        draw.words = words
        sent = BY_NAME[OFFICE].act(scene.connect(), replace(scene, draw=draw))
        site.work()
        rows = site.rows()
    held = [row.inquiry for row in rows if row.inquiry.state is State.HELD]
    proof(f"persona {OFFICE}, one request", words=" ".join(words.split())[:30], posts=len(sent), held=len(held))
    assert lost(sent) == []
    assert held == [], [f"{each.score:.1f} {dict(each.hits)}" for each in held]


@pytest.mark.soak
def test_g22_one_who_closes_the_tab_is_in_the_owners_list_within_31_minutes(tmp_path: Path, proof: Proof) -> None:
    count = runs(5, 100)
    with persona_site(tmp_path) as site:
        for run in range(count):
            scene = site.scene(run)
            sent = BY_NAME[CLOSER].act(scene.connect(), scene)
            assert [each.seen for each in sent] == [Seen.ASKED]
            assert lost(sent) == []
            site.wait(31 * 60)
            site.work()
        states = [row.inquiry.state for row in site.rows()]
    proof(f"persona {CLOSER}", visits=count, in_the_owners_list=len(states))
    assert len(states) == count
    assert set(states) <= {State.HELD, State.RELEASED}


def nobody_waits(_seconds: float) -> None:
    """Let no time pass."""


def itself(client: Client) -> Client:
    return client


@pytest.mark.slow
def test_personas_visit_a_real_server_over_a_real_socket() -> None:
    ends: dict[str, Seen] = {}
    with DemoSite() as site:
        for persona in (BY_NAME["blind-poster"], BY_NAME["fill-all"], BY_NAME["autofill-customer"]):
            draw = Draw(persona.name, domains=PLAYED)
            with httpx2.Client(base_url=site.url) as client:
                scene = Scene(path="/contact", draw=draw, wait=nobody_waits, connect=partial(itself, client))
                ends[persona.name] = persona.act(client, scene)[-1].seen
        states = site.overview().states()
    assert ends["autofill-customer"] is Seen.THANKED  # quick as it is here, it is asked once, and answers
    assert (states["held"], states["done"]) == (2, 1)


def test_the_same_seed_draws_the_same_again_and_no_two_texts_are_equal() -> None:
    texts = [Draw(seed).visitor() for seed in range(300)]
    assert texts == [Draw(seed).visitor() for seed in range(300)]
    assert len({each.message for each in texts}) == 300


def test_g37_addresses_are_below_the_given_domain_or_nowhere() -> None:
    nowhere, own = Draw(1), Draw(1, domains=("*.shop.example",))
    assert all(nowhere.address().endswith(".invalid") for _ in range(50))
    assert all(own.address().endswith(".shop.example") for _ in range(50))


def test_every_persona_says_what_it_does() -> None:
    names = [each.name for each in (*BOTS, *PEOPLE)]
    assert len(set(names)) == len(names) == 23
    assert all(each.says.endswith(".") and "\n" not in each.says for each in (*BOTS, *PEOPLE))
    assert [each.person for each in BOTS] == [False] * len(BOTS)
    assert [each.person for each in PEOPLE] == [True] * len(PEOPLE)


def test_bots_and_people_draw_from_the_same_generators(tmp_path: Path) -> None:
    with persona_site(tmp_path) as site:
        bot: Persona = BY_NAME["polite-script"]
        first, second = site.scene("one seed"), site.scene("one seed")
        typed = bot.act(first.connect(), first)[0].address
        site.wait(86_400)
        assert BY_NAME["no-script-reader"].act(second.connect(), second)[0].address == typed


def test_a_page_without_a_form_is_said_to_have_none(tmp_path: Path) -> None:
    with persona_site(tmp_path) as site:
        scene = site.scene(1)
        wrong = Scene(path="/", draw=scene.draw, wait=scene.wait, connect=scene.connect)
        with pytest.raises(LookupError, match="no form"):
            BY_NAME["patient-typist"].act(scene.connect(), wrong)
