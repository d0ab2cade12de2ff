"""The Faust application: one agent over the usage topic, one table of minutes with its changelog.

Its rules, each for a reason found in Faust 0.15.3:
- A record is acknowledged here, after it was counted. Faust acknowledges by itself even when the agent raised.
- An agent that raises ends the process (mode's CrashingSupervisor) instead of being started again past the record.
- The minute is in the key of a plain table. Rows that a windowed table restores are never expired, and each update of a row
  leaves an entry in a heap until the window has passed.
- The partition is in the key too. Faust stores a row in the partition of the event, so one key would be written by several.
- No record is taken between the restore and the seek after it. Faust would take some and then clear the queue: they were lost.
- Rows are counted in memory and written each half second: the changelog's producer costs more than all the rest.
- The monitor's sensor is taken off: it costs as much as the counting.
- No `take`, no exactly_once, concurrency 1.

After a crash the changelog restores the counts. A record that comes again is known by its offset and not counted twice. What
was counted in the last instants before a kill can be missing, because Faust may commit an offset before the changelog's
record has left (it waits 100 ms for that); the topic, read again from its beginning by a new group, repairs it.

The topic holds sums of batches. The sums of a batch that the pipeline did again after its own crash are other records, and may
count twice: usage is for watching, the money is in the ledger.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
from mode import CrashingSupervisor

from schemas.codec import Codec, UnreadableError
from schemas.rows import DeadRecord, UsageCounted
from schemas.topics import DEADLETTERS, USAGE
from streams.insight.tally import MAX_HELD, Clock, Tally
from streams.insight.usage import HORIZON_MINUTES, MINUTE_MS
from streams.metrics import Metrics

APP_ID = "hermes-insight"
TABLE = "usage"
RELEASE_EVERY_S = 0.5
FORGET_EVERY_S = 60.0
COMMIT_EVERY_S = 1.0
SESSION_S = 10.0
"""After a kill the partitions are given on when this has passed."""
HEARTBEAT_S = 3.0
LINGER_S = 0.02
SEND_TIMEOUT_S = 30.0
BUFFERED_RECORDS = 4_096
CHANGELOG_SETTINGS = {
    "cleanup.policy": "compact,delete",
    "retention.ms": str((HORIZON_MINUTES + 60) * MINUTE_MS),
    "segment.ms": str(10 * MINUTE_MS),
    "segment.bytes": str(16 * 1024 * 1024),
}


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Insight:
    """The application, its counts, and the name of the topic that it reads."""

    app: Any
    tally: Tally
    topic: str

    @property
    def is_ready(self) -> bool:
        """Whether the table is restored and this process owns its partitions."""
        return bool(self.app.tables.recovery.completed.is_set() and not self.app.rebalancing)

    def partitions(self) -> tuple[int, ...]:
        """The partitions of the topic that this process counts now."""
        return tuple(sorted(tp.partition for tp in self.app.consumer.assignment() if tp.topic == self.topic))


def build(
    bootstrap: str, codec: Codec, datadir: Path, partitions: int, metrics: Metrics, *, replicas: int = 1,
    prefix: str = "", clock: Clock = now_ms,
) -> Insight:  # fmt: skip
    """The application, not started and not connected; call it where an event loop runs.

    `partitions` is that of the lane's keyed topics and becomes that of the changelog, `hermes-insight-usage-changelog`, which
    Faust creates with `replicas` replicas. `prefix` goes before the names of the topics and of the group. `bootstrap` is
    `host:port`, several with commas. One process counts: a second one takes half of the partitions and each answers for
    its own.
    """
    app: Any = faust.App(
        prefix + APP_ID,
        broker=";".join(f"kafka://{address}" for address in bootstrap.split(",")),
        datadir=str(datadir),
        store="memory://",
        web_enabled=False,
        topic_partitions=partitions,
        topic_replication_factor=replicas,
        topic_disable_leader=True,
        stream_buffer_maxsize=BUFFERED_RECORDS,
        stream_wait_empty=False,
        broker_commit_interval=COMMIT_EVERY_S,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        producer_linger=LINGER_S,
        consumer_auto_offset_reset="earliest",
    )
    rows: Any = app.Table(
        TABLE,
        partitions=partitions,
        extra_topic_configs=CHANGELOG_SETTINGS,
        help="counts by minute, partition and tenant",
    )
    insight = Insight(app, Tally(rows, clock, metrics), prefix + USAGE.name)
    _count_records(insight, codec, metrics, clock, prefix)
    _keep_table(insight, rows)
    app.finalize()
    return insight


def _count_records(insight: Insight, codec: Codec, metrics: Metrics, clock: Clock, prefix: str) -> None:
    app, tally = insight.app, insight.tally
    usage = app.topic(insight.topic, key_serializer="raw", value_serializer="raw", allow_empty=True)
    dead = app.topic(prefix + DEADLETTERS.name, key_serializer="raw", value_serializer="raw")
    dead_total = metrics.counter("hermes_deadletters_total", topic=USAGE.name)

    async def bury(place: Any, octets: bytes, reason: str) -> None:
        """The record is on the dead-letter topic when this returns."""
        record = DeadRecord(place.topic, place.partition, place.offset, place.key or b"", octets, reason, clock())
        async with asyncio.timeout(SEND_TIMEOUT_S):
            sent = await dead.send(key=f"{place.topic}/{place.partition}".encode(), value=codec.encode(record))
            await sent
        dead_total.inc()

    async def count_usage(stream: Any) -> None:
        stream.enable_acks = False
        async for octets in stream:
            event = stream.current_event
            place = event.message
            try:
                told = _read(codec, octets or b"")
            except UnreadableError as error:
                await bury(place, octets or b"", str(error))
            else:
                tally.add(told, place.partition, place.offset)
            tally.hold(event.ack)

    app.agent(usage, name="count_usage", concurrency=1, supervisor_strategy=CrashingSupervisor)(count_usage)


def _read(codec: Codec, octets: bytes) -> UsageCounted:
    """The sums that one record holds; UnreadableError when it holds something else."""
    value = codec.decode(octets)
    if not isinstance(value, UsageCounted):
        raise UnreadableError(f"{type(value).__name__}, not {UsageCounted.__name__}")
    return value


def _keep_table(insight: Insight, rows: Any) -> None:
    app, tally = insight.app, insight.tally

    async def restored() -> None:
        app.consumer.stop_flow()  # Faust resumes it when it has sought the committed offsets
        tally.restored()

    async def release(*_: Any, **__: Any) -> None:
        tally.release()

    async def forget() -> None:
        tally.forget()

    async def set_faust_up() -> None:
        app.sensors.remove(app.monitor)  # Faust puts it on when the application starts
        app.producer.buffer.max_messages = MAX_HELD  # a release writes no more rows than it holds records

    rows.on_recover(restored)
    app.on_partitions_revoked.connect(release)
    app.timer(interval=RELEASE_EVERY_S, name="release")(release)
    app.timer(interval=FORGET_EVERY_S, name="forget")(forget)
    app.task(set_faust_up)
