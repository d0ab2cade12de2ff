"""What all sessions of a server share."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingress.smpp.binding import Gatekeeper
from ingress.smpp.binds import Binds
from ingress.smpp.meter import SmppMeter
from ingress.smpp.pump import ReceiptPump
from ingress.smpp.requests import Requests
from ingress.smpp.settings import SmppServerSettings
from ingress.smpp.tasks import Tasks

if TYPE_CHECKING:
    from ingress.smpp.session import Session


@dataclass(slots=True)
class Shared:
    """`in_flight` counts requests that wait for the pipeline; `emptied` is set when the last session has gone."""

    settings: SmppServerSettings
    binds: Binds
    gatekeeper: Gatekeeper
    requests: Requests
    pump: ReceiptPump
    tasks: Tasks
    meter: SmppMeter
    sessions: "set[Session]" = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    in_flight: int = 0

    def joined(self, session: "Session") -> None:
        """A connection was counted."""
        self.sessions.add(session)
        self.emptied.clear()
        self.count()

    def left(self, session: "Session") -> None:
        """It is gone."""
        self.sessions.discard(session)
        self.binds.disconnect(session)
        if not self.sessions:
            self.emptied.set()
        self.count()

    def count(self) -> None:
        """Tell the meter."""
        self.meter.sessions(self.binds.bound, self.binds.unbound)
