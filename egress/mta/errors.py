"""What can go wrong between us and a peer, as exceptions that carry the code of the outcome."""

from egress.mta.replies import Reply
from egress.mta.tls_report import ResultType


class ConfigError(ValueError):
    """The configuration cannot work; its text says which part of it."""


class RouteError(Exception):
    """No host can be asked to take the mail: `code` is an enhanced status code (RFC 3463), `permanent` as it says.

    `reply` is the peer's own, when it was a peer that refused.
    """

    def __init__(
        self, code: str, detail: str, *, permanent: bool, retry_after_ms: int = 0, reply: Reply | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.permanent = permanent
        self.retry_after_ms = retry_after_ms
        self.reply = reply


class WireError(Exception):
    """The connection is of no more use: lost, too slow, or no SMTP; `lost` tells the first of them from the others."""

    def __init__(self, code: str, detail: str, *, lost: bool = False) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.lost = lost


class TlsError(Exception):
    """TLS could not be had: not offered, refused, or the handshake or the certificate failed; `result` as a report says it."""

    def __init__(self, code: str, detail: str, result: ResultType = "validation-failure") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.result = result


class StaleError(Exception):
    """A reused connection turned out to be closed before it answered anything of this mail: take another."""
