"""The pipeline process of the measurement of timers: the real driver, and a meter that listens."""

import gc
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Step
from domain.cascade.states import Cascade
from domain.evolve import evolve
from schemas.catalogue import codec
from schemas.topics import BILLING, CONFIG, SUBMISSIONS, attempts_topic
from streams.bench.result import BenchError
from streams.bench.world import CARRIER, DAY_MS, configuration, grant, message_id, submission, tenant_id
from streams.kafka import KafkaDriver, now_ms
from streams.outlet import KafkaOutlet, producer
from streams.parts import Parts
from streams.topology import TOPOLOGY
from tables.catalogue import ACCOUNTS, CASCADE_ROWS
from tables.config import config_key

ATTEMPTS: Final = attempts_topic("sms", CARRIER)
AHEAD_MS, AHEAD_A_MESSAGE_MS = 5_000, 2
"""How long before the first of them is due the messages are handed in: all of them are scheduled by then."""
AFTERWARDS_S: Final = 2.0
"""The last that fired have time to be sent."""
SLACK_S: Final = 30.0
READY_S: Final = 300.0
FLUSH_EVERY: Final = 50_000
MOMENTS: Final = 1_000
FIRST: Final = 0x40000000
"""The number of the first message that fires; below it are the timers that only wait."""


@dataclass(slots=True)
class Run:
    """What one process had: octets of memory when it was ready, seconds until then, and how late timers fired."""

    ready_s: float = 0.0
    restore_s: float = 0.0
    rows: float = 0.0
    memory_octets: int = 0
    lag_ms: list[float] = field(default_factory=list)
    due_ms: dict[str, int] = field(default_factory=dict)

    def count(self, metric: str, amount: float = 1, **_labels: str) -> None:
        """See streams.engine.Meter."""
        if metric == "hermes_pipeline_restored_rows_total":
            self.rows += amount

    def observe(self, metric: str, value: float, **_labels: str) -> None:
        """See streams.engine.Meter."""
        if metric == "hermes_timer_lag_seconds":
            self.lag_ms.append(value * 1_000)

    def set(self, metric: str, value: float, **_labels: str) -> None:
        """See streams.engine.Meter."""
        if metric == "hermes_pipeline_restore_seconds":
            self.restore_s += value


def prepare(bootstrap: str) -> None:
    """A tenant with money, a key and a route."""
    sender, encode = producer(bootstrap), codec().encode
    for value in configuration(1):
        sender.produce(CONFIG.name, encode(value), config_key(value).encode())
    sender.produce(BILLING.name, encode(grant(0, now_ms())), tenant_id(0).encode())
    if sender.flush(SLACK_S):
        raise BenchError("Kafka did not take the configuration")


def seed(bootstrap: str, timers: int) -> float:
    """Write the rows of so many scheduled messages, due within a day a month from now; how many seconds that took."""
    began_s = time.perf_counter()
    outlet = KafkaOutlet(bootstrap)
    rows, own = _rows(now_ms() + 30 * DAY_MS), message_id(FIRST).encode()
    for number in range(timers):
        name = message_id(number)
        value = rows[number % len(rows)].replace(own, name.encode())  # ids are equally long
        outlet.send(CASCADE_ROWS.changelog.name, CASCADE_ROWS.log_key(name), value, 0, number)
        if number % FLUSH_EVERY == FLUSH_EVERY - 1:
            outlet.flush()
    outlet.flush()
    return time.perf_counter() - began_s


def _rows(first_ms: int) -> list[bytes]:
    """The row of the first message at as many moments of a day, encoded."""
    at_ms, records = now_ms(), codec()
    step = Step("sms", DAY_MS)
    plan = Plan((PlannedStep(step, "+4520000000", 1, 30_000),), "delivered", DAY_MS, "delivered", first_ms, "")
    state = Cascade(
        message_id(FIRST), tenant_id(0), plan, 30_000, at_ms, first_ms + 2 * DAY_MS, "trace", state="scheduled",
        updated_at_ms=at_ms, wake="start", timer=1,
    )  # fmt: skip
    return [
        records.encode(evolve(state, wake_at_ms=first_ms + number * DAY_MS // MOMENTS)) for number in range(MOMENTS)
    ]


def work(bootstrap: str, folder: str, firing: int, rate_per_s: int) -> Run:
    """Own the partition; when it is ready hand `firing` scheduled messages in, and stop when all their timers have fired."""
    run = Run()
    nodes = TOPOLOGY
    driver = KafkaDriver(
        nodes, Parts(bytes(32)), codec(), bootstrap, Path(folder), run, f"bench.{Path(folder).name}.{firing}"
    )
    began_s = time.monotonic()
    deadline_s, fired = began_s + READY_S, False

    def ready() -> None:
        run.ready_s = time.monotonic() - began_s
        gc.collect()
        run.memory_octets = psutil.Process().memory_info().rss

    def hand_in() -> None:
        nonlocal deadline_s
        run.due_ms = _schedule(bootstrap, firing, rate_per_s)
        last_ms = max(run.due_ms.values(), default=now_ms())
        deadline_s = time.monotonic() + SLACK_S + (last_ms - now_ms()) / 1_000

    def stop() -> bool:
        nonlocal deadline_s, fired
        accounts = [p.get(ACCOUNTS, tenant_id(0)) for p in driver.engine.partitions.values()]
        if firing and run.ready_s and not run.due_ms and any(a is not None and a.available_micros for a in accounts):
            hand_in()  # with the tenant's money in place
        if run.ready_s and not fired and len(run.lag_ms) >= firing:
            fired = True
            deadline_s = time.monotonic() + (AFTERWARDS_S if firing else 0)
        return time.monotonic() > deadline_s

    driver.run(stop, ready)
    return run


def _schedule(bootstrap: str, count: int, rate_per_s: int) -> dict[str, int]:
    """Hand so many messages in that fall due at the rate; when each is due, by its id."""
    sender, encode = producer(bootstrap), codec().encode
    at_ms = now_ms()
    due_ms: dict[str, int] = {}
    for number in range(FIRST, FIRST + count):
        due = at_ms + AHEAD_MS + count * AHEAD_A_MESSAGE_MS + (number - FIRST) * 1_000 // rate_per_s
        due_ms[message_id(number)] = due
        one = submission(number, 0, at_ms, send_at_ms=due)
        sender.produce(SUBMISSIONS.name, encode(one), one.tenant_id.encode())
    if sender.flush(SLACK_S):
        raise BenchError("Kafka did not take the scheduled messages")
    return due_ms
