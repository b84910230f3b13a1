"""The command `python -m bench`."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Final

from bench import addresses, inprocess, overhttp, processes, rows, seven_limits, stores, texts, work
from bench.figures import Row, table
from bench.inprocess import Say
from bench.posts import BODIES

BENCHES: Final = (
    "unguarded",
    "post",
    "unguarded-http",
    "post-http",
    "import",
    "memory",
    "reserve",
    "limits",
    "upsert",
    "observe",
    "rows",
    "addresses",
    "content",
    "work",
)
EPILOG: Final = """examples:
  python -m bench                                  # everything, about twenty minutes
  python -m bench --only post --rounds 5           # posts in this process
  python -m bench --only post-http --seconds 2     # posts over uvicorn, with wrk
  python -m bench --only post-http --body 'urlencoded 1 KB'
  python -m bench --only reserve --only upsert --only observe
  python -m bench --only limits                    # a decision beside seven limits on a server
  python -m bench --only rows --rows 1000000       # a tenth of the disk and the time
  python -m bench --only addresses                 # look-ups against a slow name server of its own
  python -m bench --only content                   # signals of the text, in microseconds
  python -m bench --only work                      # proof of work in Chromium
  python -m bench --json > bench.json

benches: {}
bodies: {}
Nothing is asserted: a goal that is missed is printed as missed.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benches and print their table."""
    args = _parser().parse_args(argv)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    wanted = tuple(args.only or BENCHES)
    found = [row for bench in BENCHES if bench in wanted for row in _run(bench, args, say)]
    if args.json:
        print(json.dumps([row.as_json() for row in found], indent=1))
    else:
        print(table(found))
    return 0


def _run(bench: str, args: argparse.Namespace, say: Say) -> list[Row]:
    missing = _missing(bench)
    if missing is not None:
        say(f"{bench}: left out: {missing}")
        return []
    match bench:
        case "unguarded":
            return inprocess.unguarded(args.rounds, say, gets=max(1, int(inprocess.GETS * args.share)))
        case "post":
            return inprocess.posts(args.rounds, say, share=args.share, kinds=args.body or BODIES)
        case "unguarded-http":
            return overhttp.unguarded(args.http_rounds, say, seconds=args.seconds)
        case "post-http":
            return overhttp.posts(args.http_rounds, say, seconds=args.seconds, kinds=args.body or BODIES)
        case "import":
            return processes.imports(args.rounds, say)
        case "memory":
            uploads = max(1, int(processes.UPLOADS * args.share))
            return processes.memory(args.http_rounds, say, uploads=uploads)
    return _run_store(bench, args, say)


def _run_store(bench: str, args: argparse.Namespace, say: Say) -> list[Row]:
    match bench:
        case "reserve":
            return stores.reservations(args.rounds, say, share=args.share)
        case "limits":
            return seven_limits.decisions(args.http_rounds, say, share=args.share)
        case "upsert":
            return stores.upserts(args.rounds, say, share=args.share)
        case "observe":
            return stores.observations(args.http_rounds, say, seconds=args.seconds)
        case "content":
            return texts.content(args.rounds, say, share=args.share)
        case "work":
            return work.work(args.http_rounds, say)
        case "addresses":
            return [
                *addresses.same_domain(args.http_rounds, say),
                *addresses.many_domains(args.http_rounds, say, share=args.share),
                *addresses.known_domain(args.rounds, say, share=args.share),
                *addresses.tarpits(args.http_rounds, say),
                *addresses.invented(min(2, args.http_rounds), say, share=args.share),  # a minute each
            ]
    few, steps = min(rows.FEW, max(1, args.rows // 10)), max(1, int(rows.STEPS * args.share))
    return rows.compared(args.rounds, say, few=few, many=args.rows, steps=steps)


def _missing(bench: str) -> str | None:
    if bench.endswith("-http"):
        return overhttp.available()
    ways = {"limits": seven_limits.available, "upsert": stores.available, "work": work.available}
    return ways.get(bench, lambda: None)()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure what formwarden costs beside the bare app.",
        epilog=EPILOG.format(", ".join(BENCHES), ", ".join(BODIES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="NAME", action="append", choices=BENCHES, help="this one; may be repeated")
    parser.add_argument("--body", metavar="KIND", action="append", choices=BODIES, help="of posts, this body only")
    parser.add_argument("--rounds", type=_positive, default=15, help="rounds in process (15)")
    parser.add_argument("--http-rounds", type=_positive, default=5, help="rounds over HTTP, and of memory (5)")
    parser.add_argument("--seconds", type=_positive, default=4, help="of one run of wrk (4)")
    parser.add_argument("--share", type=float, default=1.0, help="of the requests of a round in process (1.0)")
    parser.add_argument(
        "--rows",
        type=_positive,
        default=rows.MANY,
        help=f"of the larger store; the smaller has {rows.FEW:,} (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
