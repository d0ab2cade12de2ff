"""The TCP or TLS side of a session: octets to frames and back, back-pressure both ways, and how a connection ends.

Responses and enquire_link are handed over at once; other requests in order, as the session has room for them. While it
has none, or the peer does not read our answers, nothing more is read from the socket.
"""

import asyncio
from collections import deque
from typing import Protocol, cast

from ingress.smpp.clocks import Clocks
from ingress.smpp.outlet import Outlet
from ingress.smpp.settings import SmppServerSettings
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.framing import MAX_UNBOUND_PDU_OCTETS, Splitter
from schemas.smpp.status import ESME_RINVCMDLEN


class ConnectionOwner(Protocol):
    """Who a connection works for."""

    @property
    def may_take(self) -> bool:
        """Whether one more request may be handed over now."""
        ...

    def opened(self, connection: "Connection") -> bool:
        """It is open; False hangs up."""
        ...

    def received(self, frame: bytes) -> None:
        """A whole PDU."""
        ...

    def relieved(self) -> None:
        """The peer reads again."""
        ...

    def lost(self, reason: str) -> None:
        """It is gone; called once for each that was opened."""
        ...

    def fault(self, what: str) -> None:
        """The peer broke the rules of framing."""
        ...


class Connection(asyncio.Protocol):
    """Times are ms of the event loop's clock."""

    def __init__(self, owner: ConnectionOwner, settings: SmppServerSettings) -> None:
        self._owner = owner
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._outlet: Outlet | None = None
        self._splitter = Splitter(MAX_UNBOUND_PDU_OCTETS)
        self._backlog: deque[bytes] = deque()
        self._paused = False
        self.is_closed = False
        self.peer = ""
        now_ms = self.now_ms()
        self.clocks = Clocks(now_ms, now_ms)

    def now_ms(self) -> int:
        """The time of all timers."""
        return int(self._loop.time() * 1000)

    @property
    def blocked_since_ms(self) -> int:
        """Since when the peer has not read what we write, zero while it does."""
        return self._outlet.blocked_since_ms if self._outlet is not None else 0

    @property
    def is_paused(self) -> bool:
        """Whether we do not read: the peer cannot be blamed for silence then."""
        return self._paused

    def allow(self, max_pdu_octets: int) -> None:
        """Take PDUs of this length from now on."""
        self._splitter.limit = max_pdu_octets

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._outlet = Outlet(self._loop, self._transport, self._settings.write_buffer_octets)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._owner.opened(self):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.is_closed = True
        self._backlog.clear()
        self._owner.lost(type(exc).__name__ if exc else "closed")

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.is_closed:
            return
        now_ms = self.now_ms()
        self.clocks.hear(now_ms)
        frames = self._splitter.feed(data)
        for frame in frames:
            command_id = int.from_bytes(frame[4:8], "big")
            if c.is_response(command_id) or command_id == c.ENQUIRE_LINK:
                self._owner.received(frame)
            else:
                self._backlog.append(frame)
        self.drain()
        if self._splitter.broken is not None and not self.is_closed:
            self._owner.fault("bad_length")
            self.write(codec.header_only(c.GENERIC_NACK, ESME_RINVCMDLEN, self._splitter.broken.sequence))
            self.close()
        self.clocks.keep_partial(now_ms, pending=self._splitter.pending > 0, progress=bool(frames))

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._outlet is not None:
            self._outlet.blocked_since_ms = self.now_ms()
        self._set_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._outlet is not None:
            self._outlet.blocked_since_ms = 0
        self.drain()
        self._owner.relieved()

    # What the session calls.

    def write(self, octets: bytes) -> None:
        """Write at the end of this turn of the loop."""
        if self._outlet is not None and not self.is_closed:
            self._outlet.add(octets)

    def drain(self) -> None:
        """Hand over what waits, as far as there is room."""
        while self._backlog and not self.is_closed and not self.blocked_since_ms and self._owner.may_take:
            self._owner.received(self._backlog.popleft())
        self._set_reading()

    def close(self) -> None:
        """Write what is waiting, then close; a peer that does not read is cut off."""
        if self.is_closed or self._transport is None or self._outlet is None:
            return
        self.is_closed = True
        self._backlog.clear()
        self._outlet.flush()
        self._transport.close()
        self._loop.call_later(self._settings.unbind_timeout_ms / 1000, self._transport.abort)

    def abort(self) -> None:
        """Hang up without a word."""
        self.is_closed = True
        if self._transport is not None:
            self._transport.abort()

    def _set_reading(self) -> None:
        """Read exactly while nothing waits and the peer takes our answers."""
        if self._transport is None or self.is_closed or self._transport.is_closing():
            return
        pause = bool(self._backlog) or self.blocked_since_ms > 0
        if pause and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        elif not pause and self._paused:
            self._paused = False
            self.clocks.hear(self.now_ms())
            self._transport.resume_reading()
