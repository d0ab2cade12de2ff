"""Values with parameters, as Content-Type and Content-Disposition have them (RFC 2045 section 5.1, RFC 2231)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from schemas.mail.charsets import decode
from schemas.mail.words import text

MAX_VALUE_OCTETS: Final = 8 * 1024
MAX_PARAMETERS: Final = 100

_PARAMETER = re.compile(r';\s{0,64}([^=;\s"]{1,128})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL)
_SECTION = re.compile(r"([^*]+)\*(?:(\d{1,3})(\*?))?$")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Valued:
    """`value` in lower case, and its parameters by their names in lower case."""

    value: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(raw: bytes) -> Valued:
    """What the value says; of two parameters with one name the first counts. What cannot be read is left out."""
    plain = decode(raw[:MAX_VALUE_OCTETS], "")
    value, semicolon, rest = plain.partition(";")
    parameters: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for found in list(_PARAMETER.finditer(semicolon + rest))[:MAX_PARAMETERS]:
        name = found[1].lower()
        written = found[3].strip() if found[2] is None else _ESCAPED.sub(r"\1", found[2])
        section = _SECTION.fullmatch(name)
        if section is None:
            parameters.setdefault(name, text(written.encode()) if "=?" in written else written)
            continue
        number = int(section[2] or 0)
        encoded = section[2] is None or section[3] == "*"
        sections.setdefault(section[1], {}).setdefault(number, (encoded, written))
    for name, found_sections in sections.items():
        parameters[name] = _joined(found_sections)
    return Valued(value.partition("(")[0].strip().lower(), parameters)


def _joined(sections: Mapping[int, tuple[bool, str]]) -> str:
    """The pieces of a long value in their order; the first one names the charset (RFC 2231 section 4.1)."""
    charset, octets = "", b""
    for number in sorted(sections):
        encoded, piece = sections[number]
        if number == 0 and encoded and piece.count("'") >= 2:
            charset, _, piece = piece.split("'", 2)
        octets += unquote_to_bytes(piece) if encoded else piece.encode()
    return decode(octets, charset or "utf-8")
