import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.retraction import observation_facts, read_observation
from formwarden.stores.ports import Key, Observation, Tally

KEYS = st.lists(st.binary(min_size=1, max_size=20).map(Key), min_size=1, max_size=3).map(tuple)
TALLIES = st.lists(st.builds(Tally, keys=KEYS, window_s=st.floats(1, 1e6)), max_size=4).map(tuple)
OBSERVATIONS = st.builds(
    Observation,
    nonce=st.just(None),
    networks=st.just(()),
    body=st.binary(max_size=20),
    tallies=TALLIES,
    prints=st.lists(st.binary(max_size=20), max_size=3).map(tuple),
)


@given(observation=OBSERVATIONS)
def test_an_observation_comes_back_from_json_as_it_was(observation: Observation) -> None:
    stored = json.loads(json.dumps(observation_facts(observation)))
    assert read_observation(stored) == observation


def test_token_and_network_are_not_written_down() -> None:
    observation = Observation(nonce=b"nonce", networks=(Key(b"network"),), body=b"body")
    written = json.dumps(observation_facts(observation))
    assert b"nonce".hex() not in written
    assert b"network".hex() not in written


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"body": "00"},
        {"body": "zz", "tallies": [], "prints": []},
        {"body": 7, "tallies": [], "prints": []},
        {"body": "00", "tallies": {}, "prints": []},
        {"body": "00", "tallies": ["00"], "prints": []},
        {"body": "00", "tallies": [[["00"], "an hour"]], "prints": []},
        {"body": "00", "tallies": [[["zz"], 60.0]], "prints": []},
        {"body": "00", "tallies": [], "prints": ["zz"]},
        {"body": "00", "tallies": [], "prints": [None]},
    ],
)
def test_what_is_not_of_our_making_is_none(facts: dict[str, object]) -> None:
    assert read_observation(facts) is None
