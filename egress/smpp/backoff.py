"""How long to wait before the next try to bind."""

from collections.abc import Callable
from typing import Final

FIRST_MS: Final = 1_000
MAX_MS: Final = 60_000
LOWEST_MS: Final = 50


def full_jitter(failures: int, chance: Callable[[], float]) -> int:
    """A wait between 50 ms and 1 s doubled with each failure after the first, at most 60 s; `chance` gives 0 to 1."""
    ceiling = min(MAX_MS, FIRST_MS << min(max(failures, 1) - 1, 10))
    return max(LOWEST_MS, int(ceiling * chance()))
