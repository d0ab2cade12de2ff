"""Bounds a dict that keeps what came last."""

from itertools import islice
from typing import Any


def let_go(kept: dict[Any, Any], most: int) -> None:
    """With more than `most` entries the oldest go, a fourth of them at once.

    One at a time each look for the oldest would pass by all that were removed before it.
    """
    if len(kept) > most:
        for old in [*islice(kept, most // 4)]:
            del kept[old]
