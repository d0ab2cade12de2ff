"""Follows the roles' logs while a campaign runs: they are short, so what matters is copied and counted as it comes."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROLES: Final = ("gateway", "pipeline", "egress", "archive", "insight", "second", "supervisor")
POLL_S: Final = 0.5
MAX_READ_OCTETS: Final = 64 * 1024 * 1024
UNKNOWN_EVENT: Final = "attempt_unknown"


@dataclass(slots=True)
class Tail:
    """`logs` is where the stack writes, `copies` where everything is kept; `unknown` counts attempts by message."""

    logs: Path
    copies: Path
    unknown: Counter[str] = field(default_factory=Counter)
    _places: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            self.look()
            await asyncio.sleep(POLL_S)

    def look(self) -> None:
        """Take in what was written since the last look."""
        self.copies.mkdir(parents=True, exist_ok=True, mode=0o700)
        for role in ROLES:
            fresh = b"".join(self._fresh(role))
            if not fresh:
                continue
            with (self.copies / f"{role}.log").open("ab") as copy:
                copy.write(fresh)
            if role == "egress":
                self.unknown.update(unknown_in(fresh))

    def _fresh(self, role: str) -> Iterator[bytes]:
        """The whole lines that are new. A log that was emptied had been copied beside itself before."""
        log = self.logs / f"{role}.log"
        place = self._places.get(role, 0)
        try:
            if log.stat().st_size < place:
                yield _whole(log.with_name(f"{log.name}.1"), place)
                place = 0
            octets = _whole(log, place)
        except FileNotFoundError:
            return
        self._places[role] = place + len(octets)
        yield octets


def unknown_in(octets: bytes) -> Counter[str]:
    """How often the lines of an egress say of each message that the outcome of an attempt is unknown."""
    marked = [line for line in octets.splitlines() if UNKNOWN_EVENT.encode() in line and line.startswith(b"{")]
    events = [json.loads(line) for line in marked]
    return Counter(str(event["message_id"]) for event in events if event.get("event") == UNKNOWN_EVENT)


def _whole(path: Path, place: int) -> bytes:
    with path.open("rb") as file:
        file.seek(place)
        octets = file.read(MAX_READ_OCTETS)
    return octets[: octets.rfind(b"\n") + 1]
