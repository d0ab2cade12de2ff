"""Which offsets may be committed when work on a partition ends out of order: all before the oldest that is still at work."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """The records of one partition that are at work, in the order in which they came."""

    _open: dict[int, None] = field(default_factory=dict)
    _next: int = 0

    def begin(self, offset: int) -> None:
        """A record has been read."""
        self._open[offset] = None
        self._next = offset + 1

    def end(self, offset: int) -> None:
        """All that the record asked for is durable."""
        self._open.pop(offset, None)

    @property
    def at_work(self) -> int:
        """How many records are not done."""
        return len(self._open)

    @property
    def committable(self) -> int:
        """The offset to commit: nothing before it is still at work."""
        return next(iter(self._open), self._next)
