"""Every scene of the reply gate is within its bar: a part of it here, the whole by `make simulate`."""

import asyncio
import json
from pathlib import Path
from random import Random

import pytest

from simulation.__main__ import Found, main, page, play, table
from simulation.people import Crowd, poisson
from simulation.relay import ScriptedRelay
from simulation.scenes import SCENES, Line, world
from tests.proof import Proof
from tests.soak import runs

NAMES = [scene.name for scene in SCENES]
SEEDS = range(1, 1 + runs(1, 3))


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_scene_is_within_its_bar(name: str, proof: Proof) -> None:
    found = [play(name, seed, part=True) for seed in SEEDS]
    proof(f"scene {name}, a part", bar=found[0].line.bar, found="; ".join(one.line.figure for one in found))
    assert [one.line.figure for one in found if not one.line.hit] == []


def test_the_same_seed_draws_the_same_people_and_another_draws_others() -> None:
    def drawn(seed: int) -> list[str]:
        return [post.address for post in Crowd(a_day=20).posts(Random(seed), 0.0, 3)]  # noqa: S311 - drawn to be drawn again

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@pytest.mark.parametrize("mean", [0.5, 5.0, 20.0, 200.0])
def test_so_many_come_as_the_mean_says(mean: float) -> None:
    random = Random(7)  # noqa: S311 - drawn to be drawn again
    drawn = [poisson(random, mean) for _ in range(2_000)]
    assert abs(sum(drawn) / len(drawn) - mean) < 0.1 * mean + 0.1


def test_people_write_when_they_are_awake_and_some_mistype() -> None:
    posts = Crowd(a_day=200, dead=0.1, gone=0.1).posts(Random(3), 0.0, 5)  # noqa: S311 - drawn to be drawn again
    assert {8 <= post.at % 86_400 / 3_600 < 22 for post in posts} == {True}
    assert 0.05 < sum(post.address.startswith("dead-") for post in posts) / len(posts) < 0.15
    assert 0.05 < sum(".gone." in post.address for post in posts) / len(posts) < 0.15


def test_a_scene_moves_time_and_sends_what_is_due() -> None:
    async def one_day() -> tuple[int, float]:
        async with world(1) as site:
            start = site.clock.now()
            posts = Crowd(a_day=3).posts(site.random, start, 1)
            await site.run(posts, until=start + 86_400)
            assert isinstance(site.relay, ScriptedRelay)
            return len(posts) - len(site.relay.mails), site.clock.now() - start

    assert asyncio.run(one_day()) == (0, 86_400)


def test_a_missed_bar_is_printed_as_missed_and_is_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "simulation.md"
    assert main(["--part", "--processes", "1", "--only", "victim", "--output", str(written)]) == 0
    assert "| one victim, 300 clients | 1 mail |" in written.read_text(encoding="utf-8")
    assert main(["--part", "--only", "no such scene"]) == 2
    assert "accident" in capsys.readouterr().err


def test_the_table_holds_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    found = Found(name="a scene", line=Line(bar="≤ 1", figure="2", hit=False), seconds=60.0)
    assert table([found]).endswith("| a scene | ≤ 1 | 2 | missed |")
    assert "1 minutes of one core" in page([found], 1)
    assert main(["--part", "--processes", "1", "--only", "victim", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["line"]["hit"] is True
