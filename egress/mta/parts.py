"""The body of a mail as MIME parts: texts, pictures that the HTML shows, files (RFC 2045, RFC 2046, RFC 2387)."""

import base64
import binascii
import re
from collections.abc import Sequence
from hashlib import blake2b
from urllib.parse import quote

from egress.mta.extras import MAX_ATTACHED_BYTES, MAX_ATTACHMENTS, Attachment
from egress.mta.headers import MAX_LINE_BYTES, clean

MAX_NAME_CHARS = 200

Field = tuple[bytes, bytes]
Part = tuple[list[Field], bytes]
"""The Content fields and the body, CRLF lines of seven bits."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_NOT_7BIT = re.compile(rb"[^\t\n\x20-\x7e]")
_MEDIA_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,120}(?:@[A-Za-z0-9.-]{1,120})?")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 ._()+-]{1,60}")


class PartError(ValueError):
    """It cannot be a part; the text says why."""


def body_of(text: str, html: str, attachments: Sequence[Attachment]) -> Part:
    """One part, or a tree of them: files in mixed, the plainest first in alternative, pictures related to the HTML.

    Raises PartError.
    """
    _check(attachments)
    pictures = [_file(one) for one in attachments if one.content_id and html]
    files = [_file(one) for one in attachments if not (one.content_id and html)]
    body = text_part(b"text/plain", text) if text or not html else None
    if html:
        shown = text_part(b"text/html", html)
        if pictures:
            shown = _multipart(b"related", [shown, *pictures], b'; type="text/html"')
        body = _multipart(b"alternative", [body, shown]) if body is not None else shown
    if body is None:
        raise PartError("nothing to say")
    return _multipart(b"mixed", [body, *files]) if files else body


def text_part(media_type: bytes, text: str) -> Part:
    """A part of text: 7bit when it may, quoted-printable when mostly ASCII, else base64."""
    raw = _LINE_END.sub(b"\n", text.encode("utf-8", "replace"))
    if raw and not raw.endswith(b"\n"):
        raw += b"\n"
    encoding, charset, body = _encode(raw)
    return [(b"Content-Type", media_type + b"; charset=" + charset), (b"Content-Transfer-Encoding", encoding)], body


def _encode(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """(encoding, charset, body) of LF lines."""
    if raw.isascii() and not _NOT_7BIT.search(raw):
        odd = 0
        if max(map(len, raw.split(b"\n"))) <= MAX_LINE_BYTES:
            return b"7bit", b"us-ascii", raw.replace(b"\n", b"\r\n")
    else:
        odd = len(_NOT_7BIT.findall(raw))
    if odd * 6 <= len(raw):
        return b"quoted-printable", b"utf-8", binascii.b2a_qp(raw, istext=True).replace(b"\n", b"\r\n")
    crlf = raw.replace(b"\n", b"\r\n")
    return b"base64", b"utf-8", base64.encodebytes(crlf).replace(b"\n", b"\r\n")


def _multipart(kind: bytes, parts: Sequence[Part], parameters: bytes = b"") -> Part:
    digest = blake2b(kind, digest_size=16)
    for _, body in parts:
        digest.update(body)
    # "=_" occurs in no quoted-printable or base64 line, and no seven-bit text can hold its own digest.
    boundary = b"=_" + digest.hexdigest().encode("ascii")
    pieces: list[bytes] = []
    for fields, body in parts:
        pieces += (b"--", boundary, b"\r\n")
        pieces += [name + b": " + value + b"\r\n" for name, value in fields]
        pieces += (b"\r\n", body, b"\r\n")
    pieces += (b"--", boundary, b"--\r\n")
    media_type = b"multipart/" + kind + parameters + b';\r\n boundary="' + boundary + b'"'
    return [(b"Content-Type", media_type)], b"".join(pieces)


def _file(one: Attachment) -> Part:
    name = _file_name(one.name)
    fields = [
        (b"Content-Type", one.media_type.lower().encode("ascii")),
        (b"Content-Transfer-Encoding", b"base64"),
        (b"Content-Disposition", (b"inline" if one.content_id else b"attachment") + name),
    ]
    if one.content_id:
        fields.append((b"Content-ID", b"<" + one.content_id.encode("ascii") + b">"))
    return fields, base64.encodebytes(one.content).replace(b"\n", b"\r\n")


def _file_name(name: str) -> bytes:
    """The parameter `filename`: quoted when plain, otherwise in UTF-8 and in pieces (RFC 2231 sections 3 and 4)."""
    name = clean(name).replace("/", "_").replace("\\", "_")[:MAX_NAME_CHARS]
    if not name:
        return b""
    if _PLAIN_NAME.fullmatch(name):
        return f';\r\n filename="{name}"'.encode("ascii")
    raw = "utf-8''" + quote(name, safe="")
    pieces: list[str] = []
    while raw:
        cut = 60 if len(raw) > 60 else len(raw)
        cut -= next((back for back in (1, 2) if raw[cut - back] == "%" and cut < len(raw)), 0)  # not inside %XX
        pieces.append(raw[:cut])
        raw = raw[cut:]
    if len(pieces) == 1:
        return f";\r\n filename*={pieces[0]}".encode("ascii")
    return "".join(f";\r\n filename*{at}*={piece}" for at, piece in enumerate(pieces)).encode("ascii")


def _check(attachments: Sequence[Attachment]) -> None:
    if len(attachments) > MAX_ATTACHMENTS:
        raise PartError("too many attachments")
    if sum(len(one.content) for one in attachments) > MAX_ATTACHED_BYTES:
        raise PartError("the attachments are too large")
    for one in attachments:
        if not _MEDIA_TYPE.fullmatch(one.media_type.lower()):
            raise PartError("an attachment has no media type that may be sent")
        if one.content_id and not _CONTENT_ID.fullmatch(one.content_id):
            raise PartError("bad Content-ID")
