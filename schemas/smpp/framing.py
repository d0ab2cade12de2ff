"""A TCP stream of SMPP cut into frames, with limits; a broken length is answered once, and the connection is over."""

from dataclasses import dataclass
from typing import Final

HEADER_OCTETS: Final = 16
MAX_PDU_OCTETS: Final = 69_632  # 64 KiB of message_payload and 4 KiB for all other fields
MAX_UNBOUND_PDU_OCTETS: Final = 1_024  # nobody needs more before a bind


@dataclass(frozen=True, slots=True)
class BadLength:
    """The stream lost its boundaries (3.2.2): send generic_nack ESME_RINVCMDLEN with `sequence`, then close."""

    command_length: int
    sequence: int


class Splitter:
    """Holds what is left of an incomplete frame. `limit` is the longest command_length taken, in octets."""

    __slots__ = ("_rest", "broken", "limit")

    def __init__(self, limit: int = MAX_PDU_OCTETS) -> None:
        self.limit = limit
        self.broken: BadLength | None = None
        self._rest = b""

    @property
    def pending(self) -> int:
        """Octets that wait for the rest of their frame: they may not wait long."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The whole frames in `data` and what came before, in order; afterwards `broken` is set if the stream is lost."""
        if self.broken is not None:
            return []
        if self._rest:
            data = self._rest + data
        size = len(data)
        frames: list[bytes] = []
        start = 0
        while size - start >= 4:
            length = int.from_bytes(data[start : start + 4], "big")
            if length < HEADER_OCTETS or length > self.limit:
                self.broken = BadLength(length, _sequence(data, start))
                self._rest = b""
                return frames
            if size - start < length:
                break
            frames.append(data[start : start + length])
            start += length
        self._rest = data[start:] if start else data
        return frames


def _sequence(data: bytes, start: int) -> int:
    """The sequence number of a header that is all there, else zero."""
    if len(data) - start < HEADER_OCTETS:
        return 0
    return int.from_bytes(data[start + 12 : start + HEADER_OCTETS], "big")
