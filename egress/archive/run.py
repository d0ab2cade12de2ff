"""The archive process: status changes and ledger entries, from their topics into PostgreSQL."""

import asyncio
import time
from collections.abc import Sequence

from domain.billing.money import LedgerEntry
from domain.cascade.commands import StatusChanged
from egress.archive.writer import ArchiveWriter
from egress.consume import Source, consume
from egress.meter import Meter, Unmetered
from schemas.codec import Codec
from schemas.sql.pool import open_pool
from schemas.topics import LEDGER, STATUS

GROUP = "hermes.archive"
POOL_SIZE = 2
GATHER_MS = 1_000
"""Most of a message's changes come within this time: only the newest is written. The pipeline's table knows it sooner."""


async def run_archive(bootstrap: str, dsn: str, codec: Codec, stop: asyncio.Event, meter: Meter | None = None) -> None:
    """Archive until `stop`; at least once, and twice is the same as once. Any failure is raised: the process starts again."""
    async with open_pool(dsn, POOL_SIZE) as pool:
        writer, known = ArchiveWriter(pool, codec), meter or Unmetered()

        async def write(records: Sequence[StatusChanged | LedgerEntry]) -> None:
            await writer.apply(records)
            newest_ms = max(record.at_ms for record in records)
            known.count("hermes_archive_records_total", len(records), kind="all")
            known.set("hermes_archive_lag_seconds", max(time.time() - newest_ms / 1000, 0))

        source = Source(bootstrap, GROUP, (STATUS, LEDGER))
        await consume(source, codec, write, stop, gather_ms=GATHER_MS, meter=known)
