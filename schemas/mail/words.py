"""Text in header fields: encoded words made readable (RFC 2047, RFC 2231 section 5)."""

import binascii
import re
from typing import Final

from schemas.mail.charsets import decode

MAX_WORDS_OCTETS: Final = 64 * 1024

_WORD = re.compile(r"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[A-Za-z0-9-]{0,20})?\?([bBqQ])\?([^?\x00-\x1f]*)\?=")
_BETWEEN = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^ ?]{1,64}\?[bBqQ]\?)")
_SPACES = re.compile(r"[ \t\r\n]+")


def text(value: bytes) -> str:
    """The value of an unstructured field as text: one line, encoded words decoded; octets outside ASCII are read as UTF-8."""
    plain = _SPACES.sub(" ", decode(value[:MAX_WORDS_OCTETS], "")).strip()
    if "=?" not in plain:
        return plain
    parts: list[tuple[str, bytes]] = []
    at = 0
    joined = _BETWEEN.sub(r"\1", plain)
    for found in _WORD.finditer(joined):
        if found.start() > at:
            parts.append(("", joined[at : found.start()].encode()))
        octets = _octets(found[2], found[3])
        charset = found[1].lower()
        if parts and parts[-1][0] == charset and found.start() == at:
            parts[-1] = (charset, parts[-1][1] + octets)  # a character may be cut between two words
        else:
            parts.append((charset, octets))
        at = found.end()
    parts.append(("", joined[at:].encode()))
    return "".join(decode(octets, charset or "utf-8") for charset, octets in parts)


def _octets(encoding: str, encoded: str) -> bytes:
    """The octets of one word; those outside ASCII, which have no place in it, are taken as they stand."""
    octets = encoded.encode("cp1252", "ignore")
    if encoding in "qQ":
        return binascii.a2b_qp(octets, header=True)
    try:
        return binascii.a2b_base64(octets + b"==")
    except binascii.Error:
        return b""
