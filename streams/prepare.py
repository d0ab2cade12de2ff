"""Prepares a stack for the roles: topics, database schema, tenants with their keys and opening balances, routes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from domain.billing.money import Account, Grant, grant_entry
from domain.errors import TransientError
from egress.publisher import Publisher, PublishError
from ingress.checker import SecretChecker
from ingress.outbox import OutboxRelay
from ingress.seed import seed
from schemas.catalogue import codec
from schemas.codec import Codec
from schemas.sql.migrate import migrate
from schemas.sql.pool import loan, open_pool
from schemas.topics import BILLING, CONFIG
from streams.admin import ensure_topics
from streams.credentials import Credentials, credentials_of, seed_of
from streams.outlet import producer
from streams.registry import registry_of, remember_registry
from streams.salt import salt_key
from streams.settings.identity import tenant_id
from streams.settings.model import Settings
from streams.settings.resolve import tenant_settings, topics
from tables.changelog import ends_of

log = structlog.get_logger()

POOL_SIZE = 2
LINGER_MS = 5
RETRY_AFTER_MS = 1_000


def prepare(settings: Settings, state: Path, bootstrap: str, dsn: str, registry: str = "") -> None:
    """Everything that roles find when they start is there. Doing it again changes nothing that did not change.

    Raises:
        ConfigError: the settings contradict what is there.
        TransientError: Kafka, PostgreSQL or the schema registry did not answer in time.
    """
    salt_key(state)
    remember_registry(state, registry)
    records = codec(registry_of(registry))
    pipeline = settings.pipeline
    ensure_topics(bootstrap, topics(settings), pipeline.partitions, pipeline.replication)
    asyncio.run(_plant(settings, state, bootstrap, dsn, records, config_is_empty=_is_empty(bootstrap)))


async def _plant(
    settings: Settings, state: Path, bootstrap: str, dsn: str, records: Codec, *, config_is_empty: bool
) -> None:
    applied = await migrate(dsn)
    log.info("database_migrated", applied=applied)
    credentials = Credentials.of(state)
    tenants = tenant_settings(settings)
    async with _publisher(bootstrap, records) as publisher, open_pool(dsn, POOL_SIZE) as pool:
        relay = OutboxRelay(pool, _publish(publisher))
        checker = SecretChecker(_now_ms)
        try:
            if config_is_empty:  # a new Kafka beside a database that was there before
                await relay.republish_all()
            planted = await seed(pool, publisher.codec, relay, checker, seed_of(settings, credentials.read()))
        finally:
            await checker.close()
        credentials.keep(credentials_of(tenants, planted))
        grants = [
            Grant(who, f"opening/{who}", one.balance_micros, _now_ms())
            for one in tenants
            if one.balance_micros and (who := tenant_id(one.name))
        ]
        new = await _not_yet_granted(pool, grants)
        await publisher.publish_octets(BILLING, [(grant.tenant_id, records.encode(grant)) for grant in new])
    log.info("tenants_planted", tenants=len(tenants), granted=len(new))


async def _not_yet_granted(pool: Any, grants: list[Grant]) -> list[Grant]:
    """Those that the ledger does not have. One that is still on its way to the ledger is known to the pipeline."""
    entries = {grant_entry(Account(g.tenant_id), g).entry_id: g for g in grants}
    async with loan(pool) as connection:
        rows = await connection.fetch(
            "select entry_id from ledger_entries where tenant_id = any($1) and entry_id = any($2)",
            [g.tenant_id for g in grants], list(entries),
        )  # fmt: skip
    return [grant for entry, grant in entries.items() if entry not in {row["entry_id"] for row in rows}]


@asynccontextmanager
async def _publisher(bootstrap: str, records: Codec) -> AsyncIterator[Publisher]:
    publisher = Publisher(records, producer(bootstrap, LINGER_MS, **{"delivery.report.only.error": False}))
    publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


def _publish(publisher: Publisher) -> Callable[[str, bytes | None], Awaitable[None]]:
    """What the outbox publishes with: encoded values, None for a tombstone."""

    async def publish(key: str, value: bytes | None) -> None:
        try:
            await publisher.publish_octets(CONFIG, [(key, value)])
        except PublishError as error:
            raise TransientError(f"Kafka: {error}", RETRY_AFTER_MS) from error

    return publish


def _is_empty(bootstrap: str) -> bool:
    """Whether nothing was ever published on `hermes.config`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    try:
        return ends_of(admin, [(CONFIG.name, 0)])[CONFIG.name, 0] == 0
    except KafkaException as error:
        raise TransientError(f"Kafka: {error.args[0].name()}", RETRY_AFTER_MS) from error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
