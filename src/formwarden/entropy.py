"""Unpredictable bytes, as a port: nothing else in the package draws random numbers."""

import secrets
from collections.abc import Callable
from typing import Final

Entropy = Callable[[int], bytes]
"""Returns that many bytes nobody can guess."""

system_entropy: Final[Entropy] = secrets.token_bytes
