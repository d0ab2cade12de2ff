"""A clock that a test moves."""

from dataclasses import dataclass


@dataclass
class FakeClock:
    """Milliseconds."""

    now_ms: int = 1_000_000

    def __call__(self) -> int:
        return self.now_ms
