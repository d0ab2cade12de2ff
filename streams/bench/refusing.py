"""A carrier that refuses the first attempt of each text and takes the second: the shortest cascade of two steps."""

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from deploy.sandbox.carrier_book import SandboxConfig
from deploy.sandbox.carrier_session import Session
from schemas.smpp import status as s
from schemas.smpp.pdu import ShortMessage

MAX_REMEMBERED: Final = 1_000_000


@dataclass(slots=True)
class RefusingCarrier:
    """What a session of the simulated carrier asks its carrier; when each message was taken, microseconds since 1970."""

    config: SandboxConfig
    taken_us: dict[str, int] = field(default_factory=dict)
    _refused: set[bytes] = field(default_factory=set)

    def credentials_are_right(self, system_id: str, password: str) -> bool:
        """Compared in constant time."""
        own = f"{self.config.system_id}\0{self.config.password}"
        return hmac.compare_digest(f"{system_id}\0{password}".encode(), own.encode())

    def submit(self, session: Session, message: ShortMessage) -> None:
        """Refuse the text at first; the message id of what is taken is a number."""
        now_us = time.time_ns() // 1_000
        if message.short_message in self._refused:
            self._refused.remove(message.short_message)
            message_id = str(len(self.taken_us))
            self.taken_us[message_id] = now_us
            session.respond(message, s.ESME_ROK, message_id)
        elif len(self._refused) < MAX_REMEMBERED:
            self._refused.add(message.short_message)
            session.respond(message, s.ESME_RINVDSTADR, "")
        else:
            session.respond(message, s.ESME_RSYSERR, "")

    def bound(self, session: Session) -> None:
        """Nothing waits for it."""

    def receipt_refused(self, session: Session, receipt: ShortMessage) -> None:
        """It sends none."""

    def gone(self, session: Session, unanswered: list[ShortMessage]) -> None:
        """It sends no receipts, so nothing is left."""


async def serve(say: Callable[[int], None], stopped: asyncio.Event) -> dict[str, int]:
    """Its report is when each message was taken, by the id that its carrier gave it."""
    carrier = RefusingCarrier(SandboxConfig())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(carrier, carrier.config), carrier.config.host, 0)
    say(server.sockets[0].getsockname()[1])
    await stopped.wait()
    server.close()
    return carrier.taken_us
