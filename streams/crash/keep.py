"""What is kept of a campaign that failed: the plan, what was struck when, and the history of what went wrong, with the logs."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException

from schemas.catalogue import codec
from schemas.codec import UnreadableError
from schemas.topics import AUDIT, BILLING, CASCADE, DLQ, LEDGER, RECEIPTS, STATUS, SUBMISSIONS, SUBMITS, WEBHOOKS
from streams.crash.books import Books
from streams.crash.checks import Check
from streams.crash.machine import Machine
from streams.crash.strike import Struck
from streams.crash.topics import read_topic
from streams.private import write_json, write_private

MAX_MESSAGES: Final = 20
"""Messages whose history is written down: the first that went wrong."""
MAX_LINES: Final = 2_000
TOPICS: Final = (SUBMISSIONS, CASCADE, SUBMITS, STATUS, BILLING, LEDGER, AUDIT, WEBHOOKS, RECEIPTS, DLQ)


def keep_course(folder: Path, seed: int, struck: Sequence[Struck], machine: Machine, logs: Path) -> Path:
    """Write down what was done and what everybody logged; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(folder / "campaign.json", {"seed": seed, "struck": [asdict(one) for one in struck]})
    write_json(folder / "supervisor.json", {"events": machine.events()})
    shutil.copytree(logs, folder / "logs", dirs_exist_ok=True)
    return folder


def keep_wrong(folder: Path, checks: Sequence[Check], books: Books, bootstrap: str, logs: Path) -> None:
    """Write down what is wrong and the history of each message that it is about, while Kafka still runs."""
    wrong = [{"checker": one.name, "wrong": [list(each) for each in one.wrong]} for one in checks if not one.ok]
    write_json(folder / "wrong.json", {"checkers": wrong})
    ids = concerned(checks, books)
    try:
        history = records_of(bootstrap, frozenset(ids))
    except (KafkaException, TimeoutError) as error:
        history = {message_id: [f"Kafka did not tell: {error}"] for message_id in ids}
    for message_id in ids:
        told = books.ids.get(message_id)
        seen = [f"handed in: {asdict(told)}" if told else "handed in by nobody", f"API: {books.views.get(message_id)}"]
        text = [*seen, *history.get(message_id, ()), *lines_of(logs, message_id)]
        write_private(folder / f"{message_id}.txt", "\n".join(text).encode())


def concerned(checks: Iterable[Check], books: Books) -> list[str]:
    """The first messages that something is wrong with; a tag stands for the messages that its key made."""
    found: dict[str, None] = {}
    for one in checks:
        for whom, _ in one.wrong[:MAX_MESSAGES]:
            told = books.told.get(whom)
            found |= dict.fromkeys(sorted(told.ids) if told else [whom] if whom.startswith("msg-") else [])
    return list(found)[:MAX_MESSAGES]


def records_of(bootstrap: str, ids: frozenset[str]) -> dict[str, list[str]]:
    """What the topics hold of these messages, in their order there."""
    records, found = codec(), defaultdict[str, list[str]](list)
    for topic in TOPICS:

        def take(_key: bytes, octets: bytes, name: str = topic.name) -> None:
            try:
                value: Any = records.decode(octets)
            except UnreadableError:
                return
            message_id = str(getattr(value, "message_id", ""))
            if message_id in ids and is_dataclass(value):
                found[message_id].append(f"{name}: {_short(value)}")

        read_topic(bootstrap, topic.name, take)
    return dict(found)


def lines_of(logs: Path, message_id: str) -> list[str]:
    """The log lines that name a message, with their role."""
    found: list[str] = []
    for log in sorted(logs.glob("*.log")):
        with log.open(encoding="utf-8", errors="replace") as file:
            found += [f"{log.stem}: {line.rstrip()}" for line in file if message_id in line]
    return found[:MAX_LINES]


def _short(value: Any) -> str:
    """A record without the encoded row inside."""
    shown = {name: each for name, each in asdict(value).items() if not isinstance(each, bytes)}
    return f"{type(value).__name__} {json.dumps(shown, default=str)}"
