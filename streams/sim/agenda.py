"""What will happen at which virtual moment, outside the pipeline."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Agenda:
    """Actions in the order of their moments; those of one moment in the order in which they were put down."""

    _heap: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def at(self, at_ms: int, action: Callable[[], None]) -> None:
        """Do this then."""
        self._count += 1
        heapq.heappush(self._heap, (at_ms, self._count, action))

    def next_ms(self) -> int | None:
        """The next moment at which something is to be done."""
        return self._heap[0][0] if self._heap else None

    def run(self, now_ms: int) -> bool:
        """Do everything that is due; whether there was anything."""
        done = False
        while self._heap and self._heap[0][0] <= now_ms:
            done = True
            heapq.heappop(self._heap)[2]()
        return done
