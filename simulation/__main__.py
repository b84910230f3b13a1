"""The command `python -m simulation`."""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from simulation.scenes import SCENES, Line, Size

PAGE: Final = Path(__file__).parent.parent / "docs" / "simulation.md"
EPILOG: Final = """examples:
  python -m simulation                              # every scene whole; writes docs/simulation.md
  python -m simulation --only victim --output -     # scenes whose name holds this word, to the terminal
  python -m simulation --part --output -            # the small size that the tests play
  python -m simulation --seeds 20                   # every scene, in a quarter of an hour; the figures say how many
  python -m simulation --json --part
"""
HEAD: Final = """# Simulation: what the reply gate does in months and in attacks

Written by `make simulate`; no figure here is typed in by hand.
The gate, its store (SQLite) and its worker are the real ones.
Time, DNS and the relay come through their ports, and the clock is moved from one event to the next.
What is played below HTTP are accepted submissions with the standing that judgement would have given them.
A scene about one budget raises the other budgets by settings (`OPEN` in `simulation/scenes.py`).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one scene came to."""

    name: str
    line: Line
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Play the scenes, print the table or write the page; 1: a bar was missed."""
    args = _parser().parse_args(argv)
    chosen = [scene.name for scene in SCENES if any(word in scene.name for word in args.only or [""])]
    if not chosen:
        print(f"no scene is called so; there are: {', '.join(scene.name for scene in SCENES)}", file=sys.stderr)
        return 2
    found: dict[str, Found] = {}
    with ProcessPoolExecutor(args.processes) as pool:
        jobs = [pool.submit(play, name, args.seed, part=args.part, most=args.seeds) for name in chosen]
        for job in as_completed(jobs):
            one = job.result()
            found[one.name] = one
            verdict = "hit" if one.line.hit else "MISSED"
            print(
                f"{len(found)} of {len(chosen)}: {one.name}: {one.line.figure} ({verdict}, {one.seconds:.0f} s)",
                file=sys.stderr,
                flush=True,
            )
    lines = [found[name] for name in chosen]
    if args.json:
        print(json.dumps([asdict(one) for one in lines], indent=1))
    elif args.output == "-":
        print(table(lines))
    else:
        Path(args.output).write_text(page(lines, args.seed), encoding="utf-8")
        print(f"written: {args.output}", file=sys.stderr)
    return 0 if all(one.line.hit for one in lines) else 1


def play(name: str, seed: int, *, part: bool, most: int | None = None) -> Found:
    """Play one scene, whole or the part that tests play; with `most` seeds at most."""
    scene = next(each for each in SCENES if each.name == name)
    size: Size = scene.part if part else scene.whole
    began = time.monotonic()
    line = asyncio.run(scene.play(seed, size if most is None else replace(size, seeds=min(most, size.seeds))))
    return Found(name=name, line=line, seconds=time.monotonic() - began)


def table(lines: Sequence[Found]) -> str:
    """Return the table of scenes, bars and figures."""
    rows = [
        f"| {one.name} | {one.line.bar} | {one.line.figure} | {'hit' if one.line.hit else 'missed'} |"
        for one in lines
    ]
    return "\n".join(("| scene | bar | figure | |", "| --- | --- | --- | --- |", *rows))


def page(lines: Sequence[Found], seed: int) -> str:
    """Return the page."""
    machine = f"{os.cpu_count()} shared cores, {platform.system()}, Python {platform.python_version()}"
    minutes = sum(one.seconds for one in lines) / 60
    facts = f"{datetime.now(UTC):%Y-%m-%d}, {machine}, seed {seed}, {minutes:.0f} minutes of one core."
    return f"{HEAD}\n{facts}\n\n{table(lines)}\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulation",
        description="Play months of a site's auto-replies, and attacks on them, with a clock moved by hand.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", metavar="WORD", action="append", help="scenes whose name holds this; may be repeated"
    )
    parser.add_argument("--part", action="store_true", help="the small size that the tests play")
    parser.add_argument("--seed", type=int, default=1, help="what chance is drawn from (1)")
    parser.add_argument("--seeds", metavar="N", type=int, help="of a scene with many, play so many at most")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="scenes at once (one a core)")
    parser.add_argument("--output", default=str(PAGE), help="where the page goes; - for the table on the terminal")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
