"""The longest silence in a row of moments."""

from collections.abc import Iterable
from itertools import pairwise


def longest_gap(moments: Iterable[int], begin: int, end: int) -> int:
    """The longest time between two neighbours of `begin`, the moments between the two, and `end`; in their unit."""
    inside = sorted(moment for moment in moments if begin < moment < end)
    return max(later - earlier for earlier, later in pairwise((begin, *inside, end)))
