"""SMTP replies: read from bytes within limits, and told apart (RFC 5321 section 4.2, RFC 2034, RFC 3463)."""

import re
from dataclasses import dataclass

MAX_LINE_BYTES = 2_048  # RFC 5321 section 4.5.3.1.5 says 512; peers are wordier
MAX_LINES = 100
MAX_DETAIL_CHARS = 500
MAX_RETRY_AFTER_MS = 24 * 3_600_000
MAX_QUEUE_ID_CHARS = 128

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -]|(?![0-9]))(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"^([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ :]+|$)")
_INSIDE = re.compile(r"(?<![\w.#])([245]\.[0-7]\.[0-9]{1,3})(?![\w.])")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_QUEUE_ID = re.compile(
    r"(?:queued(?: mail)? as|InternalId=|\bid=|queue id:?)\s*<?([A-Za-z0-9][A-Za-z0-9._@+-]*)", re.IGNORECASE
)
_WAIT = re.compile(
    r"(?:try again|retry|wait|come back|greylist\w*|deferred|resend)\b[^0-9]{0,40}"
    r"(\d{1,6})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|h)\b",
    re.IGNORECASE,
)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


class ReplyError(ValueError):
    """What came is no SMTP reply, or passes a limit."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its three digits and the text of its lines, printable ASCII."""

    code: int
    lines: tuple[str, ...]

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 later, 5 never."""
        return self.code // 100

    @property
    def enhanced(self) -> str:
        """The enhanced status code whose class agrees with the reply: at the start of a line, else anywhere; empty for none."""
        at_start = (match[1] for line in self.lines if (match := _ENHANCED.match(line)))
        first = next((code for code in at_start if int(code[0]) == self.kind), "")
        if first or self.kind not in (4, 5):
            return first
        return next((code for code in _INSIDE.findall(self.detail) if int(code[0]) == self.kind), "")

    @property
    def best_code(self) -> str:
        """The most telling code there is: `5.1.1`, or `550` without an enhanced one."""
        return self.enhanced or str(self.code)

    @property
    def detail(self) -> str:
        """The code and the text on one line, trimmed; safe to store and to show. A status that lines repeat is said once."""
        first, *rest = self.lines
        text = " ".join([first, *(_ENHANCED.sub("", line, 1) for line in rest)])
        return f"{self.code} {text}".strip()[:MAX_DETAIL_CHARS]

    @property
    def queue_id(self) -> str:
        """The peer's own name for the message it took, empty when it gave none."""
        match = _QUEUE_ID.search(self.detail)
        return match[1].rstrip(".")[:MAX_QUEUE_ID_CHARS] if match else ""

    @property
    def retry_after_ms(self) -> int:
        """How long the text asks us to wait, zero when it does not say."""
        match = _WAIT.search(self.detail)
        return min(int(match[1]) * _UNIT_MS[match[2][0].lower()], MAX_RETRY_AFTER_MS) if match else 0


class ReplyParser:
    """Turns the bytes of a connection into replies; raises ReplyError once and is then of no more use."""

    def __init__(self) -> None:
        self._buffer = b""
        self._code = 0
        self._lines: list[str] = []

    @property
    def pending(self) -> bool:
        """Whether part of a reply has been read."""
        return bool(self._buffer or self._lines)

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes."""
        *whole, self._buffer = (self._buffer + data).split(b"\n")
        replies: list[Reply] = []
        for line in whole:
            reply = self._line(line.removesuffix(b"\r"))
            if reply is not None:
                replies.append(reply)
        if len(self._buffer) > MAX_LINE_BYTES:
            raise ReplyError("reply line too long")
        return replies

    def _line(self, line: bytes) -> Reply | None:
        if len(line) > MAX_LINE_BYTES:
            raise ReplyError("reply line too long")
        match = _LINE.fullmatch(line)
        if match is None:
            raise ReplyError("not an SMTP reply")
        code = int(match[1])
        if not self._lines and match[2] == b"" and match[3]:
            raise ReplyError("not an SMTP reply")
        if self._lines and code // 100 != self._code // 100:
            raise ReplyError("the lines of a reply disagree")
        self._code = code
        text = match[3] or b""
        if match[2] == b"":
            text = text.lstrip(b",")  # `550,5.1.1 text` goes on a reply at some hosts
        self._lines.append(_UNPRINTABLE.sub(" ", text.decode("latin-1")).strip())
        if match[2] == b"-":
            if len(self._lines) >= MAX_LINES:
                raise ReplyError("reply has too many lines")
            return None
        lines, self._lines = tuple(self._lines), []
        return Reply(code, lines)
