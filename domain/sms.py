"""How a text becomes SMS parts: the GSM 03.38 alphabet, UCS-2, and the cuts between parts."""

import re
from typing import Final, Literal

Encoding = Literal["gsm7", "ucs2"]
ReferenceBits = Literal[8, 16]

ESCAPE: Final = "\x1b"
# 3GPP TS 23.038 section 6.2.1: the index of a character is its septet; index 0x1b is the escape to the extension table.
GSM7_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Section 6.2.1.1: septet after the escape, and its character. Each of these costs two septets.
GSM7_EXTENSION: Final[dict[int, str]] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
GSM7_SINGLE_SEPTETS: Final = 160
UCS2_SINGLE_UNITS: Final = 70
# What is left of 140 octets behind a concatenation header of 6 octets (8-bit reference) or 7 (16-bit), TS 23.040 9.2.3.24.
GSM7_PART_SEPTETS: Final[dict[ReferenceBits, int]] = {8: 153, 16: 152}
UCS2_PART_UNITS: Final[dict[ReferenceBits, int]] = {8: 67, 16: 66}

_EXTENDED = "".join(GSM7_EXTENSION.values())
_OUTSIDE_GSM7 = re.compile(f"[^{re.escape(GSM7_BASIC.replace(ESCAPE, '') + _EXTENDED)}]")
_EXTENSION_CHARACTER = re.compile(f"[{re.escape(_EXTENDED)}]")


def encoding_of(text: str) -> Encoding:
    """The cheapest encoding that carries every character of `text`: one foreign character makes all of it UCS-2."""
    return "ucs2" if _OUTSIDE_GSM7.search(text) else "gsm7"


def segments(text: str, reference_bits: ReferenceBits = 8) -> int:
    """The number of SMS that `text` costs, at least one: 160 or 153 septets each, 70 or 67 UTF-16 units."""
    return len(cut(text, encoding_of(text), reference_bits))


def split(text: str, reference_bits: ReferenceBits = 8) -> tuple[Encoding, tuple[str, ...]]:
    """The encoding and the parts of `text`, which joined give it back; no escape or surrogate pair is ever cut in two."""
    encoding = encoding_of(text)
    return encoding, cut(text, encoding, reference_bits)


def cut(text: str, encoding: Encoding, reference_bits: ReferenceBits = 8) -> tuple[str, ...]:
    """The parts of `text` in an encoding that the caller chose and that can carry it."""
    if encoding == "gsm7":
        return _cut_gsm7(text, GSM7_PART_SEPTETS[reference_bits])
    return _cut_ucs2(text, UCS2_PART_UNITS[reference_bits])


def _cut_gsm7(text: str, part: int) -> tuple[str, ...]:
    if len(text) * 2 <= GSM7_SINGLE_SEPTETS:
        return (text,)
    septets = _with_escapes(text)
    if len(septets) <= GSM7_SINGLE_SEPTETS:
        return (text,)
    parts: list[str] = []
    start = 0
    while start < len(septets):
        end = start + part
        if septets[end - 1 : end] == ESCAPE:
            end -= 1
        parts.append(septets[start:end].replace(ESCAPE, ""))
        start = end
    return tuple(parts)


def _with_escapes(text: str) -> str:
    """`text` with an escape before each extension character: its length is then its cost in septets."""
    if _EXTENSION_CHARACTER.search(text):
        for character in _EXTENDED:
            text = text.replace(character, ESCAPE + character)
    return text


def _cut_ucs2(text: str, part: int) -> tuple[str, ...]:
    if len(text) * 2 <= UCS2_SINGLE_UNITS:
        return (text,)
    octets = text.encode("utf-16-be", "surrogatepass")
    if len(octets) <= 2 * UCS2_SINGLE_UNITS:
        return (text,)
    parts: list[str] = []
    start = 0
    while start < len(octets):
        end = start + 2 * part
        if end < len(octets) and _cuts_pair(octets, end):
            end -= 2
        parts.append(octets[start:end].decode("utf-16-be", "surrogatepass"))
        start = end
    return tuple(parts)


def _cuts_pair(octets: bytes, at: int) -> bool:
    """Whether the octet offset `at` lies between the two halves of a UTF-16 surrogate pair."""
    return octets[at - 2] & 0xFC == 0xD8 and octets[at] & 0xFC == 0xDC
