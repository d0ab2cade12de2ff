"""A bare hop on librdkafka beside one of ours: what decoding, keeping state and the promise of durability cost a record."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from deploy.local.kafka import KafkaBroker
from domain.cascade.events import ReceiptArrived
from schemas.catalogue import codec
from schemas.topics import CASCADE, FIXED
from streams.admin import ensure_topics
from streams.bench.apart import apart
from streams.bench.hop_work import Hop, bare_once, bare_twice, ours
from streams.bench.result import BenchError, Line, Result, Wanted
from streams.outlet import producer

RECORDS_A_SECOND: Final = 10_000
"""So many are handled for each second that is wanted."""
MIN_RECORDS: Final = 5_000
START_MS: Final = 60_000
STOP_MS: Final = 5_000
FLUSH_S: Final = 60.0
HOP_PATIENCE_S: Final = 120.0


def run(wanted: Wanted) -> Result:
    """The same records through each hop, on a broker and in a process of its own."""
    records = max(MIN_RECORDS, round(wanted.seconds * RECORDS_A_SECOND))
    with tempfile.TemporaryDirectory(prefix="hermes-bench-") as folder:
        broker = KafkaBroker(Path(folder))
        broker.start()
        try:
            broker.wait_ready(START_MS)
            ensure_topics(broker.bootstrap, FIXED, 1)
            _fill(broker.bootstrap, records)
            once = _in_process(bare_once, broker.bootstrap, folder, records)
            twice = _in_process(bare_twice, broker.bootstrap, folder, records)
            own = _in_process(ours, broker.bootstrap, folder, records)
        finally:
            broker.stop(STOP_MS)
    return Result(
        "hop",
        f"{records:,} records of {CASCADE.name}, CPU of the process with its threads; ours reads and keeps a row for each",
        (
            Line("bare: consume, produce", once.cpu_us, "CPU µs a record"),
            Line("bare: consume, produce twice", twice.cpu_us, "CPU µs a record"),
            Line("ours: decode, state, encode, changelog", own.cpu_us, "CPU µs a record", floor=twice.cpu_us),
            Line("ours to bare", own.cpu_us / once.cpu_us, "times"),
            Line("ours to bare that produces as much", own.cpu_us / twice.cpu_us, "times"),
            Line("ours", own.rate, "records/s", floor=twice.rate),
        ),
    )


def _fill(bootstrap: str, records: int) -> None:
    """So many receipts, each of another message."""
    encode = codec().encode
    sender: Producer = producer(bootstrap, linger_ms=5)
    for number in range(records):
        message_id = f"msg-{number:036}"
        value = encode(ReceiptArrived(message_id, 1, number, "telia", "delivered", "000", 1, 30_000, 12_000))
        while True:
            try:
                sender.produce(CASCADE.name, value, message_id.encode())
            except BufferError:
                sender.poll(0.1)
            else:
                break
    if sender.flush(FLUSH_S):
        raise BenchError(f"Kafka did not take {records} records in {FLUSH_S:g} s")


Work = Callable[[str, str, int], Hop]


def _in_process(work: Work, bootstrap: str, folder: str, records: int) -> Hop:
    """What `work` told from a process of its own; BenchError when it ended without, or before the last record."""
    found: Hop = apart(work, bootstrap, folder, records, patience_s=HOP_PATIENCE_S)
    if found.records != records:
        raise BenchError(f"{work.__name__} handled {found.records} of {records} records")
    return found
