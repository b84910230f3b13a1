"""Texts: what all content signals together cost, near-duplicate prints included."""

import time
from collections.abc import Callable
from typing import Final

from bench.figures import Goal, Row, rows_of
from bench.inprocess import Say
from formwarden.facts import Facts, Roles
from formwarden.prints import text_prints
from formwarden.signals import DEFAULT_SIGNALS
from formwarden.submission import Fields, Submission

CALLS: Final = 1_000  # of a round at 200 characters; fewer of longer texts
GOALS: Final = {200: 60.0, 1_000: 150.0}  # microseconds
LENGTHS: Final = (200, 1_000, 20_000)
KEY: Final = b"k" * 32
INQUIRIES: Final = {
    "English": (
        "Hello, I saw your shop and would like to know what a small order of tables costs. We are a company in Leeds "
        "and need about twenty of them before the end of March, delivered. Could you send me a quote? Regards, Ann. "
    ),
    "Japanese": "御社のサイトを拝見しました。テーブルを二十台ほど購入したいのですが、見積もりをお願いできますか。",
    "Russian": "Здравствуйте, сколько стоит доставка двадцати столов в Казань к концу марта? Спасибо за ответ. ",
}


def content(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure prints alone, signals alone, and both."""
    found = []
    signals = [each for each in DEFAULT_SIGNALS if each.group == "content"]
    for language, inquiry in INQUIRIES.items():
        say(f"content signals, {language}")
        for length in LENGTHS:
            text = (inquiry * (length // len(inquiry) + 1))[:length]
            fields = {"name": "Ann Lee", "email": "ann@example.com", "message": text}
            facts = Facts(typed=Fields(fields), roles=Roles(site_domain="shop.example"))
            submission = Submission("contact", facts.typed)
            calls = max(1, int(CALLS * share * LENGTHS[0] / length))

            def judge(submission: Submission = submission, facts: Facts = facts) -> None:
                for each in signals:
                    each.rule(submission, facts)

            def take(text: str = text) -> None:
                text_prints([text], KEY)

            measured = []
            for _ in range(rounds):
                prints, judged = _microseconds(take, calls), _microseconds(judge, calls)
                measured.append({"prints": prints, "signals": judged, "both": prints + judged})
            goals = {"both": Goal(bound=GOALS[length], of_figure=True)} if length in GOALS else None
            found += rows_of(f"content, {language}, {length:,} characters", "µs of CPU", measured, goals=goals)
    return found


def _microseconds(run: Callable[[], None], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - started) / calls * 1e6
