"""`formwarden demo`, unchanged, in a process whose wall clock is set forward: `python demo_site.py PORT CLOCK`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from moved import follow  # type: ignore[import-not-found]  # beside this file, not on the path of others

    follow(Path(sys.argv[2]))  # before anything is loaded that reads the clock

    from formwarden.cli import main

    sys.exit(main(["demo", "--port", sys.argv[1]]))
