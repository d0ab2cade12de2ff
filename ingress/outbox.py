"""Changes of configuration on their way to Kafka: written with the change, published in order, marked when acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from domain.errors import TransientError
from schemas.sql.pool import loan

WRITER_LOCK = 0x4845524D_0002
"""Held by a transaction from its first outbox row to its commit, so that ids are in the order of commits."""
RELAY_LOCK = 0x4845524D_0003
"""Held by the one relay that publishes."""
BATCH_ROWS = 200
BATCH_TIMEOUT_MS = 30_000
FLUSH_TIMEOUT_MS = 10_000
SWEEP_PERIOD_MS = 2_000
KEPT_DAYS = 7
"""How long a published row is kept that a newer row of the same key has replaced."""

Publish = Callable[[str, bytes | None], Awaitable[None]]
"""Returns when the broker acknowledged the record (None: a tombstone); raises TransientError when it did not in time."""

log = structlog.get_logger()


async def enqueue(connection: Any, changes: Sequence[tuple[str, bytes | None]]) -> None:
    """The changes (key, encoded value or None) are in the outbox; call it last in a transaction, after its other writes."""
    if changes:
        await connection.execute("select pg_advisory_xact_lock($1)", WRITER_LOCK)
        await connection.executemany("insert into config_outbox (key, value) values ($1, $2)", list(changes))


class OutboxRelay:
    """Publishes what is in the outbox; any number of processes may have one."""

    def __init__(self, pool: Any, publish: Publish) -> None:
        self._pool = pool
        self._publish = publish
        self._busy = asyncio.Lock()

    async def flush(self, timeout_ms: int = FLUSH_TIMEOUT_MS) -> int:
        """Everything that was committed before this call is published; how many records this call sent.

        Raises:
            TransientError: not in time. The rows stay, and are published later.
        """
        sent = 0
        try:
            async with asyncio.timeout(timeout_ms / 1000), self._busy:
                while batch := await self._publish_batch():
                    sent += batch
        except TimeoutError as error:
            raise TransientError("the change is saved but not published yet", SWEEP_PERIOD_MS) from error
        return sent

    async def run(self, stop: asyncio.Event) -> None:
        """Publish what a process left that died between commit and publish: at once, then every two seconds until `stop`."""
        await self._sweep(self._prune)
        while not stop.is_set():
            await self._sweep(self.flush)
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_PERIOD_MS / 1000):
                    await stop.wait()

    async def republish_all(self) -> int:
        """The newest record of every key is published again, in the order of ids; how many: for a Kafka that lost them."""
        last, sent = 0, 0
        async with self._busy:
            while True:
                async with loan(self._pool, BATCH_TIMEOUT_MS) as connection, connection.transaction():
                    await connection.execute("select pg_advisory_xact_lock($1)", RELAY_LOCK)
                    rows = await connection.fetch(_NEWEST, last, BATCH_ROWS)
                    await self._send(connection, rows)
                if not rows:
                    return sent
                last, sent = rows[-1]["id"], sent + len(rows)

    async def _publish_batch(self) -> int:
        """One batch in one transaction: a failure leaves all of it unmarked, and it is sent again."""
        async with loan(self._pool, BATCH_TIMEOUT_MS) as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", RELAY_LOCK)
            rows = await connection.fetch(_PENDING, BATCH_ROWS)
            await self._send(connection, rows)
        return len(rows)

    async def _send(self, connection: Any, rows: Sequence[Any]) -> None:
        for row in rows:
            await self._publish(row["key"], row["value"])
        if rows:
            ids = [row["id"] for row in rows]
            await connection.execute("update config_outbox set published_at = now() where id = any($1::bigint[])", ids)

    async def _prune(self) -> None:
        async with loan(self._pool, BATCH_TIMEOUT_MS) as connection:
            await connection.execute(_PRUNE, KEPT_DAYS)

    async def _sweep(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except TransientError as error:
            log.warning("outbox_sweep_failed", reason=str(error))  # the next sweep does it


_PENDING = "select id, key, value from config_outbox where published_at is null order by id limit $1"
_NEWEST = """
select id, key, value from config_outbox o
where id > $1 and not exists (select from config_outbox n where n.key = o.key and n.id > o.id)
order by id limit $2
"""
_PRUNE = """
delete from config_outbox o
where published_at < now() - make_interval(days => $1)
  and exists (select from config_outbox n where n.key = o.key and n.id > o.id and n.published_at is not null)
"""
