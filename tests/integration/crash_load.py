"""A tenant's senders for the crash campaign: each repeats what got no answer, under the same key, as a client would."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from tests.integration.outside import until
from tests.integration.product import Answer, Client, cascade, sms

SENDERS = 12
RETRY_S = 0.3
GIVE_UP_S = 60.0
BATCH = 20
KINDS = ("good", "bounce", "silent", "bad", "refused")


@dataclass(frozen=True, slots=True)
class Item:
    """One message to send: its tag is the text that the carrier's book shows, and its idempotency key."""

    tag: str
    kind: str

    @property
    def body(self) -> dict[str, Any]:
        """The request. A silent number gets no receipt; what is refused has a number that is none."""
        key = {"idempotency_key": self.tag}
        match self.kind:
            case "bounce":
                steps: tuple[dict[str, object], ...] = ({"channel": "email"}, {"channel": "sms"})
                return {**cascade("+4599000001", "bounced@customer.example", self.tag, *steps), **key}
            case "silent":
                step: dict[str, object] = {"channel": "sms", "timeout": "2s", "max_retries": 0}
                return {**cascade("+4599000003", "ann@customer.example", self.tag, step), **key}
            case "bad":
                return sms("+4599000002", self.tag, **key)
            case "refused":
                return sms("+45", self.tag, **key)
        return sms("+4599000001", self.tag, **key)


@dataclass(slots=True)
class Load:
    """What was answered: the message id of each tag that was accepted, the code of each that was refused."""

    client: Client
    accepted: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    repeats: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> int:
        """How many items have their answer."""
        return len(self.accepted) + len(self.refused)

    def wait_for(self, answers: int) -> None:
        """Return once so many items have their answer."""
        until(lambda: self.done >= answers, GIVE_UP_S)

    def run(self, items: list[Item], pace_s: float) -> None:
        """Send all of them, every second half in batches; a request begins `pace_s` after another of its sender."""
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(lambda group: self._send(group, pace_s), _grouped(items)))

    def _send(self, group: list[Item], pace_s: float) -> None:
        deadline = time.monotonic() + GIVE_UP_S
        while group:
            assert time.monotonic() < deadline, f"no answer for {group}"
            answer = self._ask(group)
            group = group if answer is None else self._read(group, answer)
            if group:
                self.repeats += 1
                time.sleep(RETRY_S)
        time.sleep(pace_s)

    def _ask(self, group: list[Item]) -> Answer | None:
        """The answer, None when the gateway or the pipeline is away."""
        try:
            if len(group) == 1:
                answer = self.client.send(group[0].body)
            else:
                answer = self.client.call("POST", "/v1/messages/batch", {"messages": [i.body for i in group]})
        except (OSError, HTTPException):
            return None
        return None if answer.status == 503 else answer

    def _read(self, group: list[Item], answer: Answer) -> list[Item]:
        """Keep what was answered; those that have to be repeated remain."""
        single = len(group) == 1
        results = [answer.json] if single else answer.json["results"]
        again: list[Item] = []
        with self._lock:
            for item, result in zip(group, results, strict=True):
                if result["status"] == "accepted":
                    assert self.accepted.setdefault(item.tag, result["message_id"]) == result["message_id"]
                    continue
                code = (result if single else result["error"])["code"]
                if code in ("idempotency_in_progress", "rate_limit_exceeded", "overloaded"):
                    again.append(item)
                else:
                    self.refused[item.tag] = code
        return again


def _grouped(items: list[Item]) -> Iterator[list[Item]]:
    """Singles and batches in turn."""
    rest = list(items)
    while rest:
        singles, batch, rest = rest[:BATCH], rest[BATCH : 2 * BATCH], rest[2 * BATCH :]
        yield from ([item] for item in singles)
        if batch:
            yield batch
