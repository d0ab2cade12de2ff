"""The archive process: status changes and ledger entries, from their topics into PostgreSQL."""

import asyncio

from egress.archive.writer import ArchiveWriter
from egress.consume import Source, consume
from schemas.codec import Codec
from schemas.sql.pool import open_pool
from schemas.topics import LEDGER, STATUS

GROUP = "hermes.archive"
POOL_SIZE = 2


async def run_archive(bootstrap: str, dsn: str, codec: Codec, stop: asyncio.Event) -> None:
    """Archive until `stop`; at least once, and twice is the same as once. Any failure is raised: the process starts again."""
    async with open_pool(dsn, POOL_SIZE) as pool:
        await consume(Source(bootstrap, GROUP, (STATUS, LEDGER)), codec, ArchiveWriter(pool, codec).apply, stop)
