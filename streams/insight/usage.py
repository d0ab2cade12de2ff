"""The window: counts of one tenant in one minute, how long they are kept, and how they are asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict

MINUTE_MS = 60_000
HORIZON_MINUTES = 24 * 60
"""Minutes that are kept; an older event is not counted any more."""
MAX_ROWS = 300_000
"""Rows in memory, about 250 MB; beyond it the oldest minutes are forgotten first, and `since` says so."""
MAX_TENANT_CHARACTERS = 64
DEFAULT_MINUTES = 60


class Row(TypedDict):
    """One tenant's counts in one minute as one partition told them, keyed by "channel.state".

    `offset` is the source offset that was counted last, so that a record that comes again changes nothing.
    """

    offset: int
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer; `minute_ms` is the beginning of the minute, Unix time in milliseconds."""

    minute_ms: int
    tenant_id: str
    channel: str
    state: str
    count: int


def row_key(minute: int, partition: int, tenant_id: str) -> str:
    """The key of a row. The partition is part of it: a changelog partition is written by its source partition only."""
    return f"{minute}/{partition}/{tenant_id}"


def minute_of(key: str) -> int:
    """The minute of a row's key, in minutes since 1970."""
    return int(key.partition("/")[0])


def bucket(at_ms: int, now_ms: int) -> int | None:
    """The minute that a time of `at_ms` counts in, None when it is too old; a clock ahead of ours counts as now."""
    now = now_ms // MINUTE_MS
    minute = min(at_ms // MINUTE_MS, now)
    return minute if minute > now - HORIZON_MINUTES else None


def counted(row: Row | None, offset: int, told: Mapping[str, int]) -> Row | None:
    """The row after one more record, or None when that record is in it already."""
    if row is None:
        return {"offset": offset, "counts": dict(told)}
    if offset <= row["offset"]:
        return None
    counts = dict(row["counts"])
    for name, count in told.items():
        counts[name] = counts.get(name, 0) + count
    return {"offset": offset, "counts": counts}


class Minutes:
    """Which rows there are, by minute: what pruning and pruned answers need. It is rebuilt from the table on restore."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._keys: dict[int, list[str]] = {}
        self._rows = 0
        self._max_rows = max_rows
        self.since = 0
        """The oldest minute whose rows are all here, in minutes since 1970; zero while nothing was forgotten."""

    def __len__(self) -> int:
        return self._rows

    def add(self, key: str) -> None:
        """Note a row that is new."""
        self._keys.setdefault(minute_of(key), []).append(key)
        self._rows += 1

    def rebuild(self, keys: Iterable[str]) -> None:
        """Note exactly these rows."""
        self._keys.clear()
        self._rows = 0
        for key in keys:
            self.add(key)

    def outdated(self, now_ms: int) -> list[str]:
        """The keys to forget now; they are noted no more."""
        oldest = now_ms // MINUTE_MS - HORIZON_MINUTES + 1
        gone: list[str] = []
        for minute in sorted(self._keys):
            if minute >= oldest and self._rows <= self._max_rows:
                break
            keys = self._keys.pop(minute)
            self._rows -= len(keys)
            gone += keys
            self.since = max(self.since, minute + 1)
        return gone


def lines(
    rows: Mapping[str, Row], tenant_id: str, minutes: int, partitions: Iterable[int], now_ms: int
) -> tuple[Line, ...]:
    """The tenant's counts of the last `minutes` minutes, this one included, oldest first, partitions added up."""
    now = now_ms // MINUTE_MS
    owned = tuple(partitions)
    answer: list[Line] = []
    for minute in range(now - min(minutes, HORIZON_MINUTES) + 1, now + 1):
        total: dict[str, int] = {}
        for partition in owned:
            row = rows.get(row_key(minute, partition, tenant_id))
            if row is not None:
                for name, count in row["counts"].items():
                    total[name] = total.get(name, 0) + count
        for name in sorted(total):
            channel, _, state = name.partition(".")
            answer.append(Line(minute * MINUTE_MS, tenant_id, channel, state, total[name]))
    return tuple(answer)
