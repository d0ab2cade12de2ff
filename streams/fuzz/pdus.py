"""PDUs from chance: each field by the layout of its command, values that are right, at a limit, or wrong."""

from random import Random
from typing import Final

from schemas.smpp import commands as c
from schemas.smpp.codec import encode
from schemas.smpp.fields import LAYOUTS
from schemas.smpp.pdu import Pdu, ShortMessage

COMMANDS: Final = tuple(LAYOUTS)
_TAGS: Final = (0x0005, 0x001D, 0x001E, 0x0204, 0x020C, 0x020E, 0x020F, 0x0210, 0x0423, 0x0424, 0x0427, 0x1401, 0xFFFF)
_TEXTS: Final = (
    "",
    "acme",
    "4512345678",
    "+4512345678",
    "Hermes",
    "x" * 20,
    "9" * 65,
    "é",
    "000001000000000R",
    "261124090000000+",
)
_NUMBERS: Final = (0, 1, 2, 3, 4, 8, 0x40, 0x43, 0x7F, 0x80, 0xF5, 0xFF)
_BODIES: Final = (
    b"", b"Hello", b"\x05\x00\x03\x07\x02\x01Hello", b"\x06\x08\x04\x01\x02\x02\x02Hello", b"\x1b", b"\x1be",
    b"\x00\x41", b"\xff" * 40,
    b"id:1 sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:DELIVRD err:000 text:Hi", b"a" * 254,
)  # fmt: skip
_BINDS: Final = tuple(sorted(c.BINDS))
MAX_PDUS: Final = 6
_MAX_BODY: Final = 254


def frame(chance: Random) -> bytes:
    """One PDU, sometimes with a lie in its header."""
    command_id = chance.choice(COMMANDS) if chance.random() < 0.9 else chance.getrandbits(32)
    status = 0 if chance.random() < 0.8 else chance.getrandbits(32)
    whole = _header(command_id, status, chance.getrandbits(31), _body(command_id, chance))
    if chance.random() < 0.1:
        at = chance.choice((0, 4, 8, 12))
        whole = whole[:at] + chance.randbytes(4) + whole[at + 4 :]
    return whole


def stream(chance: Random) -> bytes:
    """A bind that is mostly right, and some PDUs behind it."""
    bind = Pdu(chance.choice(_BINDS), 0, 1, {"system_id": "acme", "password": "secret", "interface_version": 0x34})
    begin = encode(bind) if chance.random() < 0.9 else frame(chance)
    made = (_submission if chance.random() < 0.5 else frame for _ in range(chance.randrange(1, MAX_PDUS)))
    return begin + b"".join(make(chance) for make in made)


def _submission(chance: Random) -> bytes:
    """A submit_sm that is right but for what its text says about itself."""
    message = ShortMessage(
        sequence=chance.getrandbits(31),
        source_addr="Hermes",
        source_addr_ton=5,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=f"45{chance.randrange(10**8):08}",
        esm_class=chance.choice((0, 0, 0x40, 0x40, 0x43, 0xFF)),
        registered_delivery=chance.choice((0, 1, 2, 0x11)),
        data_coding=chance.choice((0, 0, 1, 3, 4, 8, 0xF5)),
        short_message=chance.choice(_BODIES)[:_MAX_BODY],
        tlvs=((0x0424, chance.choice(_BODIES)),) if chance.random() < 0.1 else (),
    )
    return encode(message)


def _header(command_id: int, status: int, sequence: int, body: bytes) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in (16 + len(body), command_id, status, sequence)) + body


def _body(command_id: int, chance: Random) -> bytes:
    octets = bytearray()
    for _, kind in LAYOUTS.get(command_id, ()):
        octets += _field(str(kind), chance)
    for _ in range(chance.choice((0, 0, 0, 1, 2, 5))):
        value = chance.choice(_BODIES) if chance.random() < 0.8 else chance.randbytes(chance.randrange(300))
        length = len(value) if chance.random() < 0.95 else chance.getrandbits(16)
        octets += chance.choice(_TAGS).to_bytes(2, "big") + length.to_bytes(2, "big") + value
    return bytes(octets)


def _field(kind: str, chance: Random) -> bytes:
    match kind:
        case "string":
            return _text(chance)
        case "octet":
            return bytes((chance.choice(_NUMBERS),))
        case "message":
            body = chance.choice(_BODIES)
            length = len(body) if chance.random() < 0.9 else chance.randrange(256)
            return bytes((length,)) + body
        case _:
            return _entries(kind == "destinations", chance)


def _text(chance: Random) -> bytes:
    octets = chance.choice(_TEXTS).encode("latin-1", "replace")
    return octets + (b"\0" if chance.random() < 0.97 else b"")


def _entries(are_destinations: bool, chance: Random) -> bytes:
    count = chance.choice((0, 1, 2, 3, 254))
    octets = bytearray((count if chance.random() < 0.9 else chance.randrange(256),))
    for _ in range(count):
        flag = chance.choice((1, 1, 1, 2, 3)) if are_destinations else 1
        if are_destinations:
            octets.append(flag)
        octets += (b"" if flag == 2 else bytes((1, 1))) + _text(chance)
        if not are_destinations:
            octets += chance.randbytes(4)
    return bytes(octets)
