"""The machine's part of a delivery report: what it says of each recipient (RFC 3464)."""

import re
from dataclasses import dataclass
from typing import Final

from schemas.mail.fields import Header, split
from schemas.mail.parts import Part
from schemas.mail.words import text

MAX_RECIPIENTS: Final = 100
MAX_OCTETS: Final = 256 * 1024
MAX_DIAGNOSTIC_CHARS: Final = 4_000
MAX_TYPE_CHARS: Final = 20
A_PROGRAM: Final = "x-unix"
"""The type of what a program on the mail host said: it stays before the text, for it tells that no server spoke."""
STATUS_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")

_GROUP_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ADDRESS = re.compile(r"<?([^<>\s;,]+@[^<>\s;,]+)>?")


@dataclass(frozen=True, slots=True)
class Told:
    """The fields of one recipient; empty for those that are not there. `status` as in RFC 3463."""

    recipient: str
    original: str
    action: str
    status: str
    diagnostic: str


def told_of(part: Part) -> tuple[Told, ...]:
    """What a part of one of STATUS_TYPES says of its recipients."""
    return read_groups(part.octets())


def read_groups(octets: bytes) -> tuple[Told, ...]:
    """The first groups of fields that name a recipient; other groups are about the message."""
    told: list[Told] = []
    for group in _GROUP_END.split(octets[:MAX_OCTETS].strip()):
        fields, _ = split(group.lstrip())
        recipient, original = _address(fields, "final-recipient"), _address(fields, "original-recipient")
        if (recipient or original) and len(told) < MAX_RECIPIENTS:
            told.append(_told(fields, recipient or original, original))
    return tuple(told)


def _told(fields: Header, recipient: str, original: str) -> Told:
    status = _STATUS.search(text(fields.first("status")))
    diagnostic = text(fields.first("diagnostic-code"))[:MAX_DIAGNOSTIC_CHARS]
    kind, semicolon, said = diagnostic.partition(";")
    typed = bool(semicolon) and len(kind) <= MAX_TYPE_CHARS and " " not in kind.strip()
    return Told(
        recipient,
        original,
        text(fields.first("action")).lower().partition(" ")[0],
        status[0] if status else "",
        said.strip() if typed and kind.strip().lower() != A_PROGRAM else diagnostic,
    )


def _address(fields: Header, name: str) -> str:
    found = _ADDRESS.search(text(fields.first(name)).partition(";")[2] or text(fields.first(name)))
    return found[1] if found else ""
