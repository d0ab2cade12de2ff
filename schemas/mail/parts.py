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

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_HEADER_END = re.compile(rb"\n\r?\n")
_BASE64_BEGIN = re.compile(rb"[A-Za-z0-9+/=\s]{0,76}(?:[A-Za-z0-9+/=\s]|\Z)")


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
        """Whether the part is made of others, be there none."""
        return self.type.startswith("multipart/")

    @property
    def filename(self) -> str:
        """The name that the sender gave the part, empty for none. It is a stranger's text: never a path."""
        return self.disposition.parameters.get("filename") or self.parameters.parameters.get("name", "")

    def octets(self) -> bytes:
        """The content, its transfer encoding undone; never longer than what was transferred."""
        return _undone(self.body, self._encoding)

    @property
    def is_damaged(self) -> bool:
        """Whether the content is not what its header says, so that it can only be shown as it came."""
        if self._encoding == b"base64" and not _BASE64_BEGIN.match(self.body):
            return True
        return self.type == "message/rfc822" and not split(self.octets().lstrip())[0].fields

    @property
    def _encoding(self) -> bytes:
        return self.header.last("content-transfer-encoding").strip().lower()

    def text(self) -> str:
        """The content as text with LF line ends."""
        octets = self.octets().replace(b"\r\n", b"\n")
        return decode(octets, self.parameters.parameters.get("charset", "utf-8"))

    def leaves(self) -> Iterator["Part"]:
        """The parts that hold no others, in order."""
        if not self.is_multipart:
            yield self
        for child in self.children:
            yield from child.leaves()

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_parts(raw: bytes) -> Part:
    """The message in `raw`; a multipart without a line with its boundary is a text.

    Raises MailError for one too deep or with too many parts.
    """
    part, _ = _Reading(b"\n" + raw).part(1, "text/plain", ())
    return part


@dataclass(frozen=True, slots=True)
class _Delimiter:
    """A line with the boundary of the multipart at this `level` (0 is the outermost)."""

    begin: int
    end: int
    level: int
    closing: bool


@dataclass(slots=True)
class _Reading:
    """A walk over the octets of a message, which begin with a line end that is not theirs."""

    octets: bytes
    parts: int = 0

    def part(self, begin: int, default_type: str, open_ones: tuple[bytes, ...]) -> tuple[Part, _Delimiter | None]:
        """The part at `begin`, and the delimiter behind it: of the innermost of the open multiparts that has one there."""
        self.parts += 1
        if len(open_ones) > MAX_DEPTH:
            raise MailError("5.6.0", "parts are nested too deeply")
        if self.parts > MAX_PARTS:
            raise MailError("5.6.0", "there are too many parts")
        after = self._next(begin, open_ones)
        header, body = split(self.octets[begin : self._end(begin, after)])
        content = parse(header.last("content-type"))
        kind = content.value if _TYPE.fullmatch(content.value) else default_type
        children: tuple[Part, ...] = ()
        boundary = content.parameters.get("boundary", "").rstrip()
        if kind.startswith("multipart/") and 0 < len(boundary) <= MAX_BOUNDARY_CHARS:
            default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            body_at = self._end(begin, after) - len(body)
            inner = (*open_ones, boundary.encode())
            first = self._next(body_at, inner)
            if first is not None and first.level == len(open_ones):
                children, after = self._children(first, default, inner)
                body = self.octets[body_at : self._end(body_at, after)]
            else:
                kind = "text/plain"
        elif kind.startswith("multipart/"):
            kind = "text/plain"
        return Part(header, kind, content, parse(header.last("content-disposition")), body, children), after

    def _children(
        self, found: _Delimiter | None, default_type: str, open_ones: tuple[bytes, ...]
    ) -> tuple[tuple[Part, ...], _Delimiter | None]:
        """The parts from a line with the last boundary on, and the delimiter of an outer multipart that ends them.

        What has not even an end of its header is no part. The closing line may be missing: an outer one closes too.
        """
        level = len(open_ones) - 1
        children: list[Part] = []
        while found is not None and found.level == level and not found.closing:
            begin = found.end
            child, found = self.part(begin, default_type, open_ones)
            if _HEADER_END.search(self.octets, begin - 1, len(self.octets) if found is None else found.begin + 1):
                children.append(child)
        if found is not None and found.level == level:
            found = self._next(found.end, open_ones[:-1])
        return tuple(children), found

    def _next(self, at: int, open_ones: tuple[bytes, ...]) -> _Delimiter | None:
        """The next line that begins with an open boundary, the innermost first (RFC 2046 section 5.1.1: the rest may be any)."""
        if not open_ones:
            return None
        either = b"|".join(re.escape(one) for one in reversed(open_ones))
        found = re.compile(b"\n--(?:" + either + b")").search(self.octets, at - 1)
        if found is None:
            return None
        level = max(level for level, one in enumerate(open_ones) if found[0] == b"\n--" + one)
        line_end = self.octets.find(b"\n", found.end())
        end = len(self.octets) if line_end < 0 else line_end + 1
        return _Delimiter(found.start(), end, level, self.octets.startswith(b"--", found.end()))

    def _end(self, begin: int, after: _Delimiter | None) -> int:
        """Where a part ends: the line end before a delimiter belongs to the delimiter."""
        if after is None:
            return len(self.octets)
        return max(begin, after.begin - self.octets.startswith(b"\r", after.begin - 1))


def _undone(body: bytes, encoding: bytes) -> bytes:
    match encoding:
        case b"base64" if _BASE64_BEGIN.match(body):
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
