"""The two canonical forms of a header field and of a body (RFC 6376 section 3.4); lines end in CRLF."""

import re

_BLANKS = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r?\n")
_MANY_LINES = b"\r\n" * 4_096


def simple_field(raw: bytes) -> bytes:
    """A field as it is, with its line end."""
    return raw + b"\r\n"


def relaxed_field(raw: bytes) -> bytes:
    """A field with its name in lower case, unfolded, each run of white space one space."""
    name, _, value = raw.partition(b":")
    return name.strip().lower() + b":" + _BLANKS.sub(b" ", _FOLD.sub(b"", value)).strip() + b"\r\n"


def simple_body(body: bytes) -> bytes:
    """A body without the empty lines at its end; an empty one is one line end."""
    return _one_line_end(body) or b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """A body with each run of white space one space, none before a line end, no empty lines at its end."""
    squeezed = body.replace(b"\t", b" ")
    while b"  " in squeezed:  # each turn halves the runs: quicker than a pattern on a large body
        squeezed = squeezed.replace(b"  ", b" ")
    return _one_line_end(squeezed.replace(b" \r\n", b"\r\n"))


def _one_line_end(body: bytes) -> bytes:
    end = len(body)
    for lines in (_MANY_LINES, b"\r\n"):  # a stranger may send nothing but line ends
        while body.endswith(lines, 0, end):
            end -= len(lines)
    return body[:end] + b"\r\n" if end else b""
