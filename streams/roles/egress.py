"""The egress process: one lane a carrier and a mail pool, their receipts, how they do, and the tenants' callbacks."""

import asyncio
import random
import uuid
from collections.abc import Callable

import structlog
import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from prometheus_client import CollectorRegistry

from domain.tenant import CarrierStatus
from egress.book import Book
from egress.book_restore import restore_book
from egress.lanes import Lane, Lanes
from egress.mta.mta import Mta
from egress.publisher import Publisher
from egress.receipts import Receipts
from egress.smpp.backoff import full_jitter
from egress.smpp.carrier import SmppCarrier
from egress.smpp.config import CarrierConfig
from egress.webhooks.run import run_webhooks
from egress.webhooks.settings import WebhookSettings
from schemas.catalogue import codec
from schemas.topics import CARRIERS, attempts_topic
from streams.kafka import now_ms, producer
from streams.metrics import Metrics
from streams.metrics_server import serve_metrics
from streams.roles.alive import watch_tasks
from streams.roles.carrier_events import CarrierMeter
from streams.roles.context import RoleContext, stop_event
from streams.roles.ways_out import MailWay, SmsWay, on_unknown
from streams.settings.resolve import mail_pools, smpp_carriers
from tables.store import RocksStore

log = structlog.get_logger()

GROUP = "hermes.egress"
STATUS_EVERY_S = 1.0
DRAIN_MS = 4_000
LINGER_MS = 4
MAX_AT_WORK = 1_000


def run(context: RoleContext) -> int:
    """Work until asked to stop."""
    uvloop.run(_serve(context))
    return 0


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Forgets what another process owns now."""

    def __init__(self, forget: Callable[[list[TopicPartition]], None]) -> None:
        self._forget = forget

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Nothing of these may be committed here any more."""
        self._forget(revoked)

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """They come with their committed offsets."""


async def _serve(context: RoleContext) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    records = codec(context.registry)
    publisher = Publisher(records, producer(context.bootstrap, LINGER_MS, **{"delivery.report.only.error": False}))
    store = RocksStore(context.state / context.name)
    book = Book(store, records)
    restored = await asyncio.to_thread(restore_book, context.bootstrap, book)
    log.info("book_restored", rows=restored)
    receipts = Receipts(publisher, book, metrics.count)
    sms = {c.name: _sms_way(c, receipts, metrics) for c in smpp_carriers(context.settings, context.state)}
    mail = {
        name: MailWay(name, Mta(wanted), metrics)
        for name, wanted in mail_pools(context.settings, context.state).items()
    }
    watch_tasks(metrics, context.name, asyncio.get_running_loop())
    lanes = _lanes(sms, mail, context)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=context.bootstrap, group_id=GROUP, group_instance_id=context.name, enable_auto_commit=False,
        auto_offset_reset="earliest", max_partition_fetch_bytes=2 * 1024 * 1024, fetch_max_wait_ms=100,
        session_timeout_ms=6_000, heartbeat_interval_ms=1_500, client_id=f"{context.name}-{uuid.uuid4().hex[:6]}",
    )  # fmt: skip
    work = Lanes(consumer, publisher, book, {lane.topic: lane for lane in lanes}, now_ms, metrics.count)
    receipts.told = work.told
    consumer.subscribe([lane.topic for lane in lanes], listener=_Rebalance(work.forget))
    server = serve_metrics(registry, port=context.ports["egress-metrics"])
    stop = stop_event(context.stop)
    publisher.start()
    await consumer.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            carriers = [tasks.create_task(way.carrier.run()) for way in sms.values()]
            side = [
                tasks.create_task(_report(sms, mail, publisher)),
                tasks.create_task(run_webhooks(
                    context.bootstrap, context.dsn, records,
                    WebhookSettings(allow_private=context.settings.egress.webhooks_allow_private), stop, metrics,
                )),
            ]  # fmt: skip
            context.announce({"metrics": f"127.0.0.1:{server.port}"})
            lanes_done = tasks.create_task(work.run(stop))
            await stop.wait()
            async with asyncio.TaskGroup() as ends:
                for way in sms.values():
                    ends.create_task(way.carrier.drain(DRAIN_MS))
                for pool in mail.values():
                    ends.create_task(pool.mta.close())
            await lanes_done
            for task in (*carriers, *side[:1]):
                task.cancel()
    finally:
        await consumer.stop()
        await publisher.stop()
        store.close()
        server.stop()


def _sms_way(config: CarrierConfig, receipts: Receipts, metrics: Metrics) -> SmsWay:
    chance = random.Random()  # noqa: S311 - spreads reconnects, no secret
    carrier = SmppCarrier(
        config, receipts.take, backoff=lambda failures: full_jitter(failures, chance.random), now_ms=now_ms,
        events=CarrierMeter(metrics, config.name), first_reference=chance.randrange(65_536),
    )  # fmt: skip
    way = SmsWay(config, carrier)
    metrics.watch("hermes_smpp_window_utilization", lambda: way.utilization, carrier=config.name, connection="all")
    return way


def _lanes(sms: dict[str, SmsWay], mail: dict[str, MailWay], context: RoleContext) -> list[Lane]:
    policies = on_unknown(context.settings)
    ways = [Lane(n, attempts_topic("sms", n).name, w, MAX_AT_WORK, policies.get(n, "resend")) for n, w in sms.items()]
    return [*ways, *(Lane(n, attempts_topic("email", n).name, w, MAX_AT_WORK) for n, w in mail.items())]


async def _report(sms: dict[str, SmsWay], mail: dict[str, MailWay], publisher: Publisher) -> None:
    """Tell the router every second how each carrier does; its answer to the newest word is on the compacted topic."""
    while True:
        for name, way in sms.items():
            await publisher.publish(CARRIERS, name, way.status(now_ms()))
        for name, pool in mail.items():
            await publisher.publish(
                CARRIERS, name, CarrierStatus(name, True, pool.in_flight, MAX_AT_WORK, 1000, now_ms())
            )
        await asyncio.sleep(STATUS_EVERY_S)
