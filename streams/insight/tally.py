"""The counting itself: adds records to rows in memory, and now and then writes the changed rows and acknowledges the records."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Protocol

from schemas.rows import UsageCounted
from streams.insight.usage import Line, Minutes, Row, bucket, counted, lines, row_key
from streams.metrics import Metrics

MAX_HELD = 2_048
"""Records counted in memory that are not acknowledged yet."""

Clock = Callable[[], int]


class Rows(Protocol):
    """A Faust table, as far as it is used here."""

    @property
    def data(self) -> MutableMapping[str, Row]:
        """The rows in memory; a change is not told to the changelog."""
        ...

    def send_changelog(self, partition: int, key: str, value: Row) -> object:
        """Write one row to one partition of the changelog, soon."""
        ...


class Tally:
    """Counts records of the partitions that this process owns.

    A record is acknowledged after the rows it changed were given to the changelog. A row's changelog partition is the one
    of the records that are counted in it, and the row holds the offset counted last: a record that comes again, before or
    after a restore, changes nothing.
    """

    def __init__(self, rows: Rows, clock: Clock, metrics: Metrics) -> None:
        self.minutes = Minutes()
        self._rows = rows
        self._clock = clock
        self._dirty: dict[str, int] = {}
        self._acks: list[Callable[[], object]] = []
        self._counted = metrics.counter("hermes_insight_records_total", result="counted")
        self._old = metrics.counter("hermes_insight_records_total", result="too_old")
        self._again = metrics.counter("hermes_insight_records_total", result="repeated")

    def add(self, told: UsageCounted, partition: int, offset: int) -> None:
        """Add the sums of one record to its row."""
        minute = bucket(told.minute_ms, self._clock())
        if minute is None:
            self._old.inc()
            return
        key = row_key(minute, partition, told.tenant_id)
        before = self._rows.data.get(key)
        row = counted(before, offset, told.counts)
        if row is None:
            self._again.inc()
            return
        self._rows.data[key] = row
        self._dirty[key] = partition
        if before is None:
            self.minutes.add(key)
        self._counted.inc()

    def hold(self, ack: Callable[[], object]) -> None:
        """Keep a record's acknowledgement until its rows are written; too many of them are a reason to write."""
        self._acks.append(ack)
        if len(self._acks) >= MAX_HELD:
            self.release()

    def release(self) -> None:
        """Write each changed row once and acknowledge every record held."""
        for key, partition in self._dirty.items():
            row = self._rows.data.get(key)
            if row is not None:  # forgotten since
                self._rows.send_changelog(partition, key, row)
        for ack in self._acks:
            ack()
        self._dirty.clear()
        self._acks.clear()

    def restored(self) -> None:
        """The table was read from its changelog: note which minutes there are, forget what is too old."""
        self.minutes.rebuild(self._rows.data.keys())
        self.forget()

    def forget(self) -> None:
        """Drop the rows that are too old or too many, from memory only; the changelog has its retention."""
        for key in self.minutes.outdated(self._clock()):
            self._rows.data.pop(key, None)

    def usage(self, tenant_id: str, minutes: int, partitions: tuple[int, ...]) -> Iterator[Line]:
        """The tenant's counts of the last `minutes` minutes as these partitions told them, oldest first."""
        return iter(lines(self._rows.data, tenant_id, minutes, partitions, self._clock()))
