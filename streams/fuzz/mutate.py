"""Inputs out of inputs: every one follows from the seed of the run, the target's name and its number."""

import zlib
from collections.abc import Callable
from random import Random
from typing import Final

from streams.fuzz.target import Target

MAX_OCTETS: Final = 64 * 1024
MAX_STEPS: Final = 6
MAX_REPEATS: Final = 2_000
GENERATED_SHARE: Final = 0.5
UNTOUCHED_SHARE: Final = 0.02
_ODD_NUMBERS: Final = (0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_ODD_TEXTS: Final = (
    b"",
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"-1",
    b"99999999999999999999",
)

Mutation = Callable[[bytearray, Random, Target], None]


def input_of(target: Target, seed: int, number: int) -> bytes:
    """The input of that number."""
    chance = Random((seed << 64) ^ (zlib.crc32(target.name.encode()) << 40) ^ number)  # noqa: S311 - it must be repeatable
    if target.generate is not None and chance.random() < GENERATED_SHARE:
        octets = bytearray(target.generate(chance))
        steps = chance.randrange(MAX_STEPS // 2)
    else:
        octets = bytearray(chance.choice(target.seeds))
        steps = 0 if chance.random() < UNTOUCHED_SHARE else 1 + chance.randrange(MAX_STEPS)
    for _ in range(steps):
        chance.choice(_MUTATIONS)(octets, chance, target)
    return bytes(octets[:MAX_OCTETS])


def _flip(octets: bytearray, chance: Random, _target: Target) -> None:
    """One bit."""
    if octets:
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)


def _overwrite(octets: bytearray, chance: Random, _target: Target) -> None:
    """Some octets by any others."""
    at = _place(octets, chance)
    octets[at : at + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(1, 9))


def _cut(octets: bytearray, chance: Random, _target: Target) -> None:
    """A piece is gone, often the end."""
    at = _place(octets, chance)
    del octets[at : at + chance.randrange(1, 64) if chance.random() < 0.7 else None]


def _repeat(octets: bytearray, chance: Random, _target: Target) -> None:
    """A piece stands there many times."""
    at = _place(octets, chance)
    piece = octets[at : at + chance.randrange(1, 24)]
    if len(octets) + len(piece) < MAX_OCTETS:
        octets[at:at] = piece * chance.choice((1, 2, 7, 60, chance.randrange(1, MAX_REPEATS)))
        del octets[MAX_OCTETS:]


def _lie(octets: bytearray, chance: Random, _target: Target) -> None:
    """An odd number where a length may be."""
    size = chance.choice((1, 2, 4))
    at = _place(octets, chance)
    number = chance.choice(_ODD_NUMBERS) & ((1 << 8 * size) - 1)
    octets[at : at + size] = number.to_bytes(size, "big")


def _token(octets: bytearray, chance: Random, target: Target) -> None:
    """A word of the protocol, put in or written over."""
    word = chance.choice(target.tokens or _ODD_TEXTS)
    at = _place(octets, chance)
    octets[at : at + (len(word) if chance.random() < 0.3 else 0)] = word


def _odd(octets: bytearray, chance: Random, _target: Target) -> None:
    """Something that text should not hold."""
    at = _place(octets, chance)
    octets[at:at] = chance.choice(_ODD_TEXTS)


def _splice(octets: bytearray, chance: Random, target: Target) -> None:
    """The begin of this and the end of another seed."""
    other = chance.choice(target.seeds)
    octets[_place(octets, chance) :] = other[chance.randrange(len(other) + 1) :]


def _swap(octets: bytearray, chance: Random, _target: Target) -> None:
    """Two lines change places."""
    lines = bytes(octets).split(b"\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    octets[:] = b"\n".join(lines)


def _place(octets: bytearray, chance: Random) -> int:
    return chance.randrange(len(octets) + 1)


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip,
    _flip,
    _overwrite,
    _cut,
    _repeat,
    _lie,
    _token,
    _token,
    _odd,
    _splice,
    _swap,
)
