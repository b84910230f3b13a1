"""How often a test that scales repeats itself: little in `make test`, more in `make soak-quick`, most in `make soak`.

Such a test bears `@pytest.mark.soak` and asks `runs()`. What it repeats must be the same thing again: another
seed, another race, another example.
"""

import math
import os


def runs(default: int, soak: int) -> int:
    """Return the number of repetitions: `SOAK` unset or 0 the first, 1 the second, `quick` their geometric mean."""
    match os.environ.get("SOAK", ""):
        case "" | "0":
            return default
        case "quick":
            return max(default, math.isqrt(default * soak))
        case "1":
            return soak
        case other:
            raise ValueError(f"SOAK={other}: one of 0, 1, quick")


def whole(default: int, full: int) -> int:
    """Return the number of repetitions of what even `make soak` has no time for: `WHOLE=1` the second."""
    return full if os.environ.get("WHOLE") == "1" else default
