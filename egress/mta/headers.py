"""Header field bodies as bytes: folded, encoded (RFC 2047), and never able to start another field."""

import base64
import re

from egress.mta.mailbox import Mailbox

FOLD_AT = 76
MAX_LINE_BYTES = 998

# C0, DEL, C1 and the Unicode line separators: whatever any reader could take for the end of a line.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NAME_AND_ADDRESS = re.compile(r"\s*([^<>]*?)\s*<([\x21-\x3b\x3d\x3f-\x7e]+)>\s*")
_ENCODED_WORD_BYTES = 39  # 52 characters of base64, 64 with the frame: a line stays under 76 (RFC 2047 section 2)


class HeaderError(ValueError):
    """The value cannot be written as this field."""


def clean(text: str) -> str:
    """`text` with each run of control characters and line separators made one space, and no space at its ends."""
    if not (text.isascii() and text.isprintable()):
        text = _CONTROLS.sub(" ", text)
    return text.strip()


def unstructured(name: str, text: str) -> bytes:
    """The body of a free-text field: as it is when it is plain ASCII, in encoded words otherwise (RFC 2047 section 5)."""
    value = clean(text)
    if not value:
        return b""
    if _PLAIN.fullmatch(value) and "=?" not in value:
        lines = _fold(len(name) + 2, value)
        if lines is not None:
            return lines
    return encoded_words(value)


def structured(name: str, text: str) -> bytes:
    """The body of a field with a grammar: ASCII only, white space collapsed and folded there.

    A display name before one `<address>` may be any text. Raises HeaderError for other text outside ASCII and for a word
    too long for a line.
    """
    value = " ".join(clean(text).split())
    if not value.isascii():
        match = _NAME_AND_ADDRESS.fullmatch(value)
        if match is None:
            raise HeaderError(f"{name} must be ASCII")
        return phrase(match[1]) + b"\r\n <" + match[2].encode("ascii") + b">"
    lines = _fold(len(name) + 2, value)
    if lines is None:
        raise HeaderError(f"{name} has a word longer than a line")
    return lines


def mailbox(name: str, display: str, address: Mailbox) -> bytes:
    """The body of From or To: `display <address>`, or the bare address without a display name (RFC 5322 section 3.4)."""
    bare = str(address).encode()
    words = phrase(display)
    if not words:
        return bare
    used = len(name) + 2 + len(words.rpartition(b"\r\n")[2])
    gap = b" <" if used + len(bare) + 3 <= FOLD_AT else b"\r\n <"
    return words + gap + bare + b">"


def phrase(display: str) -> bytes:
    """A display name: atoms, a quoted string, or encoded words, whichever it needs."""
    value = clean(display)
    if not value:
        return b""
    if len(value) <= FOLD_AT // 2 and value.isascii() and "=?" not in value:
        if _ATOMS.fullmatch(value):
            return value.encode("ascii")
        if '"' not in value and "\\" not in value:
            return f'"{value}"'.encode("ascii")
    return encoded_words(value)


def encoded_words(text: str) -> bytes:
    """`text` as UTF-8 base64 encoded words, one a line, each whole in its characters (RFC 2047 sections 2 and 5)."""
    words: list[bytes] = []
    chunk = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(chunk) + len(octets) > _ENCODED_WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += octets
    words.append(chunk)
    return b"\r\n ".join(b"=?utf-8?b?" + base64.b64encode(word) + b"?=" for word in words)


def _fold(used: int, value: str) -> bytes | None:
    """`value` broken before spaces so that lines stay near 76, None when one word alone passes the limit of a line."""
    raw = value.encode("ascii")
    if used + len(raw) <= FOLD_AT:
        return raw
    lines: list[bytes] = []
    line = b""
    for word in raw.split(b" "):
        if len(word) + used + 1 > MAX_LINE_BYTES:
            return None
        if line and used + len(line) + 1 + len(word) > FOLD_AT:
            lines.append(line)
            line, used = word, 1
        else:
            line = line + b" " + word if line else word
    lines.append(line)
    return b"\r\n ".join(lines)
