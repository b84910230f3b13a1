"""The script stays small: what a minifier leaves of it is measured."""

from typing import Final

import minify

from formwarden.page.assets import Assets
from tests.proof import Proof

LIMIT: Final = 6 * 1_024  # bytes, of script and worker together


def test_the_script_has_six_kilobytes_at_most_when_minified(assets: Assets, proof: Proof) -> None:
    guard, worker = (
        len(minify.string("application/javascript", asset.body.decode("ascii")))
        for asset in (assets.guard_script, assets.worker_script)
    )
    proof("the script, minified", guard_bytes=guard, worker_bytes=worker, limit=LIMIT)
    assert 0 < guard + worker <= LIMIT
