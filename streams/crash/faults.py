"""Faults that are put into a pipeline to prove that the checkers of `hermes crash` find them. Never in a product that runs.

They are composed around the driver's ports from outside: agents, engine and tables know nothing of them. `hermes run
pipeline` comes here only when FAULT_VARIABLE is set, and each fault refuses a state that is not a campaign's own.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from domain.billing.money import Settle
from domain.errors import ConfigError
from schemas.codec import Codec
from schemas.topics import BILLING
from streams.engine import Outlet
from streams.kafka import KafkaDriver
from streams.roles.pipeline import FAULT_VARIABLE
from tables.catalogue import MESSAGE_ROWS
from tables.partition import Partition

Fault = Literal["early-commit", "lost-row", "double-settle"]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
CAMPAIGN_FILE: Final = "crash.toml"
"""What a state directory has that a campaign made."""

WINDOW_S: Final = 0.05
"""How long a batch that is committed already waits for its work: a real fault of this kind would be hit after more kills."""
ONE_ROW_IN: Final = 150
ONE_SETTLE_IN: Final = 20

log = structlog.get_logger()


def inject(fault: str, driver: KafkaDriver, codec: Codec, state: Path) -> None:
    """Put a fault into a driver that does not run yet; ConfigError when the state is no campaign's or there is no such fault."""
    if fault not in FAULTS or not (state / CAMPAIGN_FILE).exists():
        raise ConfigError(f"{FAULT_VARIABLE} is for `hermes crash --prove-checkers` and its states only: unset it")
    log.critical("fault_injected", fault=fault)
    match fault:
        case "early-commit":
            driver._consumer = EarlyCommits(driver._consumer)  # type: ignore[assignment]  # it does what the driver needs
        case "lost-row":
            adopt = driver.engine.adopt

            def adopt_leaky(partition: Partition) -> None:
                lose_rows(partition)
                adopt(partition)

            driver.engine.adopt = adopt_leaky  # type: ignore[method-assign]  # from outside: the engine has no hook for it
        case "double-settle":
            driver.engine._outlet = DoubleSettles(driver.engine._outlet, codec)


@dataclass(slots=True)
class EarlyCommits:
    """A consumer that commits what it hands out, before anything is done with it."""

    inner: Consumer

    def poll(self, timeout: float) -> Message | None:
        """See Consumer."""
        message = self.inner.poll(timeout)
        self._commit([] if message is None else [message])
        return message

    def consume(self, count: int, timeout: float) -> list[Message]:
        """See Consumer."""
        messages = self.inner.consume(count, timeout)
        self._commit(messages)
        if messages:
            time.sleep(WINDOW_S)
        return messages

    def __getattr__(self, name: str) -> Any:
        """Everything else is the consumer's own."""
        return getattr(self.inner, name)

    def _commit(self, messages: list[Message]) -> None:
        after = {(m.topic() or "", m.partition() or 0): (m.offset() or 0) + 1 for m in messages if m.error() is None}
        if after:
            places = [TopicPartition(topic, number, offset) for (topic, number), offset in after.items()]
            self.inner.commit(offsets=places, asynchronous=False)


def lose_rows(partition: Partition) -> None:
    """Of the rows that a partition stages, one in ONE_ROW_IN reaches neither the changelog nor the store.

    Messages are spared: a pipeline that misses one stops by itself.
    """
    staged, count = partition.staged, 0

    def leaky(*given: Any) -> Any:
        nonlocal count
        rows = staged(*given)
        kept = [
            row for place, row in enumerate(rows, count + 1) if place % ONE_ROW_IN or row[0].name == MESSAGE_ROWS.name
        ]
        count += len(rows)
        return kept

    partition.staged = leaky  # type: ignore[method-assign, assignment]  # from outside: a partition has no hook


@dataclass(slots=True)
class DoubleSettles:
    """An outlet that sends one settlement in ONE_SETTLE_IN twice, the second time under another id."""

    inner: Outlet
    codec: Codec
    _settles: int = field(default=0)

    def send(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
    ) -> None:
        """See Outlet."""
        self.inner.send(topic, key, value, partition, version)
        if topic != BILLING.name or value is None:
            return
        settle = self.codec.decode(value)
        if isinstance(settle, Settle):
            self._settles += 1
            if self._settles % ONE_SETTLE_IN == 0:
                self.inner.send(topic, key, self.codec.encode(_again(settle)), partition, version)

    def flush(self) -> None:
        """See Outlet."""
        self.inner.flush()

    def answer(self, topic: str, key: bytes, value: bytes, partition: int | None) -> None:
        """See Outlet."""
        self.inner.answer(topic, key, value, partition)


def _again(settle: Settle) -> Settle:
    return Settle(
        settle.tenant_id, f"{settle.message_id}-again", settle.reserved_micros, settle.charge_micros, settle.at_ms,
        settle.channel, settle.carrier, settle.segments, settle.cost_micros,
    )  # fmt: skip
