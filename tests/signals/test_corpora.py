"""What the content signals cost on labelled texts; the texts stay where they are.

The setting is the shipped one: content and structure alone, the shipped weights and group cap, quarantine at 5.
`make test` reads every text of a label up to a number and then a fixed stride; `make soak` reads all.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import pytest

from formwarden.facts import Facts
from formwarden.scoring import Thresholds, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.submission import Fields, Submission
from tests.proof import Proof
from tests.soak import runs

DATA = Path(__file__).parents[2] / "../shared/data"
CONTENT = [signal for signal in DEFAULT_SIGNALS if signal.group == "content"]
READ = 2_700  # texts of a label; a larger corpus is read at a stride
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
NAME = 60  # characters: a text this short may stand where a name is asked for
RECALL = {"sms-spam": 0.5, "youtube-spam": 0.5, "spamassassin": 0.5, "tg-spam": 0.5, "blog-flattery": 0.6}
MISSED = {"blog-flattery": "0.487: empty praise has no link and no offer; left to repeats, behaviour and marks"}


@lru_cache(maxsize=1)
def rows(corpus: str, label: str) -> Sequence[str]:
    path = DATA / corpus / "dev.jsonl"
    if not path.exists():
        pytest.skip(f"the labelled texts of {corpus} are not here: {path} is absent")
    with path.open(encoding="utf-8") as lines:
        texts = [row["text"] for row in map(json.loads, lines) if row["label"] == label]
    most = runs(READ, 1_000_000)
    return texts[:: -(-len(texts) // most)]


def held(texts: Sequence[str], field: str = "message") -> int:
    quarantine, count = Thresholds().quarantine, 0
    for text in texts:
        facts = Facts(typed=Fields({field: text}))
        count += weigh(CONTENT, Submission("contact", {}), facts, composites=DEFAULT_COMPOSITES).score >= quarantine
    return count


@pytest.mark.soak
@pytest.mark.parametrize("corpus", FALSE_POSITIVES)
def test_honest_texts_are_hardly_ever_held_for_their_content(corpus: str, proof: Proof) -> None:
    texts = rows(corpus, "ham")
    wrong = held(texts)
    proof(f"content alone, honest: {corpus}", held=f"{wrong} of {len(texts)}", bar=f"{FALSE_POSITIVES[corpus]:.1%}")
    assert wrong / len(texts) <= FALSE_POSITIVES[corpus]


@pytest.mark.soak
@pytest.mark.parametrize("corpus", FALSE_POSITIVES)
def test_what_people_say_in_short_is_hardly_ever_held_where_a_name_is_asked_for(corpus: str, proof: Proof) -> None:
    texts = [text for text in rows(corpus, "ham") if len(text) <= NAME]
    wrong = held(texts, "name")
    proof(f"content alone, honest, in the name: {corpus}", held=f"{wrong} of {len(texts)}", bar="1.0%")
    assert wrong <= len(texts) * 0.01


@pytest.mark.soak
@pytest.mark.parametrize(
    "corpus",
    [
        pytest.param(corpus, marks=pytest.mark.xfail(strict=True, reason=MISSED[corpus]) if corpus in MISSED else ())
        for corpus in RECALL
    ],
)
def test_half_of_what_is_sent_to_many_is_held_for_its_content(corpus: str, proof: Proof) -> None:
    texts = rows(corpus, "spam")
    share = held(texts) / len(texts)
    proof(f"content alone, spam: {corpus}", recall=f"{share:.3f} of {len(texts)}", bar=RECALL[corpus])
    assert share >= RECALL[corpus]
