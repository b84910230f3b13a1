import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from formwarden import Action, Answer, AskPage, Fields, GuardedForm, Hit, Standing, Upload, Verdict
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import check_syntax
from formwarden.answers import Answers, redirect
from formwarden.challenge import Click
from formwarden.faults import Faults
from formwarden.forms import Ask
from formwarden.page.assets import Assets
from formwarden.page.issuing import IssueLimit, Issuer
from formwarden.page.pages import OurPages
from formwarden.page.pressure import Pressure
from formwarden.page.receipts import ReceiptLinks
from formwarden.page.texts import CAUSES, AskCause
from formwarden.page.traps import Traps
from formwarden.submission import Client
from formwarden.tokens import Tokens
from tests.clock import MovableClock
from tests.page.elements import Elements

FORM = GuardedForm("contact", path="/contact")
VERDICT = Verdict(
    id=b"0123456789abcdef",
    receipt="FW-AAAA-BBBB",
    form="contact",
    action=Action.ACCEPT,
    judged=Action.ACCEPT,
    score=0.0,
    hits=(),
    standing=Standing.PLAIN,
    fields=Fields([("name", "Taro"), ("email", "taro@exmaple.jp"), ("message", "Hello <b>there</b>")]),
    address="taro@exmaple.jp",
    again="the-token",
)


def hit(signal: str, *, asks: bool = True) -> Hit:
    return Hit(signal=signal, group="token", points=1.0, strength=1.0, evidence="", asks=asks)


@pytest.fixture
def faults(clock: MovableClock) -> Faults:
    return Faults(clock)


@pytest.fixture
def make(clock: MovableClock, faults: Faults) -> Callable[[GuardedForm], Answers]:
    tokens = Tokens(["k" * 40], clock=clock, entropy=lambda size: b"1" * size)
    assets = Assets("/_formwarden/")

    def networks(_: Client) -> tuple[()]:
        return ()

    issuer = Issuer(
        tokens=tokens,
        traps=Traps(tokens),
        assets=assets,
        networks_of=networks,
        limit=IssueLimit(clock, 60),
        pressure=Pressure(clock),
        clock=clock,
    )

    def answers(form: GuardedForm) -> Answers:
        return Answers(
            forms={form.name: form},
            issuer=issuer,
            links=ReceiptLinks(tokens, clock, 30),
            pages=OurPages(assets, site_name="Bow Makers"),
            contact="052-000-0000",
            faults=faults,
        )

    return answers


@pytest.fixture
def answers(make: Callable[[GuardedForm], Answers]) -> Answers:
    return make(FORM)


def as_action(action: Action, **values: object) -> Verdict:
    return replace(VERDICT, action=action, judged=action, **values)  # type: ignore[arg-type]  # names of Verdict


# ------------------------------------------------------------------ which answer
@pytest.mark.parametrize(
    ("action", "as_json", "status"),
    [
        (Action.ACCEPT, False, 303),
        (Action.QUARANTINE, False, 303),
        (Action.QUARANTINE, True, 303),
        (Action.ASK, False, 200),
        (Action.ASK, True, 409),
        (Action.REJECT, False, 403),
        (Action.REJECT, True, 403),
    ],
)
def test_every_action_has_its_answer(answers: Answers, action: Action, as_json: bool, status: int) -> None:  # noqa: FBT001 - a table
    assert answers.answer(as_action(action), as_json=as_json).status == status


def test_g29_a_quarantined_one_gets_the_very_answer_of_an_accepted_one(answers: Answers) -> None:
    assert answers.answer(VERDICT) == answers.answer(as_action(Action.QUARANTINE))


def test_g29_the_thanks_url_holds_a_receipt_that_is_ours(answers: Answers) -> None:
    url = answers.thanks_url(VERDICT)
    assert url.startswith("/thanks?receipt=1.")
    assert "FW-" not in url


def test_g29_a_redirect_says_no_more_than_a_sites_own() -> None:
    assert redirect("/thanks") == Answer(status=303, headers={"location": "/thanks"}, body=b"")


def test_a_json_shape_is_the_forms_with_the_receipt_as_its_only_slot(
    make: Callable[[GuardedForm], Answers],
) -> None:
    form = GuardedForm("contact", thanks_json='{"id": "$reference", "price": "$5", "x": "$other"}')
    answer = make(form).answer(replace(VERDICT, receipt='FW"X'), as_json=True)
    assert answer.body == b'{"id": "FW\\"X", "price": "$5", "x": "$other"}'
    assert answer.headers == {"content-type": "application/json", "cache-control": "no-store"}


# ------------------------------------------------------------------ the ask page
def test_the_ask_page_shows_what_was_typed_and_posts_it_again(answers: Answers) -> None:
    page = Elements(answers.ask(as_action(Action.ASK, hits=(hit("token_stale"),))).body.decode())
    assert "Hello <b>there</b>" in page.text
    assert "open for a long time" in page.text
    assert page.field("message")["value"] == "Hello <b>there</b>"
    assert page.field("_fw_token")["value"] == "the-token"
    assert page.all("form") == [{"method": "post", "accept-charset": "utf-8", "novalidate": None}]


def test_a_doubted_address_may_be_corrected(answers: Answers) -> None:
    page = Elements(answers.ask(as_action(Action.ASK, hits=(hit("address_undeliverable"),))).body.decode())
    assert page.field("email")["type"] == "email"
    assert "taro@exmaple.jp" in page.text


def test_g32_after_a_post_of_another_site_nothing_typed_is_displayed(answers: Answers) -> None:
    hits = (hit("address_undeliverable"), hit("cross_site_stale_page"))
    page = Elements(answers.ask(as_action(Action.ASK, hits=hits)).body.decode())
    assert "Hello" not in page.text
    assert "exmaple" not in page.text
    assert page.field("email")["type"] == "hidden"
    assert page.field("message")["value"] == "Hello <b>there</b>"


def test_only_signals_that_ask_name_the_cause(answers: Answers) -> None:
    hits = (hit("cross_site_stale_page", asks=False), hit("too_young"))
    page = Elements(answers.ask(as_action(Action.ASK, hits=hits)).body.decode())
    assert "That was very quick" in page.text
    assert "Hello" in page.text


def test_files_that_are_kept_are_named(answers: Answers) -> None:
    upload = Upload(field="photo", filename="bow.png", content_type="image/png", size=3, sha256=b"")
    page = answers.ask(as_action(Action.ASK, uploads=(upload,)))
    assert b"bow.png" in page.body


def test_a_sites_own_ask_page_is_given_all_it_needs(make: Callable[[GuardedForm], Answers]) -> None:
    given: list[AskPage] = []

    def ask(page: AskPage) -> Answer:
        given.append(page)
        return redirect("/mine")

    answer = make(GuardedForm("contact", ask=ask)).ask(as_action(Action.ASK, language="ja", hits=(hit("too_young"),)))
    assert answer == Answer(status=303, headers={"location": "/mine", "cache-control": "no-store"}, body=b"")
    (page,) = given
    assert (page.form, page.language, page.shown, page.hidden) == ("contact", "ja", VERDICT.fields, VERDICT.fields)
    assert 'value="the-token"' in page.markup
    assert "とても短かった" in page.reason


def raises(_: AskPage) -> Answer:
    raise LookupError("no template for taro@example.jp")


async def waits(_: AskPage) -> Answer:
    return redirect("/mine")


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (raises, "LookupError at test_answers.py:"),
        (lambda _: None, "`ask` must return an Answer, and returned NoneType"),
        (lambda _: "<form>", "`ask` must return an Answer, and returned str"),
        (waits, "`ask` must return an Answer, and returned coroutine"),
    ],
)
def test_where_a_sites_own_ask_page_fails_ours_is_shown_and_the_owner_told(
    make: Callable[[GuardedForm], Answers], faults: Faults, ask: Ask, why: str
) -> None:
    answer = make(GuardedForm("contact", ask=ask)).ask(as_action(Action.ASK, hits=(hit("too_young"),)))
    assert b"That was very quick" in answer.body
    (fault,) = faults.all()
    assert (fault.what, fault.count) == ("ask page", 1)
    assert fault.why.startswith(why)
    assert "taro" not in fault.why


@pytest.mark.parametrize("name", ["cache-control", "Cache-Control", "CACHE-CONTROL"])
def test_a_sites_own_ask_page_is_kept_by_no_cache_whatever_it_says(
    make: Callable[[GuardedForm], Answers], name: str
) -> None:
    def ask(_: AskPage) -> Answer:
        return Answer(status=422, headers={name: "public, max-age=60", "x-mine": "1"}, body=b"mine")

    answer = make(GuardedForm("contact", ask=ask)).ask(as_action(Action.ASK))
    assert answer == Answer(status=422, headers={"x-mine": "1", "cache-control": "no-store"}, body=b"mine")


TYPES = {
    "address_invalid": "address",
    "address_undeliverable": "address",
    "cross_site_stale_page": "cross-site",
    "marker_tampered": "tampered",
    "token_tampered": "tampered",
    "token_replayed": "replayed",
    "token_other_form": "other-form",
    "token_rotated": "stale",
    "token_stale": "stale",
    "too_young": "too-young",
    "a_signal_of_the_site": "other",
}


def test_every_signal_that_asks_has_a_type_that_programs_read() -> None:
    assert TYPES.keys() - {"a_signal_of_the_site"} == CAUSES.keys()
    assert {cause.replace("_", "-") for cause in AskCause} == {*TYPES.values(), "challenge"}


@pytest.mark.parametrize(("name", "kind"), TYPES.items())
def test_a_json_client_reads_the_cause_from_the_type(answers: Answers, name: str, kind: str) -> None:
    told = json.loads(answers.ask(as_action(Action.ASK, hits=(hit(name),)), as_json=True).body)
    assert (told["type"], told["status"]) == (f"urn:formwarden:ask:{kind}", 409)
    assert told["token"] == "the-token"
    told = json.loads(answers.reject(as_action(Action.REJECT, hits=(hit(name),)), as_json=True).body)
    assert told["type"] == "urn:formwarden:rejected"  # why is not told


CHALLENGED = replace(VERDICT, action=Action.ASK, judged=Action.ASK, click=Click.OFFERED, score=7.0)


def test_a_challenge_says_so_whatever_else_is_in_doubt_but_the_address_and_another_site(answers: Answers) -> None:
    def told(*names: str) -> str:
        answer = answers.ask(replace(CHALLENGED, hits=tuple(map(hit, names))), as_json=True)
        return str(json.loads(answer.body)["type"]).removeprefix("urn:formwarden:ask:")

    assert told() == told("token_stale", "token_replayed", "a_signal_of_the_site") == "challenge"
    assert told("address_invalid") == "address"
    assert told("address_invalid", "cross_site_stale_page") == "cross-site"


def test_g32_a_challenge_displays_nothing_from_another_site_either(answers: Answers) -> None:
    told = answers.ask(replace(CHALLENGED, hits=(hit("cross_site_stale_page"),))).body
    assert b"<dd" not in told
    assert b"<dd" in answers.ask(CHALLENGED).body


@pytest.mark.parametrize(
    ("names", "suggestion"),
    [
        (("address_invalid",), "taro@example.jp"),
        (("address_invalid", "cross_site_stale_page"), None),  # G32
        (("token_stale",), None),
    ],
)
def test_a_sites_own_page_gets_the_suggestion_where_the_address_is_in_doubt(
    make: Callable[[GuardedForm], Answers], names: tuple[str, ...], suggestion: str | None
) -> None:
    pages: list[AskPage] = []

    def ask(page: AskPage) -> Answer:
        pages.append(page)
        return Answer(status=200, headers={}, body=b"")

    report = check_syntax("taro@exmaple.jp", Suffixes())
    verdict = as_action(Action.ASK, hits=tuple(map(hit, names)), report=replace(report, suggestion="taro@example.jp"))
    make(GuardedForm("contact", ask=ask)).ask(verdict)
    assert [page.suggestion for page in pages] == [suggestion]


def test_g32_names_of_files_are_words_of_another_site_too(answers: Answers) -> None:
    upload = Upload(field="photo", filename="call 090-1234.png", content_type="image/png", size=3, sha256=b"")
    hits = (hit("cross_site_stale_page"),)
    assert b"090-1234" not in answers.ask(as_action(Action.ASK, uploads=(upload,), hits=hits)).body


def test_an_input_for_files_that_was_left_empty_is_not_named(answers: Answers) -> None:
    empty = Upload(field="photo", filename="", content_type="application/octet-stream", size=0, sha256=b"")
    assert b"<ul>" not in answers.ask(as_action(Action.ASK, uploads=(empty,))).body


def test_a_json_client_is_asked_with_a_fresh_token_and_nothing_that_was_typed(answers: Answers) -> None:
    answer = answers.ask(as_action(Action.ASK, hits=(hit("too_young"),)), as_json=True)
    assert answer.headers["content-type"] == "application/problem+json"
    assert b'"token": "the-token"' in answer.body
    assert b'"receipt": "FW-AAAA-BBBB"' in answer.body
    assert b"Hello" not in answer.body


# ------------------------------------------------------------------ refusing
def test_a_rejected_one_is_told_number_and_way_and_not_the_reasons(answers: Answers) -> None:
    verdict = as_action(Action.REJECT, hits=(hit("trap_filled", asks=False),))
    for as_json in (False, True):
        answer = answers.reject(verdict, as_json=as_json)
        assert b"FW-AAAA-BBBB" in answer.body
        assert b"trap" not in answer.body
        assert b"Hello" not in answer.body
    assert b"052-000-0000" in answers.reject(verdict).body


@pytest.mark.parametrize("status", [400, 408, 413, 415, 418])
def test_an_error_has_a_page_and_problem_details(answers: Answers, status: int) -> None:
    for as_json in (False, True):
        answer = answers.error(status, "ja", as_json=as_json)
        assert answer.status == status
        assert answer.body
        assert answer.headers["cache-control"] == "no-store"


def test_g29_the_copy_shows_receipt_and_text_and_nothing_in_it_is_a_link(answers: Answers) -> None:
    fields = Fields([("message", "see http://a.example and x@y.jp"), ("csrf_token", "secret")])
    page = Elements(answers.copy(FORM, "FW-AAAA-BBBB", fields, "en").body.decode())
    assert "FW-AAAA-BBBB" in page.text
    assert "http://a.example" in page.text
    assert "secret" not in page.text
    assert page.all("a") == []
