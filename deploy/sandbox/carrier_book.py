"""What the simulated carrier does with each number, and its own record of all that it accepted."""

import json
import secrets
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TextIO

from schemas.smpp import udh
from schemas.smpp.pdu import ESM_UDHI, TLV_MESSAGE_PAYLOAD, ShortMessage, tlv
from schemas.smpp.text import decode

Behaviour = Literal["delivered", "undeliverable", "no_receipt", "throttled_first", "late_receipt"]
BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "4599000001": "delivered",
    "4599000002": "undeliverable",
    "4599000003": "no_receipt",
    "4599000004": "throttled_first",
    "4599000005": "late_receipt",
}
THROTTLED_LIMIT: Final = 10_000  # messages remembered as throttled and not yet accepted


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How the simulated carrier behaves; port zero takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    system_id: str = "hermes"
    password: str = field(default="secret", repr=False)
    delay_ms: int = 0
    receipt_delay_ms: int = 20
    late_ms: int = 4_000


class Book:
    """Counts, and with a path one JSON line for each accepted segment, written before its response."""

    def __init__(self, path: Path | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._file: TextIO | None = None if path is None else path.open("a", encoding="utf-8", buffering=1)
        self._prefix = secrets.token_hex(4)  # of this process: a restart never repeats an id
        self._number = 0
        self._throttled: OrderedDict[tuple[str, str, bytes], int] = OrderedDict()

    def behaviour(self, destination: str) -> Behaviour:
        """What is to be done with a number, with or without its plus."""
        return BEHAVIOURS.get(destination.removeprefix("+"), "delivered")

    def throttles(self, message: ShortMessage) -> bool:
        """Whether this submit of the segment is refused: its first one or two are, by its content."""
        key = (message.source_addr, message.destination_addr, message.short_message)
        wanted = 1 + sum(message.short_message) % 2
        seen = self._throttled.get(key, 0)
        if seen >= wanted:
            del self._throttled[key]
            return False
        self._throttled[key] = seen + 1
        if len(self._throttled) > THROTTLED_LIMIT:
            self._throttled.popitem(last=False)
        self.counts["throttled"] += 1
        return True

    def accept(self, message: ShortMessage) -> str:
        """Enter an accepted segment; the answer is its message id."""
        self._number += 1
        message_id = f"{self._prefix}{self._number:08x}"
        self.counts["accepted"] += 1
        if self._file is not None:
            self._file.write(json.dumps(_line(message_id, message), ensure_ascii=False) + "\n")
        return message_id

    def close(self) -> None:
        """Nothing is entered any more."""
        if self._file is not None:
            self._file.close()
            self._file = None


def text_of(message: ShortMessage) -> tuple[str, udh.Concat | None]:
    """The text of one segment as a handset would show it, and which part it is; octets that are no text in hexadecimal."""
    octets = message.short_message or tlv(message.tlvs, TLV_MESSAGE_PAYLOAD) or b""
    header = udh.parse(octets) if message.esm_class & ESM_UDHI else None
    if header is not None:
        octets = octets[header.octets :]
    text = decode(octets, message.data_coding)
    return octets.hex() if text is None else text, None if header is None else header.concat


def _line(message_id: str, message: ShortMessage) -> dict[str, str | int]:
    text, concat = text_of(message)
    line: dict[str, str | int] = {
        "id": message_id,
        "source": message.source_addr,
        "dest": message.destination_addr,
        "text": text,
        "sequence": message.sequence,
    }
    if concat is not None:
        line |= {"ref": concat.ref, "part": concat.seq, "parts": concat.total}
    return line
