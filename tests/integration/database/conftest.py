"""A database of its own for each test, copied from one that was migrated once."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from domain.cascade.rule import CascadeRule
from domain.errors import TransientError
from domain.tenant import ApiKey, Route, Tenant
from ingress.checker import SecretChecker
from ingress.directory import PostgresDirectory
from ingress.outbox import OutboxRelay
from schemas.catalogue import codec
from schemas.codec import Codec
from schemas.sql.migrate import migrate
from schemas.sql.pool import open_pool
from tables.config import ConfigTable
from tests.conftest import Stack

_numbers = itertools.count()


def at(dsn: str, database: str) -> str:
    """The DSN of another database of the same server."""
    return f"{dsn.rpartition('/')[0]}/{database}"


async def create(dsn: str, database: str, template: str = "template0") -> str:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"create database {database} template {template}")
    finally:
        await connection.close()
    return at(dsn, database)


async def eventually(check: Callable[[], Awaitable[Any]], tries: int = 2_000) -> Any:
    """What `check` gives once that is true; it is asked every ten milliseconds."""
    for _ in range(tries):
        if found := await check():
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


@dataclass(frozen=True)
class Template:
    """A migrated database that nobody is connected to."""

    dsn: str
    database: str


@pytest.fixture(scope="session")
def migrated(stack: Stack) -> Template:
    database = f"hermes_template_{next(_numbers)}"
    asyncio.run(migrate(asyncio.run(create(stack.dsn, database))))
    return Template(stack.dsn, database)


@pytest.fixture
async def dsn(migrated: Template) -> str:
    return await create(migrated.dsn, f"hermes_test_{next(_numbers)}", migrated.database)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Any]:
    async with open_pool(dsn) as opened:
        yield opened


@pytest.fixture(scope="session")
def avro() -> Codec:
    return codec()


@dataclass
class Broker:
    """Stands for `hermes.config`: what was acknowledged, in order; it can be told to fail."""

    records: list[tuple[str, bytes | None]] = field(default_factory=list)
    failures: int = 0

    async def publish(self, key: str, value: bytes | None) -> None:
        if self.failures:
            self.failures -= 1
            raise TransientError("not acknowledged", 1)
        self.records.append((key, value))

    def values(self, avro: Codec) -> list[Tenant | ApiKey | CascadeRule | Route | None]:
        return [None if value is None else avro.decode(value) for _, value in self.records]


@dataclass
class Clock:
    """A clock in milliseconds that moves when it is told to."""

    now: int = 1_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Rig:
    """A directory over a real database and a broker that is not real."""

    pool: Any
    avro: Codec
    broker: Broker
    clock: Clock
    config: ConfigTable
    relay: OutboxRelay
    checker: SecretChecker
    directory: PostgresDirectory


@pytest.fixture
async def rig(pool: Any, avro: Codec) -> AsyncIterator[Rig]:
    broker, clock, config = Broker(), Clock(), ConfigTable()
    relay, checker = OutboxRelay(pool, broker.publish), SecretChecker(clock, rounds=4)
    yield Rig(pool, avro, broker, clock, config, relay, checker, PostgresDirectory(pool, avro, config, relay, checker))
    await checker.close()
