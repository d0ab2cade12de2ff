"""Connections to PostgreSQL: a pool with limits, and a loan from it that ends in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from domain.errors import TransientError

POOL_SIZE = 5
CONNECT_TIMEOUT_MS = 30_000
CLOSE_TIMEOUT_MS = 5_000
QUERY_TIMEOUT_MS = 60_000
LOAN_TIMEOUT_MS = 5_000
RETRY_AFTER_MS = 1_000

UNREACHABLE = (
    TimeoutError,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
)
"""What asyncpg raises when the server is away, restarting, full or slow."""


@asynccontextmanager
async def open_pool(dsn: str, size: int = POOL_SIZE) -> AsyncIterator[Any]:
    """Give an asyncpg pool of at most `size` connections; it is closed at the end, by force when that takes long."""
    async with asyncio.timeout(CONNECT_TIMEOUT_MS / 1000):
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=size, command_timeout=QUERY_TIMEOUT_MS / 1000)
    try:
        yield pool
    finally:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_MS / 1000):
                await pool.close()
        except TimeoutError:
            pool.terminate()


@asynccontextmanager
async def loan(pool: Any, timeout_ms: int = LOAN_TIMEOUT_MS) -> AsyncIterator[Any]:
    """Give a connection for at most `timeout_ms`, waiting for it included.

    Raises:
        TransientError: PostgreSQL is away or too slow; a transaction that was open is rolled back.
    """
    try:
        async with asyncio.timeout(timeout_ms / 1000), pool.acquire() as connection:
            yield connection
    except UNREACHABLE as error:
        raise TransientError(f"PostgreSQL: {type(error).__name__}", RETRY_AFTER_MS) from error
