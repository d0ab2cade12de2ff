"""What is overdue on a session: bind, partial PDU, an answer to enquire_link, life at all (SMPP 3.4 section 7.2)."""

from dataclasses import dataclass
from typing import Literal

from ingress.smpp.settings import SmppServerSettings

Due = Literal["nothing", "session_init", "partial_pdu", "half_open", "idle", "write_stall", "enquire"]


@dataclass(slots=True)
class Clocks:
    """Moments in ms of a monotonic clock, zero for never."""

    opened_ms: int
    heard_ms: int
    partial_since_ms: int = 0
    enquired_ms: int = 0

    def hear(self, now_ms: int) -> None:
        """Something came: the peer is there."""
        self.heard_ms = now_ms
        self.enquired_ms = 0

    def keep_partial(self, now_ms: int, *, pending: bool, progress: bool) -> None:
        """A PDU of which a piece is there is as old as its first piece; `progress` says that another PDU was completed."""
        if not pending:
            self.partial_since_ms = 0
        elif progress or not self.partial_since_ms:
            self.partial_since_ms = now_ms

    def due(
        self, now_ms: int, settings: SmppServerSettings, *, bound: bool, blocked_since_ms: int, paused: bool
    ) -> Due:
        """The one thing that is to be done now. A peer that we do not read is not blamed for its silence."""
        if not bound and now_ms - self.opened_ms > settings.session_init_ms:
            return "session_init"
        if blocked_since_ms and now_ms - blocked_since_ms > settings.write_stall_ms:
            return "write_stall"
        if paused:
            return "nothing"
        if self.partial_since_ms and now_ms - self.partial_since_ms > settings.partial_pdu_ms:
            return "partial_pdu"
        if self.enquired_ms and now_ms - self.enquired_ms > settings.enquire_link_timeout_ms:
            return "half_open"
        silent_ms = now_ms - self.heard_ms
        if silent_ms > settings.inactivity_ms:
            return "idle"
        if bound and settings.enquire_link_ms and not self.enquired_ms and silent_ms > settings.enquire_link_ms:
            return "enquire"
        return "nothing"
