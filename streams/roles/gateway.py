"""The gateway process: REST, SMPP and SMTP in front of one desk."""

import asyncio
import gc
import sys

import structlog
import uvloop
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
from ingress.http.unsubscribe import Unsubscribe
from ingress.ids import Uuid7
from ingress.outbox import OutboxRelay
from ingress.publisher import RecordPublisher
from ingress.smpp.receipts import run_receipts
from ingress.smpp.server import SmppServer
from schemas.catalogue import codec
from schemas.sql.pool import open_pool
from schemas.topics import CONFIG, INBOUND
from schemas.unsubscribe import unsubscribing
from streams.config_reader import ConfigReader
from streams.kafka import now_ms
from streams.metrics import Metrics
from streams.outlet import producer
from streams.roles.alive import watch_tasks
from streams.roles.context import RoleContext, stop_event
from streams.roles.ways_in import WaysIn
from streams.salt import salt_key
from streams.settings.resolve import public_url
from tables.config import ConfigTable

log = structlog.get_logger()

CONFIG_TIMEOUT_S = 5.0
WATCH_S = 0.1
GRACE_MS = 4_000
SWITCH_S = 0.001
"""How long the event loop may keep the interpreter from the thread that has verdicts for it; Python's own is 5 ms."""
YOUNG_OBJECTS = 20_000
"""Objects made before the collector looks at the youngest: a request makes hundreds and leaves no cycle behind."""


class DeskFailedError(Exception):
    """What every answer depends on has ended; the process must, too."""


def run(context: RoleContext) -> int:
    """Serve until asked to stop."""
    sys.setswitchinterval(SWITCH_S)
    uvloop.run(_serve(context))
    return 0


class ConfigPublisher:
    """Publishes changes of configuration, and returns when this gateway itself has read them."""

    def __init__(self, records: RecordPublisher, table: ConfigTable) -> None:
        self._records = records
        self._table = table

    async def publish(self, key: str, value: bytes | None) -> None:
        """Publish one record; afterwards every submission of this gateway is judged with it."""
        offset = await self._records.publish_octets(CONFIG, key, value)
        try:
            async with asyncio.timeout(CONFIG_TIMEOUT_S):
                while self._table.version <= offset:  # noqa: ASYNC110 - the table is fed by the desk's thread
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise TransientError("the change is not published yet", 1_000) from None


async def _serve(context: RoleContext) -> None:
    records = codec(context.registry)
    table = ConfigTable()
    reader = ConfigReader(context.bootstrap, records, table)
    reader.catch_up_to_end()
    publisher = RecordPublisher(records, producer(context.bootstrap, 2, **{"delivery.report.only.error": False}))
    configs = ConfigPublisher(publisher, table)

    def background() -> None:
        reader.poll()
        publisher.poll()

    registry = CollectorRegistry()
    new_id = Uuid7()
    desk = PipelineDesk(
        context.bootstrap, records, context.slot,
        lambda report: producer(context.bootstrap, linger_ms=4, on_delivery=report), now_ms, new_id, background,
    )  # fmt: skip
    stop = stop_event(context.stop)
    meter = PrometheusMeter(registry)
    metrics = Metrics(registry)
    watch_tasks(metrics, context.name, asyncio.get_running_loop())
    async with open_pool(context.dsn) as pool:
        relay = OutboxRelay(pool, configs.publish)
        directory = PostgresDirectory(pool, records, table, relay, SecretChecker())
        desk.start(asyncio.get_running_loop())
        url = public_url(context.settings, context.state)
        links = unsubscribing(url, salt_key(context.state))
        services = Services(
            desk, table, directory, PostgresArchive(pool, records), url,
            now_ms, new_id, meter, lambda: _not_ready(desk, pool, new_id), desk.gate,
            unsubscribe=Unsubscribe(links, lambda wish: publisher.publish(INBOUND, wish.tenant_id, wish), now_ms),
        )  # fmt: skip
        ways = WaysIn(desk, directory, table, records, pool, metrics, new_id, publisher, links, context.settings)
        host, ports = context.settings.gateway.host, context.ports
        smpp = ways.smpp(host, ports["smpp"], ports["smpp-tls"])
        smtp = ways.smtp(host, ports["smtp"], ports["smtp-tls"])
        try:
            rest = await listen(build_app(services), meter, host, ports["http"])
            bound, mail = await smpp.start(), await smtp.start()
            addresses: dict[str, object] = {
                "http": f"{host}:{rest.port}",
                "smpp": f"{host}:{bound.plain}",
                "smtp": f"{host}:{mail[0]}",
            }
            if ways.tls(0) is not None:
                addresses |= {"smpp_tls": f"{host}:{bound.tls}", "smtp_tls": f"{host}:{mail[1]}"}
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(relay.run(stop))
                tasks.create_task(run_receipts(context.bootstrap, records, smpp.receipts, stop))
                _settle_heap()
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


async def _not_ready(desk: PipelineDesk, pool: object, new_id: Uuid7) -> list[str]:
    """What keeps this gateway from answering: a pipeline or a database that does not."""
    missing = []
    try:
        await desk.status("", f"ready-{new_id()}")
    except TransientError:
        missing.append("pipeline")
    try:
        async with asyncio.timeout(2):
            await pool.fetchval("select 1")  # type: ignore[attr-defined]  # asyncpg has no types
    except (TimeoutError, OSError):
        missing.append("postgres")
    return missing


def _settle_heap() -> None:
    """What is loaded stays: the collector does not go through it again, nor stops the loop often for the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
