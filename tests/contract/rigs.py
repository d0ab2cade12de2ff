"""Two rigs with one face: the pipeline's money agents on the memory driver, and on Kafka in processes that can be killed."""

import multiprocessing
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from confluent_kafka import Consumer, TopicPartition
from prometheus_client import CollectorRegistry

from agents.account import KeepAccount
from agents.context import Context
from domain.billing.money import Grant
from schemas.catalogue import codec
from schemas.topics import BILLING, LEDGER, VERDICTS, Topic, partitions_of
from streams.kafka import KafkaDriver
from streams.memory import Broker, CrashError, MemoryDriver, Moment
from streams.metrics import Metrics
from streams.node import Node
from streams.outlet import producer
from streams.parts import Parts
from tables.catalogue import ACCOUNTS, RESOLUTIONS

PARTITIONS = 4
PATIENCE_S = 40.0
CODEC = codec()
PARTS = Parts(b"salt")
POISON_GRANT = "g-poison"


class Faulty:
    """The account's agent, which fails on one grant: a bug in an agent."""

    def handle(self, value: Any, ctx: Context) -> None:
        if isinstance(value, Grant) and value.grant_id.startswith(POISON_GRANT):
            raise ZeroDivisionError("a bug")
        KeepAccount().handle(value, ctx)


def nodes(faulty: bool) -> tuple[Node, ...]:
    """The topology under test: the keeper of accounts, sound or faulty."""
    return (
        Node(
            "keep_account", "admission", reads=(BILLING,), writes=(LEDGER, VERDICTS), tables=(RESOLUTIONS, ACCOUNTS),
            make=lambda _: Faulty() if faulty else KeepAccount(),
        ),
    )  # fmt: skip


class Rig(Protocol):
    """A pipeline that can be started, killed and looked at."""

    def put(self, topic: Topic, key: str, value: Any) -> None: ...
    def put_raw(self, topic: Topic, key: str, octets: bytes) -> None: ...
    def read(self, topic: Topic) -> list[Any]: ...
    def start(self, name: str = "a", *, faulty: bool = False) -> None: ...
    def stop(self, name: str = "a") -> None: ...
    def kill(self, name: str = "a") -> None: ...
    def wipe(self, name: str = "a") -> None: ...
    def ends_badly(self, name: str = "a") -> bool: ...
    def until(self, condition: Callable[[], bool]) -> None: ...


class MemoryRig:
    """Drivers in memory; partitions are dealt out anew whenever one comes or goes."""

    def __init__(self) -> None:
        self._broker = Broker(PARTITIONS)
        self._drivers: dict[str, MemoryDriver] = {}
        self._faulty: dict[str, bool] = {}
        self._metrics = Metrics(CollectorRegistry())
        self._now_ms = 1_790_000_000_000

    def put(self, topic: Topic, key: str, value: Any) -> None:
        self.put_raw(topic, key, CODEC.encode(value))

    def put_raw(self, topic: Topic, key: str, octets: bytes) -> None:
        self._broker.append(topic.name, key.encode(), octets)

    def read(self, topic: Topic) -> list[Any]:
        return [CODEC.decode(v) for v in self._broker.records(topic.name)]

    def start(self, name: str = "a", *, faulty: bool = False) -> None:
        self._faulty[name] = faulty
        self._deal()

    def stop(self, name: str = "a") -> None:
        del self._faulty[name]
        self._deal()

    def kill(self, name: str = "a") -> None:
        """Die between two records of a batch that land."""
        landed = iter(range(1_000_000))

        def fault(_: Moment) -> None:
            if next(landed) == 5:
                raise CrashError

        owned = list(self._drivers[name].engine.partitions)
        dying = MemoryDriver(nodes(False), PARTS, CODEC, self._broker, self._metrics, fault=fault, owned=owned)
        with suppress(CrashError):
            dying.settle(self._now_ms)
        self.stop(name)

    def wipe(self, name: str = "a") -> None:
        """A driver that starts anew has an empty store anyway."""

    def ends_badly(self, name: str = "a") -> bool:
        try:
            self._drivers[name].settle(self._now_ms)
        except ZeroDivisionError:
            del self._faulty[name]
            return True
        return False

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(100):
            if condition():
                return
            for driver in self._drivers.values():
                driver.step(self._now_ms)
            self._now_ms += 100
        raise AssertionError("it does not happen")

    def _deal(self) -> None:
        names = sorted(self._faulty)
        self._drivers = {
            name: MemoryDriver(
                nodes(self._faulty[name]), PARTS, CODEC, self._broker, self._metrics,
                owned=range(place, PARTITIONS, len(names)),
            )
            for place, name in enumerate(names)
        }  # fmt: skip


class KafkaRig:
    """Drivers on the real broker, each in a process of its own."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self._bootstrap = bootstrap
        self._folder = folder
        self._context = multiprocessing.get_context("spawn")
        self._running: dict[str, tuple[BaseProcess, Any]] = {}
        self._producer = producer(bootstrap, 2)
        self._read: dict[str, list[Any]] = {}
        self._readers: dict[str, Consumer] = {}

    def put(self, topic: Topic, key: str, value: Any) -> None:
        self.put_raw(topic, key, CODEC.encode(value))

    def put_raw(self, topic: Topic, key: str, octets: bytes) -> None:
        self._producer.produce(topic.name, octets, key.encode())
        self._producer.flush(10)

    def read(self, topic: Topic) -> list[Any]:
        reader = self._readers.get(topic.name)
        if reader is None:
            reader = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "looks", "enable.auto.commit": False})
            reader.assign([TopicPartition(topic.name, n, 0) for n in range(partitions_of(topic, PARTITIONS))])
            self._readers[topic.name] = reader
        seen = self._read.setdefault(topic.name, [])
        for message in reader.consume(10_000, 0.05):
            assert message.error() is None
            seen.append(CODEC.decode(message.value() or b""))
        return seen

    def start(self, name: str = "a", *, faulty: bool = False) -> None:
        stop = self._context.Event()
        process = self._context.Process(target=work, args=(self._bootstrap, str(self._folder / name), faulty, stop))
        process.start()
        self._running[name] = (process, stop)

    def stop(self, name: str = "a") -> None:
        process, stop = self._running.pop(name)
        stop.set()
        process.join(PATIENCE_S)
        assert process.exitcode == 0

    def kill(self, name: str = "a") -> None:
        process, _ = self._running.pop(name)
        process.kill()
        process.join(PATIENCE_S)

    def wipe(self, name: str = "a") -> None:
        shutil.rmtree(self._folder / name)

    def ends_badly(self, name: str = "a") -> bool:
        process, _ = self._running.pop(name)
        process.join(PATIENCE_S)
        return process.exitcode not in (0, None)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it does not happen"
            time.sleep(0.05)

    def close(self) -> None:
        for process, stop in self._running.values():
            stop.set()  # a killed member would keep its partitions from the next test until its session is over
            process.join(PATIENCE_S)
            process.kill()
        for reader in self._readers.values():
            reader.close()


def work(bootstrap: str, state: str, faulty: bool, stop: Any) -> None:
    """A pipeline process of the Kafka rig."""
    driver = KafkaDriver(nodes(faulty), PARTS, CODEC, bootstrap, Path(state), Metrics(CollectorRegistry()))
    driver.run(stop.is_set)
