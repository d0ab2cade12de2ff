"""The user data header: concatenation, ports, national shifts and any other element (3GPP TS 23.040 section 9.2.3.24)."""

from dataclasses import dataclass
from typing import Final, Literal

CONCAT8: Final = 0x00
PORTS8: Final = 0x04
PORTS16: Final = 0x05
CONCAT16: Final = 0x08
SINGLE_SHIFT: Final = 0x24
LOCKING_SHIFT: Final = 0x25


@dataclass(frozen=True, slots=True)
class Concat:
    """Part `seq` (from 1) of `total` under one reference."""

    ref: int
    ref_bits: Literal[8, 16]
    total: int
    seq: int


@dataclass(frozen=True, slots=True)
class Udh:
    """A header of `octets` octets, its length octet counted, with its elements (identifier and data) in order."""

    ies: tuple[tuple[int, bytes], ...]
    octets: int

    @property
    def concat(self) -> Concat | None:
        """The concatenation, if there is one that makes sense: a part zero or beyond the total is ignored (9.2.3.24.1)."""
        for iei, data in self.ies:
            if iei == CONCAT8 and len(data) == 3:
                found = Concat(data[0], 8, data[1], data[2])
            elif iei == CONCAT16 and len(data) == 4:
                found = Concat(data[0] << 8 | data[1], 16, data[2], data[3])
            else:
                continue
            if 1 <= found.seq <= found.total:
                return found
        return None

    @property
    def ports(self) -> tuple[int, int] | None:
        """Destination and source port."""
        for iei, data in self.ies:
            if iei == PORTS8 and len(data) == 2:
                return data[0], data[1]
            if iei == PORTS16 and len(data) == 4:
                return data[0] << 8 | data[1], data[2] << 8 | data[3]
        return None

    @property
    def single_shift(self) -> int:
        """The national language of the single shift, zero for none."""
        return self._language(SINGLE_SHIFT)

    @property
    def locking_shift(self) -> int:
        """The national language of the locking shift, zero for none."""
        return self._language(LOCKING_SHIFT)

    def _language(self, wanted: int) -> int:
        return next((data[0] for iei, data in self.ies if iei == wanted and len(data) == 1), 0)


def parse(octets: bytes) -> Udh | None:
    """The header at the start of `octets`, None when there cannot be one: empty, or elements that do not fill it."""
    if not octets or octets[0] + 1 > len(octets):
        return None
    end = octets[0] + 1
    at = 1
    ies: list[tuple[int, bytes]] = []
    while at < end:
        if at + 2 > end or at + 2 + octets[at + 1] > end:
            return None
        ies.append((octets[at], octets[at + 2 : at + 2 + octets[at + 1]]))
        at += 2 + octets[at + 1]
    return Udh(tuple(ies), end)


def concat8(ref: int, total: int, seq: int) -> bytes:
    """A header of 6 octets that makes a part of a message; `ref` is taken modulo 256."""
    return bytes((5, CONCAT8, 3, ref & 0xFF, total, seq))


def concat16(ref: int, total: int, seq: int) -> bytes:
    """A header of 7 octets that makes a part of a message; `ref` is taken modulo 65536."""
    return bytes((6, CONCAT16, 4, ref >> 8 & 0xFF, ref & 0xFF, total, seq))
