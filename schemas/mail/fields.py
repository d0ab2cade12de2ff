"""The header of a message as it is on the wire: its fields in order, and where the body begins (RFC 5322 section 2)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_FIELDS: Final = 1_000
MAX_HEADER_OCTETS: Final = 256 * 1024
"""What is read of a header; a limit on what may be handed in is for the way in to set."""

_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")


class MailError(ValueError):
    """A message that is not read; `code` is the enhanced status code that says why (RFC 3463)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `name` in lower case, `raw` with its folds and without its last line end, as a signature covers it."""

    name: str
    raw: bytes

    @property
    def value(self) -> bytes:
        """What stands behind the colon, unfolded and trimmed."""
        return _FOLD.sub(b"", self.raw.partition(b":")[2]).strip()


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of one header, in order."""

    fields: tuple[Field, ...]

    def all(self, name: str) -> Iterator[bytes]:
        """The values of every field of that name (lower case), the first one first."""
        return (field.value for field in self.fields if field.name == name)

    def first(self, name: str) -> bytes:
        """The value of the first field of that name (lower case), empty for none."""
        return next(self.all(name), b"")

    def last(self, name: str) -> bytes:
        """The value of the last field of that name (lower case), empty for none: the one that a signature covers."""
        return next((field.value for field in reversed(self.fields) if field.name == name), b"")

    def count(self, name: str) -> int:
        """How many fields have that name (lower case)."""
        return sum(field.name == name for field in self.fields)


def split(raw: bytes) -> tuple[Header, bytes]:
    """The header and the body of `raw`; lines may end in CRLF or LF. What is no field is left out, as readers do.

    Raises MailError: more than MAX_FIELDS fields, or a header of more than MAX_HEADER_OCTETS.
    """
    end, body_at = _end_of_header(raw)
    if end > MAX_HEADER_OCTETS:
        raise MailError("5.3.4", "the header is too large")
    fields: list[Field] = []
    lines: list[bytes] = []
    for line in raw[:end].split(b"\n"):
        if line[:1] in (b" ", b"\t") and lines:
            lines.append(line)
            continue
        _keep(fields, lines)
        lines = [line]
    _keep(fields, lines)
    return Header(tuple(fields)), raw[body_at:]


def _end_of_header(raw: bytes) -> tuple[int, int]:
    """Where the header ends and where the body begins: behind the first empty line."""
    if raw.startswith(b"\n"):
        return 0, 1
    if raw.startswith(b"\r\n"):
        return 0, 2
    crlf, lf = raw.find(b"\n\r\n"), raw.find(b"\n\n")
    if crlf < 0 and lf < 0:
        return len(raw), len(raw)
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf, crlf + 3
    return lf, lf + 2


def _keep(fields: list[Field], lines: list[bytes]) -> None:
    if not lines:
        return
    raw = b"\n".join(lines).removesuffix(b"\r")
    found = _NAME.match(raw)
    if found is None:
        return
    if len(fields) >= MAX_FIELDS:
        raise MailError("5.6.0", "the header has too many fields")
    fields.append(Field(found[1].decode("ascii").lower(), raw))
