"""A caller and a time for unit tests of the SMPP server."""

from datetime import UTC, datetime

from domain.tenant import ApiKey
from ingress.smpp.caller import Caller
from ingress.smpp.settings import AccountProfile

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
CALLER = Caller(ApiKey("key-1", "acme", "smpp", ("send",)), "acme", 0x34, AccountProfile())


class Clock:
    """Milliseconds that move when they are told to."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms
