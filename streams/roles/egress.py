"""The egress process: one lane a carrier and a mail pool, their receipts, how they do, and the tenants' callbacks."""

import asyncio
import random
from collections.abc import Sequence

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from domain.tenant import CarrierStatus
from egress.book import Book
from egress.book_restore import restore_book
from egress.group import Member, group_consumer
from egress.lanes import Lane, Lanes
from egress.messages import Messages
from egress.mta.mta import Mta
from egress.publisher import Publisher
from egress.reader import AttemptReader
from egress.receipts import Receipts
from egress.smpp.backoff import full_jitter
from egress.smpp.carrier import SmppCarrier
from egress.smpp.config import CarrierConfig
from egress.webhooks.run import run_webhooks
from egress.webhooks.settings import WebhookSettings
from schemas.catalogue import codec
from schemas.topics import CARRIERS, attempts_topic
from streams.config_reader import ConfigReader
from streams.kafka import now_ms
from streams.metrics import Metrics
from streams.metrics_server import serve_metrics
from streams.outlet import producer
from streams.roles.alive import watch_tasks
from streams.roles.carrier_events import CarrierMeter
from streams.roles.context import RoleContext, stop_event
from streams.roles.ways_out import MailWay, SmsWay, on_unknown
from streams.settings.resolve import mail_pools, smpp_carriers
from tables.config import ConfigTable
from tables.store import RocksStore

log = structlog.get_logger()

GROUP = "hermes.egress"
STATUS_EVERY_S = 1.0
CONFIG_EVERY_S = 0.2
DRAIN_MS = 4_000
FETCH_WAIT_MS, FETCH_MIN_OCTETS = 10, 32 * 1024
"""The broker gathers for so long: an answer for every record would cost more than the record."""
LINGER_MS = 100
"""Longer than a flush takes to begin: the publisher flushes, and each partition's records leave in one request."""
MAX_AT_WORK = 1_000


def run(context: RoleContext) -> int:
    """Work until asked to stop."""
    uvloop.run(_serve(context))
    return 0


async def _serve(context: RoleContext) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    records = codec(context.registry)
    publisher = Publisher(records, producer(context.bootstrap, LINGER_MS))
    store = RocksStore(context.state / context.name)
    book = Book(store, records)
    restored = await asyncio.to_thread(restore_book, context.bootstrap, book)
    log.info("book_restored", rows=restored)
    config = ConfigTable()
    reader = ConfigReader(context.bootstrap, records, config)
    await asyncio.to_thread(reader.catch_up_to_end)
    receipts = Receipts(publisher, book, metrics.count)
    messages = Messages(publisher.publish, config, now_ms, metrics.count)
    sms = {c.name: _sms_way(c, receipts, messages, metrics) for c in smpp_carriers(context.settings, context.state)}
    mail = {
        name: MailWay(name, Mta(wanted), metrics)
        for name, wanted in mail_pools(context.settings, context.state).items()
    }
    watch_tasks(metrics, context.name, asyncio.get_running_loop())
    lanes = _lanes(sms, mail, context)
    member = attempts_member(context.bootstrap, GROUP, context.name, [lane.topic for lane in lanes])
    work = Lanes(AttemptReader(member), publisher, book, {lane.topic: lane for lane in lanes}, now_ms, metrics.count)
    receipts.told = work.told
    server = serve_metrics(registry, port=context.ports["egress-metrics"])
    stop = stop_event(context.stop)
    publisher.start()
    await member.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            carriers = [tasks.create_task(way.carrier.run()) for way in sms.values()]
            carriers.append(tasks.create_task(receipts.run()))
            side = [
                tasks.create_task(_report(sms, mail, publisher)),
                tasks.create_task(_follow(reader)),
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
            for task in (*carriers, *side[:2]):
                task.cancel()
    finally:
        await member.close()
        await publisher.stop()
        reader.close()
        store.close()
        server.stop()


def attempts_member(bootstrap: str, group: str, name: str, topics: Sequence[str]) -> Member:
    """A member of the group that comes back under its name: after a crash it has its partitions at once."""
    own = {"group.instance.id": name, "fetch.wait.max.ms": FETCH_WAIT_MS, "fetch.min.bytes": FETCH_MIN_OCTETS}
    return Member(group_consumer(bootstrap, group, **own), topics)


def _sms_way(config: CarrierConfig, receipts: Receipts, messages: Messages, metrics: Metrics) -> SmsWay:
    chance = random.Random()  # noqa: S311 - spreads reconnects, no secret
    carrier = SmppCarrier(
        config, receipts.take, backoff=lambda failures: full_jitter(failures, chance.random), now_ms=now_ms,
        events=CarrierMeter(metrics, config.name), on_message=messages.of(config),
        first_reference=chance.randrange(65_536),
    )  # fmt: skip
    way = SmsWay(config, carrier)
    metrics.watch("hermes_smpp_window_utilization", lambda: way.utilization, carrier=config.name, connection="all")
    return way


def _lanes(sms: dict[str, SmsWay], mail: dict[str, MailWay], context: RoleContext) -> list[Lane]:
    policies = on_unknown(context.settings)
    ways = [Lane(n, attempts_topic("sms", n).name, w, MAX_AT_WORK, policies.get(n, "resend")) for n, w in sms.items()]
    return [*ways, *(Lane(n, attempts_topic("email", n).name, w, MAX_AT_WORK) for n, w in mail.items())]


async def _follow(reader: ConfigReader) -> None:
    """Keep up with whose number is whose."""
    while True:
        reader.poll()
        await asyncio.sleep(CONFIG_EVERY_S)


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
