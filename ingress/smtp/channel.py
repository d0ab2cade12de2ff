"""One connection as lines: commands and messages read within limits, replies collected and written in one go."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from ingress.smtp.room import Room

READ_OCTETS: Final = 64 * 1024
MAX_COMMAND_OCTETS: Final = 12_288 + 2
"""A line of an AUTH exchange (RFC 4954 section 4); shorter limits are the commands' own."""
MAX_SKIPPED_OCTETS: Final = 256 * 1024
"""What is read of a line that is too long before the client is given up."""
MAX_UNSENT_OCTETS: Final = 16 * 1024
MAX_DRAINED_MESSAGES: Final = 4
"""How many times the limit of a message is read, and thrown away, before the client is given up."""
END_OF_DATA: Final = b"\r\n.\r\n"
NO_ROOM: Final = "452 4.3.1 No room for the message now; try again"


class EndError(Exception):
    """The client has gone."""


class BadLineError(Exception):
    """A line that is no command; `reply` says why, `fatal` that nothing behind it can be trusted."""

    def __init__(self, reply: str, *, fatal: bool = False) -> None:
        super().__init__(reply)
        self.reply = reply
        self.fatal = fatal


@dataclass(slots=True)
class Channel:
    """Reads from and writes to the streams of one session; one task uses it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    write_ms: int
    _input: bytearray = field(default_factory=bytearray)
    _output: bytearray = field(default_factory=bytearray)

    async def line(self, wait_ms: int) -> bytes:
        """The next line without its CRLF. Raises BadLineError, EndError, and TimeoutError after `wait_ms`."""
        at = self._input.find(b"\n")
        if at < 0:
            await self.flush()
            async with asyncio.timeout(wait_ms / 1_000):
                at = await self._until_line_end()
        line = bytes(self._input[: at + 1])
        del self._input[: at + 1]
        if not line.endswith(b"\r\n"):
            raise BadLineError("500 5.5.2 A line ends in CR LF", fatal=True)
        line = line[:-2]
        if b"\r" in line or b"\0" in line:
            raise BadLineError("500 5.5.2 A line holds neither CR nor NUL", fatal=True)
        return line

    async def message(self, limit: int, room: Room) -> bytes | str:
        """What comes before CRLF.CRLF, its dots as they were before they were stuffed (RFC 5321 section 4.5.2).

        A reply instead when it was longer than `limit` or found no `room`: it was read to its end all the same. EndError
        when the client goes, or never stops. The caller limits the time.
        """
        data = bytearray(b"\r\n")  # the line end of DATA: a dot may come first
        total, held, begin, refusal = 0, 0, 0, ""
        try:
            while True:
                chunk, self._input = self._input, bytearray()
                data += chunk
                total += len(chunk)
                end = data.find(END_OF_DATA, begin)
                if end >= 0:
                    self._input = data[end + len(END_OF_DATA) :]
                    if not refusal and end > limit:
                        refusal = _too_long(limit)
                    return refusal or bytes(data[: end + 2].replace(b"\r\n.", b"\r\n")[2:])
                begin = max(0, len(data) - len(END_OF_DATA) + 1)
                if not refusal and total > limit + len(END_OF_DATA):
                    refusal = _too_long(limit)
                elif not refusal and not room.take(len(chunk)):
                    refusal = NO_ROOM
                elif not refusal:
                    held += len(chunk)
                if refusal:
                    del data[:begin]
                    begin = 0
                    if total > limit * MAX_DRAINED_MESSAGES + READ_OCTETS:
                        raise EndError
                self._input += await self._read()
        finally:
            room.give_back(held)

    def say(self, reply: str) -> None:
        """Queue a reply, its lines parted by LF."""
        self._output += reply.replace("\n", "\r\n").encode("utf-8", "replace") + b"\r\n"

    async def flush(self) -> None:
        """Write what is queued. Raises TimeoutError when the client does not read."""
        if self._output:
            self.writer.write(bytes(self._output))
            self._output.clear()
            async with asyncio.timeout(self.write_ms / 1_000):
                await self.writer.drain()

    async def make_room(self) -> None:
        """Write when much is queued: a client may send commands and never read."""
        if len(self._output) > MAX_UNSENT_OCTETS:
            await self.flush()

    def forget_input(self) -> None:
        """What came so far and was not read is gone (RFC 3207 section 6)."""
        self._input.clear()

    async def _until_line_end(self) -> int:
        """Where the line ends. A line that is too long is read to its end, and refused then."""
        skipped = 0
        while True:
            begin = len(self._input)
            self._input += await self._read()
            at = self._input.find(b"\n", begin)
            if at >= 0 and not skipped and at < MAX_COMMAND_OCTETS:
                return at
            if at >= 0:
                del self._input[: at + 1]
                raise BadLineError("500 5.5.2 Line too long")
            if len(self._input) > MAX_COMMAND_OCTETS:
                skipped += len(self._input)
                self._input.clear()
                if skipped > MAX_SKIPPED_OCTETS:
                    raise BadLineError("500 5.5.2 Line too long", fatal=True)

    async def _read(self) -> bytes:
        chunk = await self.reader.read(READ_OCTETS)
        if not chunk:
            raise EndError
        return chunk


def _too_long(limit: int) -> str:
    return f"552 5.3.4 A message has at most {limit} octets"
