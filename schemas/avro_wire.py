"""Avro's binary encoding of what is not a record: numbers, texts, arrays, maps (Avro 1.12, "Binary Encoding").

A `put` gives octets; a `get` takes octets and a place in them and gives the value and the place behind it. A `get` may run
past the end of a text: whoever calls it compares the last place with the length. What is malformed is a ValueError or an
IndexError.
"""

import struct
from collections.abc import Callable
from typing import Any, Final, TypeVar

V = TypeVar("V")
Put = Callable[[Any], bytes]
Get = Callable[[bytes, int], tuple[Any, int]]

DOUBLE: Final = struct.Struct("<d")
MAX_LONG_OCTETS: Final = 10
MAX_REMEMBERED: Final = 2_000
"""Values of each type."""
MAX_KEPT_LONGS: Final = 20_000
"""Some 2 MB."""

_PAIR: Final = 1 << 14
_MORE: Final = tuple(bytes((0x80 | low & 0x7F, 0x80 | low >> 7)) for low in range(_PAIR))
_LAST: Final = tuple(bytes((n,)) if n < 0x80 else bytes((0x80 | n & 0x7F, n >> 7)) for n in range(_PAIR))

SIZES: Final = tuple(-1 if n & 1 or n > 0x7F else n >> 1 for n in range(256))
"""The length of a text by its first octet; -1 when it takes more octets, or is negative, which no length is."""


class Longs(dict[int, bytes]):
    """Octets by number: made when they are first asked for, and kept for a while, as the times of a message are repeated."""

    def __missing__(self, number: int) -> bytes:
        """Zigzag, then seven bits an octet, lowest first; OverflowError beyond 64 bits."""
        left = (number << 1) ^ (number >> 63)
        if left >> 64:
            raise OverflowError(f"{number} does not fit in 64 bits")
        octets = b""
        while left >= _PAIR:
            octets += _MORE[left & (_PAIR - 1)]
            left >>= 14
        if len(self) >= MAX_KEPT_LONGS:
            self.clear()
        self[number] = octets = octets + _LAST[left]
        return octets


LONGS: Final = Longs()


def remembering(put: Put) -> Put:
    """`put` for immutable values that stand in several records, one after the other: each is made into octets once."""
    known: dict[int, tuple[Any, bytes]] = {}  # by identity; the value is kept so that its id stays its own

    def remembered(value: Any) -> bytes:
        found = known.get(id(value))
        if found is not None:
            return found[1]
        if len(known) >= MAX_REMEMBERED:
            known.clear()
        octets = put(value)
        known[id(value)] = (value, octets)
        return octets

    return remembered


def put_text(value: str) -> bytes:
    """A string: its length in octets, and UTF-8."""
    octets = value.encode()
    return LONGS[len(octets)] + octets


def put_octets(value: bytes) -> bytes:
    """Bytes: their length, and they."""
    return LONGS[len(value)] + value


def put_flag(value: bool) -> bytes:
    """A boolean."""
    return b"\1" if value else b"\0"


def put_array(values: tuple[Any, ...], put: Put) -> bytes:
    """An array, in one block."""
    return b"".join((LONGS[len(values)], *map(put, values), b"\0")) if values else b"\0"


def put_map(values: dict[str, Any], put: Put) -> bytes:
    """A map, in one block."""
    if not values:
        return b"\0"
    return b"".join((LONGS[len(values)], *(put_text(k) + put(v) for k, v in values.items()), b"\0"))


def get_long(octets: bytes, at: int) -> tuple[int, int]:
    """A long of any length."""
    value = shift = 0
    for octet in octets[at : at + MAX_LONG_OCTETS]:
        at += 1
        if octet < 0x80:
            value |= octet << shift
            if value >> 64:
                break
            return (value >> 1) ^ -(value & 1), at
        value |= (octet & 0x7F) << shift
        shift += 7
    raise ValueError("a number that is cut off or has more than 64 bits")


def get_size(octets: bytes, at: int) -> tuple[int, int]:
    """The length of a text of any length."""
    size, at = get_long(octets, at)
    if size < 0:
        raise ValueError("a negative length")
    return size, at


def get_text(octets: bytes, at: int) -> tuple[str, int]:
    """A string."""
    size, at = get_size(octets, at)
    return octets[at : at + size].decode(), at + size


def get_octets(octets: bytes, at: int) -> tuple[bytes, int]:
    """Bytes."""
    size, at = get_size(octets, at)
    return octets[at : at + size], at + size


def get_flag(octets: bytes, at: int) -> tuple[bool, int]:
    """A boolean."""
    octet = octets[at]
    if octet > 1:
        raise ValueError("a boolean that is neither")
    return octet == 1, at + 1


def get_double(octets: bytes, at: int) -> tuple[float, int]:
    """A double."""
    return DOUBLE.unpack_from(octets, at)[0], at + DOUBLE.size


def get_array(octets: bytes, at: int, get: Get) -> tuple[tuple[Any, ...], int]:
    """An array of any number of blocks."""
    if not octets[at]:
        return (), at + 1
    values: list[Any] = []
    while True:
        count, at = _block(octets, at)
        if not count:
            return tuple(values), at
        for _ in range(count):
            value, at = get(octets, at)
            values.append(value)


def get_map(octets: bytes, at: int, get: Get) -> tuple[dict[str, Any], int]:
    """A map of any number of blocks."""
    values: dict[str, Any] = {}
    while True:
        count, at = _block(octets, at)
        if not count:
            return values, at
        for _ in range(count):
            key, at = get_text(octets, at)
            values[key], at = get(octets, at)


def get_optional(octets: bytes, at: int, get: Get) -> tuple[Any, int]:
    """A union of null and something."""
    branch = octets[at]
    if branch == 0:
        return None, at + 1
    if branch != 2:  # one, in zigzag
        raise ValueError("a union has no such branch")
    return get(octets, at + 1)


def _block(octets: bytes, at: int) -> tuple[int, int]:
    """How many items a block has; a negative count is followed by its size, which nobody here needs."""
    count, at = get_long(octets, at)
    if count < 0:
        _, at = get_long(octets, at)
    return abs(count), at
