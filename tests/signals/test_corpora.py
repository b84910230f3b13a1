"""What the content signals cost on labelled texts; the texts stay where they are."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from formwarden.facts import Facts
from formwarden.scoring import Thresholds, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.submission import Fields, Submission

DATA = Path(__file__).parents[2] / "../shared/data"
CONTENT = [signal for signal in DEFAULT_SIGNALS if signal.group == "content"]
FALSE_POSITIVES = {  # at most, as a share of each corpus: they gather in business English
    "banking77": 0.001,
    "nlupp": 0.001,
    "clinc150": 0.001,
    "multidogo": 0.001,
    "asdc-ja": 0.001,
    "cv-sentences": 0.001,
    "enron-requests": 0.01,
    "spamassassin": 0.03,
    "sms-spam": 0.001,
    "youtube-spam": 0.001,
    "tg-spam": 0.001,
}
SPAM = ("sms-spam", "youtube-spam", "spamassassin", "tg-spam", "blog-flattery")


def rows(corpus: str, label: str) -> Iterator[str]:
    path = DATA / corpus / "dev.jsonl"
    if not path.exists():
        pytest.skip(f"the labelled texts of {corpus} are not here: {path} is absent")
    with path.open(encoding="utf-8") as lines:
        yield from (row["text"] for row in map(json.loads, lines) if row["label"] == label)


def held_share(texts: Iterator[str]) -> float:
    quarantine = Thresholds().quarantine
    held = total = 0
    for text in texts:
        facts = Facts(typed=Fields({"message": text}))
        held += weigh(CONTENT, Submission("contact", {}), facts, composites=DEFAULT_COMPOSITES).score >= quarantine
        total += 1
    return held / total


@pytest.mark.parametrize("corpus", FALSE_POSITIVES)
def test_honest_texts_are_hardly_ever_held_for_their_content(corpus: str) -> None:
    assert held_share(rows(corpus, "ham")) <= FALSE_POSITIVES[corpus]


@pytest.mark.parametrize("corpus", SPAM)
def test_recall_by_content_alone_is_told(corpus: str, record_property: Callable[[str, object], None]) -> None:
    recall = held_share(rows(corpus, "spam"))
    record_property("recall", f"{corpus} {recall:.3f}")
    print(f"{corpus}: {recall:.1%} of spam held for its content alone")  # noqa: T201 - a figure for people (-s)
    assert 0 <= recall <= 1
