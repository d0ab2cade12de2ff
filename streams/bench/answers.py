"""The answers on a kept-alive HTTP/1.1 connection (RFC 9112), split at the least cost: what our gateway sends, no more."""

from typing import Final, NamedTuple

MAX_HEAD_OCTETS: Final = 16 * 1024
MAX_BODY_OCTETS: Final = 16 * 1024 * 1024
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_RETRY_AFTER: Final = b"\r\nretry-after:"


class Answer(NamedTuple):
    """One answer; `retry_after` says whether it had that header."""

    status: int
    body: bytes
    retry_after: bool


class NoAnswerError(ValueError):
    """The octets are no answer with a Content-Length."""


class Answers:
    """Cuts a stream of octets into answers."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._body_at = 0
        self._body_octets = 0
        self._retry_after = False

    def feed(self, data: bytes) -> list[Answer]:
        """Each answer that `data` completes; NoAnswerError."""
        self._data += data
        found: list[Answer] = []
        while self._body_at or self._head():
            end = self._body_at + self._body_octets
            if len(self._data) < end:
                break
            found.append(Answer(int(self._data[9:12]), bytes(self._data[self._body_at : end]), self._retry_after))
            del self._data[:end]
            self._body_at = 0
        return found

    def _head(self) -> bool:
        """Read the head if it is whole."""
        end = self._data.find(_END)
        if end < 0:
            if len(self._data) > MAX_HEAD_OCTETS:
                raise NoAnswerError("the head of an answer does not end")
            return False
        head = bytes(self._data[: end + 2]).lower()
        at = head.find(_LENGTH)
        length = head[at + len(_LENGTH) : head.find(b"\r\n", at + 2)].strip() if at >= 0 else b""
        if not head.startswith(b"http/1.1 ") or not head[9:12].isdigit() or not length.isdigit():
            raise NoAnswerError(f"no answer with a length: {head[:40]!r}")
        if int(length) > MAX_BODY_OCTETS:
            raise NoAnswerError(f"an answer of {int(length)} octets")
        self._body_at, self._body_octets, self._retry_after = end + len(_END), int(length), _RETRY_AFTER in head
        return True
