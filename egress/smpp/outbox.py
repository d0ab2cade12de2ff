"""Everything that one turn of the event loop writes to a connection, sent as one write."""

import asyncio

from egress.smpp.job import Job


class Outbox:
    """Knows which segments have not yet left the process: they may go by another bind if this one is lost."""

    __slots__ = ("_loop", "_octets", "_transport", "_unwritten")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._octets: list[bytes] = []
        self._unwritten: list[Job] = []

    def add(self, octets: bytes, job: Job | None = None) -> None:
        """Write at the end of this turn; on a connection that is closing, a segment stays unwritten."""
        if job is not None:
            self._unwritten.append(job)
        if self._transport.is_closing():
            return
        if not self._octets:
            self._loop.call_soon(self.flush)
        self._octets.append(octets)

    def flush(self) -> None:
        """Write now."""
        if self._octets and not self._transport.is_closing():
            self._transport.write(b"".join(self._octets))
            self._unwritten.clear()
        self._octets.clear()

    def unwritten(self) -> list[Job]:
        """The segments that were never handed to the transport."""
        return list(self._unwritten)
