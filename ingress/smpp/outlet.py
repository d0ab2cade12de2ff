"""The writing end of a connection: all octets of one turn of the event loop go out as one, and a full buffer is known."""

import asyncio


class Outlet:
    """`blocked_since_ms` is zero while the peer reads."""

    __slots__ = ("_loop", "_octets", "_transport", "blocked_since_ms")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, high_octets: int) -> None:
        self._loop = loop
        self._transport = transport
        self._octets: list[bytes] = []
        self.blocked_since_ms = 0
        transport.set_write_buffer_limits(high=high_octets)

    def add(self, octets: bytes) -> None:
        """Write at the end of this turn; nothing on a connection that is closing."""
        if self._transport.is_closing():
            return
        if not self._octets:
            self._loop.call_soon(self.flush)
        self._octets.append(octets)

    def flush(self) -> None:
        """Write now."""
        if self._octets and not self._transport.is_closing():
            self._transport.write(b"".join(self._octets))
        self._octets.clear()
