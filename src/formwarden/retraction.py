"""An observation written down with its inquiry, so that a release can take its counts back; hashes only."""

from collections.abc import Mapping

from formwarden.stores.ports import Key, Observation, Tally


def observation_facts(observation: Observation) -> dict[str, object]:
    """Return what `forget` needs, as JSON values."""
    return {
        "body": observation.body.hex(),
        "tallies": [[[key.hex() for key in tally.keys], tally.window_s] for tally in observation.tallies],
        "prints": [each.hex() for each in observation.prints],
    }


def read_observation(facts: Mapping[str, object]) -> Observation | None:
    """Read it back; None where it is absent or not of our making."""
    try:
        match facts:
            case {"body": str(body), "tallies": [*tallies], "prints": [*prints]}:
                return Observation(
                    nonce=None,
                    networks=(),
                    body=bytes.fromhex(body),
                    tallies=tuple(_tally(tally) for tally in tallies),
                    prints=tuple(bytes.fromhex(str(each)) for each in prints),
                )
    except ValueError:
        return None
    return None


def _tally(value: object) -> Tally:
    match value:
        case [[*keys], int(window_s) | float(window_s)]:
            return Tally(keys=tuple(Key(bytes.fromhex(str(key))) for key in keys), window_s=float(window_s))
    raise ValueError("no tally")
