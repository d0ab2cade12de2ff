"""Octets to text by data_coding, and text to octets (SMPP 3.4 section 5.2.19, 3GPP TS 23.038).

A data_coding that names no alphabet (binary, reserved) gives None: the octets are kept as they are, nothing fails.
"""

import codecs
from typing import Final, Literal

from domain.sms import ESCAPE, GSM7_BASIC, GSM7_EXTENSION
from schemas.smpp.national import LOCKING, SINGLE

Alphabet = Literal["gsm7", "latin1", "ascii", "ucs2", "iso8859-5", "iso8859-8", "shift-jis", "iso2022-jp", "euc-kr"]
DefaultAlphabet = Literal["gsm7", "latin1", "ascii"]

GSM7: Final = 0x00
UCS2: Final = 0x08

_CODECS: Final[dict[Alphabet, str]] = {
    "latin1": "latin-1",
    "ascii": "ascii",
    "ucs2": "utf-16-be",
    "iso8859-5": "iso8859-5",
    "iso8859-8": "iso8859-8",
    "shift-jis": "shift_jis",
    "iso2022-jp": "iso2022_jp",
    "euc-kr": "euc_kr",
}
_NAMED: Final[dict[int, Alphabet]] = {
    0x01: "ascii",
    0x03: "latin1",
    0x05: "shift-jis",
    0x06: "iso8859-5",
    0x07: "iso8859-8",
    0x08: "ucs2",
    0x0A: "iso2022-jp",
    0x0D: "iso2022-jp",
    0x0E: "euc-kr",
}
_MESSAGE_WAITING: Final[dict[int, Alphabet]] = {0xC0: "gsm7", 0xD0: "gsm7", 0xE0: "ucs2"}
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
# Each extension character is written as an escape and the basic character that sits at its septet.
_EXTENSION_PAIRS: Final = {ord(char): ESCAPE + GSM7_BASIC[septet] for septet, char in GSM7_EXTENSION.items()}
_ENCODING_MAP = codecs.charmap_build(GSM7_BASIC + "\ufffe" * 128)


def alphabet_of(data_coding: int, default: DefaultAlphabet = "gsm7") -> Alphabet | None:
    """The alphabet that a data_coding names, None for octets that are not text; `default` is what 0x00 means here."""
    if data_coding == 0:
        return default
    if data_coding in _NAMED:
        return _NAMED[data_coding]
    group = data_coding & 0xF0
    if group == 0x10:  # TS 23.038 general group with a message class, sent by many although 3.4 reserves it
        return ("gsm7", None, "ucs2", None)[data_coding >> 2 & 3]
    if group == 0xF0:
        return None if data_coding & 0x04 else "gsm7"
    return _MESSAGE_WAITING.get(group)


def decode(
    octets: bytes, data_coding: int, default: DefaultAlphabet = "gsm7", *, locking: int = 0, single: int = 0
) -> str | None:
    """The text in `octets`, without a user data header; octets that are no character become U+FFFD, never an error."""
    alphabet = alphabet_of(data_coding, default)
    if alphabet is None:
        return None
    if alphabet == "gsm7" or ((locking or single) and alphabet == "ascii"):
        return decode_gsm7(octets, locking=locking, single=single)
    if alphabet == "ucs2" and len(octets) % 2:
        octets = octets[:-1]
    return octets.decode(_CODECS[alphabet], "replace")


def decode_gsm7(octets: bytes, *, locking: int = 0, single: int = 0) -> str:
    """Unpacked septets to text; `locking` and `single` are national language identifiers (TS 23.038 table 6.2.1.2.4)."""
    basic = LOCKING.get(locking, GSM7_BASIC)
    extension = SINGLE.get(single, GSM7_EXTENSION)
    if 0x1B not in octets:
        return "".join([basic[octet] if octet < 128 else _REPLACEMENT for octet in octets])
    text: list[str] = []
    escaped = False
    for octet in octets:
        if escaped:
            text.append(extension.get(octet) or (basic[octet] if octet < 128 and octet != 0x1B else " "))
            escaped = False
        elif octet == 0x1B:
            escaped = True
        else:
            text.append(basic[octet] if octet < 128 else _REPLACEMENT)
    if escaped:
        text.append(_REPLACEMENT)
    return "".join(text)


def invalid_gsm7(octets: bytes) -> bytes:
    """The octets that are not unpacked GSM 03.38: those above 0x7f, and an escape with nothing behind it."""
    found = bytes([octet for octet in octets if octet > 0x7F])
    trailing = len(octets) - len(octets.rstrip(b"\x1b"))
    return found + (b"\x1b" if trailing % 2 else b"")


def encode_gsm7(text: str) -> bytes:
    """Unpacked septets of `text`; raises UnicodeEncodeError for a character outside the alphabet."""
    if ESCAPE in text:
        raise UnicodeEncodeError("gsm0338", text, text.index(ESCAPE), text.index(ESCAPE) + 1, "escape is no character")
    try:
        return codecs.charmap_encode(text, "strict", _ENCODING_MAP)[0]
    except UnicodeEncodeError:
        return codecs.charmap_encode(text.translate(_EXTENSION_PAIRS), "strict", _ENCODING_MAP)[0]


def encode_ucs2(text: str) -> bytes:
    """UTF-16BE, which is what handsets read as UCS-2; a lone surrogate goes out as U+FFFD."""
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace").encode("utf-16-be")


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Septets packed eight to seven octets, behind `fill_bits` zero bits (TS 23.038 section 6.1.2.1.1)."""
    packed = b"".join([_packed(septets[at : at + 8]) for at in range(0, len(septets), 8)])
    if not fill_bits:
        return packed
    bits = 7 * len(septets) + fill_bits
    return (int.from_bytes(packed, "little") << fill_bits).to_bytes((bits + 7) // 8, "little")


def unpack(octets: bytes, septets: int | None = None, fill_bits: int = 0) -> bytes:
    """Packed septets apart again; without a count, a last septet of zero bits that only pads is not one."""
    count = (8 * len(octets) - fill_bits) // 7 if septets is None else septets
    begun = (int.from_bytes(octets, "little") >> fill_bits).to_bytes(len(octets), "little") if fill_bits else octets
    found = b"".join([_unpacked(begun[at : at + 7]) for at in range(0, len(begun), 7)])[:count].ljust(count, b"\0")
    may_pad = septets is None and count and (7 * (count - 1) + fill_bits + 7) // 8 == len(octets)
    pads = may_pad and found[-1] in (0x00, 0x0D)
    return found[:-1] if pads else found


def _packed(septets: bytes) -> bytes:
    """Up to eight septets; a number for all of a long text would take quadratic time."""
    number = 0
    for index, septet in enumerate(septets):
        number |= (septet & 0x7F) << (7 * index)
    return number.to_bytes((7 * len(septets) + 7) // 8, "little")


def _unpacked(octets: bytes) -> bytes:
    number = int.from_bytes(octets, "little")
    return bytes([number >> shift & 0x7F for shift in (0, 7, 14, 21, 28, 35, 42, 49)])
