"""An SMSC of a few lines that shares no code with the product: struct, SMPP 3.4 binds, submit_sm, receipts as text."""

import asyncio
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, ENQUIRE_LINK, UNBIND = 0x09, 0x04, 0x05, 0x15, 0x06
RESPONSE = 0x80000000
ESM_RECEIPT = 0x04
INVALID_PASSWORD = 0x0E
MAX_PDU_OCTETS = 70_000
SAID = 0x7000_0000
"""The sequence number of what handsets write."""
HEADER = struct.Struct(">IIII")


@dataclass(frozen=True, slots=True)
class Submit:
    """A submit_sm (section 4.4.1) as it was read, and the id that it was given."""

    system_id: str
    source: str
    destination: str
    registered_delivery: int
    data_coding: int
    octets: bytes
    message_id: str


@dataclass(slots=True)
class Smsc:
    """Accounts by system id with their passwords. Those in `hexadecimal` answer ids in hexadecimal, receipts have them decimal.

    A destination whose last digit is 2 is undeliverable, every other is delivered. `answers` has the status that each message
    of a handset was answered with.
    """

    accounts: dict[str, str]
    hexadecimal: frozenset[str] = frozenset()
    binds: list[str] = field(default_factory=list)
    submits: list[Submit] = field(default_factory=list)
    acknowledged: int = 0
    answers: list[int] = field(default_factory=list)
    _bound: list[asyncio.StreamWriter] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None
    _number: int = 0x4A5B6C00
    _server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on loopback; the answer is the port."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    def say(self, source: str, destination: str, octets: bytes, esm_class: int = 0) -> None:
        """A handset writes: a deliver_sm to whoever bound last, in the default alphabet. For any thread."""
        head = b"\0" + b"\1\1" + source.encode() + b"\0" + b"\0\1" + destination.encode() + b"\0"
        body = head + bytes((esm_class, 0, 0, 0, 0, 0, 0, 0, 0, len(octets))) + octets
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._bound[-1].write, _pdu(DELIVER_SM, SAID, body))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        system_id, sequence = "", 0
        try:
            while True:
                length, command, status, number = HEADER.unpack(await reader.readexactly(HEADER.size))
                if not HEADER.size <= length <= MAX_PDU_OCTETS:
                    return
                body = await reader.readexactly(length - HEADER.size)
                if command == BIND_TRANSCEIVER:
                    who, secret = (part.decode() for part in body.split(b"\0", 2)[:2])
                    right = bool(secret) and self.accounts.get(who) == secret
                    writer.write(_pdu(command | RESPONSE, number, b"own\0", 0 if right else INVALID_PASSWORD))
                    if not right:
                        return
                    system_id = who
                    self.binds.append(who)
                    self._bound.append(writer)
                elif command == SUBMIT_SM and system_id:
                    submit = self._take(system_id, body)
                    writer.write(_pdu(command | RESPONSE, number, submit.message_id.encode() + b"\0"))
                    sequence += 1
                    writer.write(_pdu(DELIVER_SM, sequence, self._receipt(submit)))
                elif command == DELIVER_SM | RESPONSE and number == SAID:
                    self.answers.append(status)
                elif command == DELIVER_SM | RESPONSE:
                    self.acknowledged += 1
                elif command in (ENQUIRE_LINK, UNBIND):
                    writer.write(_pdu(command | RESPONSE, number, b""))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            if writer in self._bound:
                self._bound.remove(writer)
            writer.close()

    def _take(self, system_id: str, body: bytes) -> Submit:
        """Read the body of a submit_sm in the order of section 4.4.1."""
        _, rest = body.split(b"\0", 1)
        source, rest = rest[2:].split(b"\0", 1)
        destination, rest = rest[2:].split(b"\0", 1)
        _, _, rest = rest[3:].split(b"\0", 2)
        registered, _, coding, _, octets = rest[:5]
        self._number += 1
        message_id = f"{self._number:08X}" if system_id in self.hexadecimal else str(self._number)
        submit = Submit(
            system_id, source.decode(), destination.decode(), registered, coding, rest[5 : 5 + octets], message_id
        )
        self.submits.append(submit)
        return submit

    def _receipt(self, submit: Submit) -> bytes:
        """The body of a deliver_sm with a receipt (Appendix B): text only, no TLVs."""
        when = datetime.now(UTC).strftime("%y%m%d%H%M")
        named = str(int(submit.message_id, 16)) if submit.system_id in self.hexadecimal else submit.message_id
        good = not submit.destination.endswith("2")
        text = (
            f"id:{named} sub:001 dlvrd:{int(good):03} submit date:{when} done date:{when} "
            f"stat:{'DELIVRD' if good else 'UNDELIV'} err:{'000' if good else '069'} text:"
        ).encode() + submit.octets[:20]
        head = b"\0" + b"\1\1" + submit.destination.encode() + b"\0" + b"\0\0" + submit.source.encode() + b"\0"
        return head + bytes((ESM_RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0, len(text))) + text


def _pdu(command: int, sequence: int, body: bytes, status: int = 0) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body
