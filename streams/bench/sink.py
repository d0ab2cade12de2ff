"""A mail host that takes everything at the least cost, and counts: what is measured is who sends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

HOST: Final = "127.0.0.1"
BACKLOG: Final = 1_024
MAX_MESSAGE_OCTETS: Final = 1024 * 1024
_END: Final = b"\r\n.\r\n"
_HELLO: Final = b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


@dataclass(slots=True)
class Taken:
    """How many mails and octets came."""

    mails: int = 0
    octets: int = 0


class Sink(asyncio.Protocol):
    """One connection: commands are answered by their first word, a message by its end (RFC 5321)."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._buffer = bytearray()
        self._in_message = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._transport.write(b"220 sink.test ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        if len(self._buffer) > MAX_MESSAGE_OCTETS:
            self._say(b"552 5.3.4 Too much\r\n", close=True)
            return
        end = _END if self._in_message else b"\r\n"
        while (at := self._buffer.find(end)) >= 0:
            part = bytes(self._buffer[:at])
            del self._buffer[: at + len(end)]
            self._take(part)
            end = _END if self._in_message else b"\r\n"

    def _take(self, part: bytes) -> None:
        """Answer a command or a message."""
        if self._in_message:
            self._in_message = False
            self._taken.mails += 1
            self._taken.octets += len(part)
            self._say(b"250 2.0.0 Ok: queued as %d\r\n" % self._taken.mails)
            return
        match part[:4].upper():
            case b"EHLO":
                self._say(_HELLO)
            case b"DATA":
                self._in_message = True
                self._say(b"354 Go on\r\n")
            case b"QUIT":
                self._say(b"221 2.0.0 Bye\r\n", close=True)
            case _:
                self._say(b"250 2.0.0 Ok\r\n")

    def _say(self, words: bytes, *, close: bool = False) -> None:
        if self._transport is not None:
            self._transport.write(words)
            if close:
                self._transport.close()


async def serve(say: Callable[[int], None], stopped: asyncio.Event) -> int:
    """Its report is how many mails came."""
    taken = Taken()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Sink(taken), HOST, 0, backlog=BACKLOG)
    say(server.sockets[0].getsockname()[1])
    await stopped.wait()
    server.close()
    return taken.mails
