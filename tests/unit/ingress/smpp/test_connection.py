"""Back-pressure of a connection, both ways."""

import asyncio
from typing import Any

from ingress.smpp.connection import Connection
from ingress.smpp.settings import SmppServerSettings
from schemas.smpp import codec
from schemas.smpp import commands as c

QUERY = codec.header_only(0x00001234, 0, 1)
ENQUIRE = codec.header_only(c.ENQUIRE_LINK, 0, 2)


class FakeTransport(asyncio.Transport):
    """Says what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.written = b""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.7", 9) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.calls.append(f"limit {high}")

    def is_closing(self) -> bool:
        return "close" in self.calls or "abort" in self.calls

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


class FakeOwner:
    """Takes `room` requests."""

    def __init__(self, room: int = 1) -> None:
        self.room = room
        self.frames: list[bytes] = []
        self.events: list[str] = []

    @property
    def may_take(self) -> bool:
        return self.room > 0

    def opened(self, connection: Connection) -> bool:
        self.events.append(connection.peer)
        return True

    def received(self, frame: bytes) -> None:
        self.frames.append(frame)
        if frame != ENQUIRE:
            self.room -= 1

    def relieved(self) -> None:
        self.events.append("relieved")

    def lost(self, reason: str) -> None:
        self.events.append(reason)

    def fault(self, what: str) -> None:
        self.events.append(what)


def connected(owner: FakeOwner) -> tuple[Connection, FakeTransport]:
    connection, transport = Connection(owner, SmppServerSettings()), FakeTransport()
    connection.connection_made(transport)
    transport.calls.clear()
    return connection, transport


async def test_requests_beyond_the_room_stop_the_reading_and_enquire_link_overtakes_them() -> None:
    owner = FakeOwner()
    connection, transport = connected(owner)
    connection.data_received(QUERY * 3 + ENQUIRE)
    assert owner.frames == [ENQUIRE, QUERY]
    assert transport.calls == ["pause"]
    assert connection.is_paused
    owner.room = 5
    connection.drain()
    assert owner.frames == [ENQUIRE, QUERY, QUERY, QUERY]
    assert transport.calls == ["pause", "resume"]


async def test_a_peer_that_does_not_read_our_answers_is_not_read() -> None:
    owner = FakeOwner(9)
    connection, transport = connected(owner)
    connection.pause_writing()
    assert transport.calls == ["pause"]
    assert connection.blocked_since_ms > 0
    connection.data_received(QUERY)
    assert owner.frames == []
    connection.resume_writing()
    assert owner.frames == [QUERY]
    assert transport.calls == ["pause", "resume"]
    assert owner.events == ["192.0.2.7", "relieved"]


async def test_the_answers_of_one_turn_are_one_write_and_a_closed_connection_says_nothing() -> None:
    connection, transport = connected(FakeOwner())
    connection.write(b"one ")
    connection.write(b"two")
    assert transport.written == b""
    connection.close()
    assert transport.written == b"one two"
    connection.write(b"three")
    connection.data_received(QUERY)
    connection.close()
    assert transport.written == b"one two"
    assert transport.calls == ["close"]


async def test_broken_framing_is_answered_once_behind_what_was_whole() -> None:
    owner = FakeOwner(9)
    connection, transport = connected(owner)
    connection.data_received(QUERY + b"GET / HTTP/1.1")
    connection.data_received(QUERY)
    assert owner.frames == [QUERY]
    assert owner.events[-1] == "bad_length"
    assert transport.written == codec.header_only(c.GENERIC_NACK, 2, 0)
    connection.connection_lost(ConnectionResetError())
    assert owner.events[-1] == "ConnectionResetError"
