"""Says in headers which limit refused a request, and when to come again."""

import math
from dataclasses import dataclass
from typing import Final

SHORTEST_WAIT_S: Final = 1  # "0" would say: now


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One limit that has nothing left for this client."""

    policy: str  # the limit's name, as clients see it
    quota: int
    window_s: float
    wait_s: float  # until there is something left again

    def headers(self) -> dict[str, str]:
        """Return Retry-After, and the fields of draft-ietf-httpapi-ratelimit-headers-10."""
        wait_s = max(SHORTEST_WAIT_S, math.ceil(self.wait_s))
        return {
            "retry-after": str(wait_s),
            "ratelimit-policy": f'"{self.policy}";q={self.quota};w={math.ceil(self.window_s)}',
            "ratelimit": f'"{self.policy}";r=0;t={wait_s}',
        }
