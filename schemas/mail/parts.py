"""A message taken apart into its MIME parts, within limits that no message of a stranger passes (RFC 2045, RFC 2046)."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.mail.charsets import decode
from schemas.mail.fields import Header, MailError, split
from schemas.mail.parameters import Valued, parse

MAX_DEPTH: Final = 10
MAX_PARTS: Final = 500
MAX_BOUNDARY_CHARS: Final = 200
MAX_LOOKALIKES: Final = 10_000
"""Places of one multipart that begin like its boundary and are none."""

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_REST_OF_LINE = re.compile(rb"(--)?[ \t]*(?=\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `type` is `text/plain` in lower case, `body` as transferred; `children` of a multipart only."""

    header: Header
    type: str
    parameters: Valued
    disposition: Valued
    body: bytes
    children: tuple["Part", ...] = ()

    @property
    def is_multipart(self) -> bool:
        """Whether the part holds others."""
        return bool(self.children)

    @property
    def filename(self) -> str:
        """The name that the sender gave the part, empty for none. It is a stranger's text: never a path."""
        return self.disposition.parameters.get("filename") or self.parameters.parameters.get("name", "")

    def octets(self) -> bytes:
        """The content, its transfer encoding undone; never longer than what was transferred."""
        return _undone(self.body, self.header.first("content-transfer-encoding"))

    def text(self) -> str:
        """The content as text with LF line ends."""
        octets = self.octets().replace(b"\r\n", b"\n")
        return decode(octets, self.parameters.parameters.get("charset", "utf-8"))

    def leaves(self) -> Iterator["Part"]:
        """The parts that hold no others, in order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_parts(raw: bytes) -> Part:
    """The message in `raw`. A multipart without a part in it is a text; MailError for one too deep or with too many parts."""
    return _part(raw, "text/plain", 0, [0])


def _part(raw: bytes, default_type: str, depth: int, seen: list[int]) -> Part:
    seen[0] += 1
    if depth > MAX_DEPTH:
        raise MailError("5.6.0", "parts are nested too deeply")
    if seen[0] > MAX_PARTS:
        raise MailError("5.6.0", "there are too many parts")
    header, body = split(raw)
    content = parse(header.first("content-type"))
    kind = content.value if _TYPE.fullmatch(content.value) else default_type
    children: tuple[Part, ...] = ()
    boundary = content.parameters.get("boundary", "")
    if kind.startswith("multipart/") and 0 < len(boundary) <= MAX_BOUNDARY_CHARS:
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        pieces = _pieces(body, boundary.encode())
        children = tuple(_part(piece, default, depth + 1, seen) for piece in pieces)
    if kind.startswith("multipart/") and not children:
        kind = "text/plain"
    return Part(header, kind, content, parse(header.first("content-disposition")), body, children)


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What lies between the lines with the boundary; the last piece may lack its end (RFC 2046 section 5.1.1)."""
    delimiter = b"--" + boundary
    start, at, lookalikes = -1, body.find(delimiter), 0
    while at >= 0:
        rest = _REST_OF_LINE.match(body, at + len(delimiter))
        if rest is None or not (at == 0 or body.startswith(b"\n", at - 1)):
            at = body.find(delimiter, at + len(delimiter))
            lookalikes += 1
            if lookalikes > MAX_LOOKALIKES:
                raise MailError("5.6.0", "too much looks like the boundary of a part")
            continue
        if start >= 0:
            yield _without_line_end(body[start : max(start, _before_line_end(body, at))])
        if rest[1]:
            return
        start = rest.end()
        at = body.find(delimiter, start)
    if start >= 0:
        yield _without_line_end(body[start:])


def _before_line_end(body: bytes, at: int) -> int:
    """Where the line before `at` ends: its line end belongs to the boundary."""
    return at - 2 if body.startswith(b"\r\n", max(at - 2, 0)) and at >= 2 else at - 1


def _without_line_end(piece: bytes) -> bytes:
    """Without the end of the boundary's own line."""
    return piece[2:] if piece.startswith(b"\r\n") else piece[1:] if piece.startswith(b"\n") else piece


def _undone(body: bytes, encoding: bytes) -> bytes:
    match encoding.strip().lower():
        case b"base64":
            try:
                return binascii.a2b_base64(body)
            except binascii.Error:
                return _base64_so_far(body)
        case b"quoted-printable":
            return binascii.a2b_qp(body)
        case _:
            return body


def _base64_so_far(body: bytes) -> bytes:
    """What can be read of a base64 text whose end is missing."""
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
    usable = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(usable + b"=" * (-len(usable) % 4))
