"""The mailboxes of an address field: display names, comments and groups told apart (RFC 5322 section 3.4)."""

import re
from dataclasses import dataclass, field
from typing import Final

from schemas.mail.charsets import decode
from schemas.mail.words import text

MAX_OCTETS: Final = 64 * 1024
MAX_MAILBOXES: Final = 1_000

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|[^"\\(),<>:;]+|.', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class _Reading:
    """One mailbox as far as it has been read; `angle` is None until its `<`."""

    display: list[str] = field(default_factory=list)
    angle: list[str] | None = None
    found: list[tuple[str, str]] = field(default_factory=list)

    def end(self) -> None:
        """A mailbox ends here, if there was one."""
        if self.angle is not None:
            address = _SPACES.sub("", "".join(self.angle))
            if address.startswith("@") and ":" in address:
                address = address.partition(":")[2]  # a source route (section 4.4)
            name = "".join(self.display)
        else:
            name, address = "", _SPACES.sub("", "".join(self.display))
        if "@" in address and len(self.found) < MAX_MAILBOXES:
            self.found.append((_readable(name), address))
        self.display, self.angle = [], None


def addresses(value: bytes) -> tuple[tuple[str, str], ...]:
    """(display name, addr-spec) of every mailbox in the value of a field; what is none is left out."""
    reading = _Reading()
    depth, inside = 0, False
    for piece in _TOKEN.findall(decode(value[:MAX_OCTETS], "")):
        if piece == "(":
            depth += not inside
        elif depth:
            depth -= piece == ")"
        elif piece == "<" and reading.angle is None:
            reading.angle, inside = [], True
        elif piece == ">":
            inside = False
        elif inside:
            (reading.angle if reading.angle is not None else reading.display).append(piece)
        elif piece in ",;":
            reading.end()
        elif piece == ":":
            reading.display = []
        elif reading.angle is None:
            reading.display.append(piece)
    reading.end()
    return tuple(reading.found)


def _readable(name: str) -> str:
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = _ESCAPED.sub(r"\1", name[1:-1])
    return text(name.encode())
