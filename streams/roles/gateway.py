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
from ingress.smpp.receipts import run_receipts
from ingress.smpp.server import SmppServer
from schemas.catalogue import codec
from schemas.sql.pool import open_pool
from schemas.topics import CONFIG
from streams.config_reader import ConfigReader
from streams.kafka import now_ms, producer
from streams.metrics import Metrics
from streams.roles.alive import watch_tasks
from streams.roles.context import RoleContext, stop_event
from streams.roles.ways_in import WaysIn
from streams.settings.resolve import public_url
from tables.config import ConfigTable

log = structlog.get_logger()

CONFIG_TIMEOUT_S = 5.0
WATCH_S = 0.1
GRACE_MS = 4_000


class DeskFailedError(Exception):
    """What every answer depends on has ended; the process must, too."""


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
    metrics = Metrics(registry)
    watch_tasks(metrics, context.name, asyncio.get_running_loop())
    async with open_pool(context.dsn) as pool:
        relay = OutboxRelay(pool, configs.publish)
        directory = PostgresDirectory(pool, records, table, relay, SecretChecker(now_ms))
        desk.start(asyncio.get_running_loop())
        services = Services(
            desk, table, directory, PostgresArchive(pool, records), public_url(context.settings, context.state),
            now_ms, _new_id, meter, lambda: _not_ready(desk, pool),
        )  # fmt: skip
        ways = WaysIn(desk, directory, table, records, pool, metrics, _new_id)
        host, ports = context.settings.gateway.host, context.ports
        smpp, smtp = ways.smpp(host, ports["smpp"]), ways.smtp(host, ports["smtp"])
        try:
            rest = await listen(build_app(services), meter, host, ports["http"])
            addresses: dict[str, object] = {
                "http": f"{host}:{rest.port}",
                "smpp": f"{host}:{(await smpp.start()).plain}",
                "smtp": f"{host}:{(await smtp.start())[0]}",
            }
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(relay.run(stop))
                tasks.create_task(run_receipts(context.bootstrap, records, smpp.receipts, stop))
                context.announce(addresses)
                await _until_stopped(desk, smpp, stop)
            async with asyncio.TaskGroup() as ends:
                ends.create_task(rest.close())
                ends.create_task(smpp.stop(GRACE_MS))
                ends.create_task(smtp.stop(GRACE_MS))
        finally:
            desk.close()


async def _until_stopped(desk: PipelineDesk, smpp: SmppServer, stop: asyncio.Event) -> None:
    """Wait for `stop`; a desk that reads no answers any more, or an SMPP task that died, ends the process."""
    died = asyncio.ensure_future(smpp.failed())
    try:
        while not stop.is_set():
            if desk.failure:
                raise DeskFailedError(desk.failure)
            if died.done():
                raise DeskFailedError("the SMPP server has failed") from died.result()
            await asyncio.wait((died,), timeout=WATCH_S)
    finally:
        died.cancel()


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
