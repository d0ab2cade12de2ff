"""The disk of one partition on one machine: what was written stays, and a process may die just before or after a write."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tables.store import Store, Write


@dataclass(frozen=True, slots=True)
class Disk:
    """Implements `tables.store.Store` over one that outlives the process; `strike` may raise CrashError."""

    kept: Store
    strike: Callable[[Literal["applying", "applied"]], None]

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        return self.kept.get(key)

    def write(self, writes: Sequence[Write]) -> None:
        """See Store."""
        self.strike("applying")
        self.kept.write(writes)
        self.strike("applied")

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store."""
        return self.kept.scan(prefix)

    def checkpoint(self) -> dict[str, int]:
        """See Store."""
        return self.kept.checkpoint()

    def set_checkpoint(self, offsets: Mapping[str, int]) -> None:
        """See Store."""
        self.kept.set_checkpoint(offsets)

    def close(self) -> None:
        """See Store; what was written stays."""
