"""The gateway process: REST, SMPP and SMTP in front of one desk."""

import asyncio
import uuid

import structlog
import uuid6
import uvloop
from confluent_kafka import KafkaError, Message
from prometheus_client import CollectorRegistry

from domain.errors import TransientError
from egress.archive.reader import PostgresArchive
from ingress.checker import SecretChecker
from ingress.desk import PipelineDesk
from ingress.directory import PostgresDirectory
from ingress.http.app import build_app
from ingress.http.meter import PrometheusMeter
from ingress.http.server import listen
from ingress.http.services import Services
from ingress.outbox import OutboxRelay
from schemas.catalogue import codec
from schemas.sql.pool import open_pool
from schemas.topics import CONFIG
from streams.config_reader import ConfigReader
from streams.kafka import now_ms, producer
from streams.roles.context import RoleContext, stop_event
from streams.settings.resolve import public_url
from tables.config import ConfigTable

log = structlog.get_logger()

CONFIG_TIMEOUT_S = 5.0
WATCH_S = 0.2


class DeskFailedError(Exception):
    """The thread that reads verdicts has ended; the process must, too."""


def run(context: RoleContext) -> int:
    """Serve until asked to stop."""
    uvloop.run(_serve(context))
    return 0


class ConfigPublisher:
    """Publishes changes of configuration, and returns when this gateway itself has read them."""

    def __init__(self, bootstrap: str, table: ConfigTable) -> None:
        self._table = table
        self._producer = producer(bootstrap, 2, **{"delivery.report.only.error": False})

    def poll(self) -> None:
        """Serve delivery reports; called by the desk's thread."""
        self._producer.poll(0)

    async def publish(self, key: str, value: bytes | None) -> None:
        """Publish one record; afterwards every submission of this gateway is judged with it."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()

        def report(error: KafkaError | None, message: Message) -> None:
            if error is None:
                loop.call_soon_threadsafe(_settle, done, message.offset() or 0)
            else:
                failure = TransientError(f"the change is not published: {error.name()}", 1_000)
                loop.call_soon_threadsafe(_settle, done, failure)

        self._producer.produce(CONFIG.name, value, key.encode(), on_delivery=report)
        try:
            async with asyncio.timeout(CONFIG_TIMEOUT_S):
                offset = await done
                while self._table.version <= offset:  # noqa: ASYNC110 - the table is fed by the desk's thread
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise TransientError("the change is not published yet", 1_000) from None


def _settle(future: "asyncio.Future[int]", result: int | TransientError) -> None:
    if future.done():
        return
    if isinstance(result, TransientError):
        future.set_exception(result)
    else:
        future.set_result(result)


async def _serve(context: RoleContext) -> None:
    records = codec(context.registry)
    table = ConfigTable()
    reader = ConfigReader(context.bootstrap, records, table)
    reader.catch_up_to_end()
    configs = ConfigPublisher(context.bootstrap, table)

    def background() -> None:
        reader.poll()
        configs.poll()

    registry = CollectorRegistry()
    desk = PipelineDesk(
        context.bootstrap, records, context.slot, producer(context.bootstrap, linger_ms=2), now_ms, _new_id, background
    )
    stop = stop_event(context.stop)
    meter = PrometheusMeter(registry)
    async with open_pool(context.dsn) as pool:
        relay = OutboxRelay(pool, configs.publish)
        directory = PostgresDirectory(pool, records, table, relay, SecretChecker(now_ms))
        desk.start(asyncio.get_running_loop())
        services = Services(
            desk, table, directory, PostgresArchive(pool, records), public_url(context.settings, context.state),
            now_ms, _new_id, meter, lambda: _not_ready(desk, pool),
        )  # fmt: skip
        host = context.settings.gateway.host
        rest = await listen(build_app(services), meter, host, context.ports["http"])
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(relay.run(stop))
                tasks.create_task(_watch(desk, stop))
                context.announce({"http": f"{host}:{rest.port}"})
        finally:
            await rest.close()
            desk.close()


async def _watch(desk: PipelineDesk, stop: asyncio.Event) -> None:
    """A desk that reads no answers any more ends the process."""
    while not stop.is_set():
        if desk.failure:
            raise DeskFailedError(desk.failure)
        await asyncio.sleep(WATCH_S)


async def _not_ready(desk: PipelineDesk, pool: object) -> list[str]:
    """What keeps this gateway from answering: a pipeline or a database that does not."""
    missing = []
    try:
        await desk.status("", f"ready-{uuid.uuid4()}")
    except TransientError:
        missing.append("pipeline")
    try:
        async with asyncio.timeout(2):
            await pool.fetchval("select 1")  # type: ignore[attr-defined]  # asyncpg has no types
    except (TimeoutError, OSError):
        missing.append("postgres")
    return missing


def _new_id() -> str:
    """A UUIDv7 (RFC 9562): ids sort by the time at which they were made."""
    return str(uuid6.uuid7())
