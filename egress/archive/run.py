"""The archive process: status changes and ledger entries, from their topics into PostgreSQL."""

import asyncio

from egress.archive.writer import ArchiveWriter
from egress.consume import Source, consume
from schemas.codec import Codec
from schemas.sql.pool import open_pool
from schemas.topics import LEDGER, STATUS

GROUP = "hermes.archive"
POOL_SIZE = 2
GATHER_MS = 250
"""Most of a message's changes come within this time: only the newest is written."""


async def run_archive(bootstrap: str, dsn: str, codec: Codec, stop: asyncio.Event) -> None:
    """Archive until `stop`; at least once, and twice is the same as once. Any failure is raised: the process starts again."""
    async with open_pool(dsn, POOL_SIZE) as pool:
        source = Source(bootstrap, GROUP, (STATUS, LEDGER))
        await consume(source, codec, ArchiveWriter(pool, codec).apply, stop, gather_ms=GATHER_MS)
