from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.console.view import Shown, View
from formwarden.console.words import ENGLISH, JAPANESE, ago
from formwarden.desk.overview import Overview, Row
from formwarden.desk.periodic import Trouble, Warned
from formwarden.faults import Fault
from formwarden.mail.figures import Figures
from formwarden.mail.growth import Bounds
from formwarden.mail.limits import Limits
from formwarden.stores.breaking import Cause
from formwarden.stores.journal import JournalState
from formwarden.stores.ports import Breaker, Day, Growth, Key, Newcomers, ReplyRow, Shut, Staff, State
from tests.console.cases import NOW, inquiry

VIEW = View()
VOID = frozenset({"meta", "link", "input", "img", "br"})


class Tags(HTMLParser):
    """Collects what a browser would take for markup, and the text beside it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def overview(*rows: Row, **values: object) -> Overview:
    plain = Overview(rows=rows, after=None, journal=(), faults=(), store=None, replies_off=False, now=NOW)
    return replace(plain, **values)  # type: ignore[arg-type]  # the names are those of Overview, as each test says


def page(shown_overview: Overview, shown: Shown | None = None, language: str = "en") -> Tags:
    return Tags(VIEW.render(shown_overview, shown or Shown(), language))


def everywhere(text: str) -> Overview:
    """Put one text into every place that the page shows."""
    about = inquiry(
        1,
        typed=[("message", text), ("n" + text, "")],
        receipt=text,
        form=text,
        hits={text: 1.0},
        evidence={text: text},
        note=text,
        staff=Staff.DUE,
        staff_note=text,
    )
    reply = ReplyRow(reply_id=b"r", submission_id=b"s", state="sent", code=text, created_at=NOW, last=text)
    fault = Fault(what=text, count=1, last_at=NOW, why=text)
    row = Row(inquiry=about, reply=reply)
    work = (Warned(trouble=Trouble.TASK_FAILS, task=text, why=text),)
    return overview(row, journal=(about,), faults=(fault,), store=text or "-", after=text, work=work)


HOSTILE = st.one_of(
    st.text(min_size=1, max_size=60),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "</dd></dl><form action=//evil>",
            "{{ 7*7 }}{% raw %}",
            "' onmouseover='x",
            "&lt;b&gt;",
            "<!--",
            "javascript:alert(1)",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(text=HOSTILE)
def test_no_text_from_outside_becomes_markup(text: str) -> None:
    plain, hostile = page(everywhere("x")), page(everywhere(text))
    assert hostile.tags == plain.tags
    assert not hostile.open


def test_what_was_typed_is_there_to_read() -> None:
    shown = page(everywhere("<b>Hello</b>"))
    assert shown.text.count("<b>Hello</b>") > 10


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_is_in_the_readers_language(language: str) -> None:
    words = {"en": ENGLISH, "ja": JAPANESE}[language]
    shown = page(overview(Row(inquiry=inquiry())), language=language)
    for word in ("title", "store", "well", "reasons", "release", "discard", "state_held", "older"):
        assert (words[word] in shown.text) is (word != "older")


def test_both_languages_have_every_word() -> None:
    assert ENGLISH.keys() == JAPANESE.keys()
    assert {f"state_{state}" for state in State} | {f"staff_{staff}" for staff in Staff} <= ENGLISH.keys()


@pytest.mark.parametrize("state", list(State))
def test_g21_only_held_asked_and_rejected_inquiries_have_buttons(state: State) -> None:
    text = VIEW.render(overview(Row(inquiry=inquiry(state=state))), Shown(), "en")
    assert ("/release" in text) is (state in {State.HELD, State.ASKED, State.REJECTED})
    assert ("/discard" in text) is ("/release" in text)


@pytest.mark.parametrize(("state", "waits"), [("held", True), ("sent", False)])
def test_a_reply_that_waits_for_the_owner_has_a_button(state: str, waits: bool) -> None:  # noqa: FBT001 - a case
    done = inquiry(state=State.DONE, recipient="hanako@example.net")
    reply = ReplyRow(reply_id=b"r", submission_id=done.id, state=state, code="HELD_SUSPECT", created_at=0.0)
    text = VIEW.render(overview(Row(inquiry=done, reply=reply)), Shown(), "en")
    assert (ENGLISH["send_reply"] in text) is waits


def test_an_entry_of_the_journal_has_no_buttons_for_no_store_can_move_it() -> None:
    text = VIEW.render(overview(journal=(inquiry(),)), Shown(), "en")
    assert ENGLISH["journal"] in text
    assert "/release" not in text


def test_the_journal_says_how_much_waits_and_what_is_set_aside() -> None:
    spooled = JournalState(size=1_234, inquiries=1, outcomes=2, aside=77, aside_path="/var/site.db.journal.aside")
    text = VIEW.render(overview(spooled=spooled), Shown(), "en")
    assert "(1 inquiries, 1234 bytes)" in text
    for word in ("journal", "journal_replayed", "journal_outcomes", "journal_aside"):
        assert ENGLISH[word] in text
    assert "<code>/var/site.db.journal.aside</code> (77 bytes)" in text
    text = VIEW.render(overview(spooled=JournalState(aside=77, aside_path="/x")), Shown(), "en")
    assert ENGLISH["journal_aside"] in text
    assert ENGLISH["journal_replayed"] not in text


def test_the_journal_stands_beside_the_newest_only() -> None:
    text = VIEW.render(overview(journal=(inquiry(),)), Shown(first=False), "en")
    assert ENGLISH["journal"] not in text
    assert ENGLISH["newest"] in text


def test_reasons_replies_and_staff_mail_are_told() -> None:
    reply = ReplyRow(
        reply_id=b"r", submission_id=b"s", state="due", code="OK", created_at=NOW, attempts=2, last="421 busy"
    )
    text = page(overview(Row(inquiry=inquiry(staff=Staff.DUE, staff_note="no route"), reply=reply))).text
    for word in ("urls", "+3.0", "3 links", "421 busy", "2 attempts", "no route", "judged: quarantine", "6.5"):
        assert word in text


def test_a_code_is_explained_and_the_standing_told() -> None:
    reply = ReplyRow(
        reply_id=b"r", submission_id=b"s", state="suppressed", code="ADDR_UNDELIVERABLE", created_at=NOW, last=""
    )
    row = Row(inquiry=inquiry(facts={"standing": "plain"}), reply=reply)
    for word in ("ADDR_UNDELIVERABLE", "the domain takes no mail", "standing plain"):
        assert word in page(overview(row)).text
    for word in ("ADDR_UNDELIVERABLE", "届かないドメイン", "信頼度 標準"):
        assert word in page(overview(row), language="ja").text


@pytest.mark.parametrize(
    ("click", "told"),
    [
        ("offered", "one click was asked for in place of quarantine"),
        ("made", "Cleared by the click of a challenge"),
        ("none", None),
        (7, None),
    ],
)
def test_what_a_challenge_did_is_told(click: object, told: str | None) -> None:
    text = page(overview(Row(inquiry=inquiry(facts={"click": click})))).text
    assert ("click" in text) is (told is not None)
    assert told is None or told in text


@pytest.mark.parametrize("facts", [{}, {"standing": None}, {"standing": ["plain"]}])
def test_facts_of_another_release_break_no_page(facts: dict[str, object]) -> None:
    assert "standing" not in page(overview(Row(inquiry=inquiry(facts=facts)))).text


def test_failures_and_the_switch_are_told() -> None:
    fault = Fault(what="counters", count=12, last_at=NOW - 7_200, why="disk I/O error")
    text = page(overview(faults=(fault,), store="disk full", replies_off=True)).text
    for word in ("counters", "12 times", "2 h ago", "disk I/O error", "disk full", "Switch on"):
        assert word in text


def test_g19_work_that_stands_still_is_told_with_the_remedy_in_both_languages() -> None:
    idle = overview(work=(Warned(trouble=Trouble.IDLE, since=NOW - 7_200),))
    failing = Warned(trouble=Trouble.TASK_FAILS, task="purge", why="<b>disk full</b>")
    two = overview(work=(Warned(trouble=Trouble.TASK_IDLE, task="outbox", since=NOW - 7_200), failing))
    for word in ("No task has run for an hour", "formwarden work --once", "last ran 2 h ago"):
        assert word in page(idle).text
    for word in ("outbox has not run for long", "purge fails. last went well never", "<b>disk full</b>"):
        assert word in page(two).text
    for word in ("1 時間以上、作業が動いていません", "formwarden work --once", "最後の実行は 2 時間前"):
        assert word in page(idle, language="ja").text
    for words in (ENGLISH, JAPANESE):
        assert {str(trouble) for trouble in Trouble} <= words.keys()
    assert ENGLISH["work_well"] in page(overview()).text


def test_a_filter_and_a_place_travel_with_every_button_and_link() -> None:
    text = VIEW.render(
        overview(Row(inquiry=inquiry()), after="a&b"), Shown(state=State.HELD, query="state=held"), "en"
    )
    assert "/release?state=held" in text
    assert 'href="?state=held&amp;after=a%26b"' in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s ago"), (59.9, "59 s ago"), (60, "1 min ago"), (7_199, "1 h ago"), (172_800, "2 d ago")],
)
def test_an_age_is_said_in_its_largest_unit(seconds: float, said: str) -> None:
    assert ago(ENGLISH, seconds) == said


# ------------------------------------------------------------------------------- how replies are limited
CALM = Limits(
    now=NOW,
    off=False,
    proven=True,
    figures=Figures(minute=5, hour=19, day=98),
    bounds=Bounds(start=50, ceiling=200),
    growth=Growth(cap=98, day=20_000),
    today=Day(granted=12, wanted=14),
    yesterday=Day(),
    newcomers=Newcomers(first_at=NOW - 9e6, week=40, before=(10, 10, 10, 10)),
    breakers=(),
    untold=0,
)


def breaker(label: str, shut: Shut = Shut.OPEN, cause: str = "ratio", until: float | None = NOW + 60) -> Breaker:
    return Breaker(subject=Key(b"\x01" + bytes(16)), cause=cause, label=label, shut=shut, opened_at=NOW, until=until)


def test_g06_the_page_says_how_many_replies_may_leave_and_how_many_did() -> None:
    assert "At most 98 a day and 19 an hour now; 12 granted today (UTC)." in page(overview(limits=CALM)).text
    assert "1 日 98 件・1 時間 19 件" in page(overview(limits=CALM), language="ja").text
    for shown in (page(overview(limits=CALM)), page(overview())):
        assert ENGLISH["real"] not in shown.text
        assert ENGLISH["breakers"] not in shown.text
        assert ENGLISH["unproven"] not in shown.text


def test_g07_the_page_names_the_next_step() -> None:
    assert ENGLISH["unproven"] in page(overview(limits=replace(CALM, proven=False))).text


def test_g10_a_suspected_drip_has_a_button_that_ends_it() -> None:
    drip = replace(CALM, growth=Growth(cap=98, day=20_000, drip_cap=7, drip_at=NOW))
    html = VIEW.render(overview(limits=drip), Shown(), "en")
    assert 'action="replies/real"' in html
    assert "Far more new addresses than usual: 40 in 7 days. Replies are held to 7 a day" in Tags(html).text
    assert JAPANESE["real"] in page(overview(limits=drip), language="ja").text


def test_every_breaker_that_is_not_closed_is_shown_with_its_end() -> None:
    breakers = (
        breaker("google"),
        breaker("site", cause="providers"),
        breaker("", Shut.PROBING),
        breaker("yahoo_jp", Shut.CONFIG, "config", None),
    )
    text = page(overview(limits=replace(CALM, breakers=breakers, untold=2))).text
    assert "google too many failed until 20" in text
    assert "all of them two of the large providers are stopped" in text
    assert "a small mail provider 0100000000 too many failed a few are tried now" in text
    assert "until `formwarden reply close yahoo_jp`" in text
    assert "2 alarms could not be told yet." in text


def test_every_cause_of_a_breaker_has_a_word() -> None:
    for cause in Cause:
        assert f"cause_{cause}" in ENGLISH
        assert f"cause_{cause}" in JAPANESE
