"""A clock that only moves when it is told to wait, and a process whose fate the test decides."""

from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.errors import LocalStackError


@dataclass(slots=True)
class FakeClock:
    """Virtual milliseconds; what is planned for a moment happens when time passes it."""

    now: int = 0
    planned: list[tuple[int, Callable[[], None]]] = field(default_factory=list)

    def now_ms(self) -> int:
        return self.now

    def sleep_ms(self, wait_ms: int) -> None:
        self.now += wait_ms
        due = [plan for plan in self.planned if plan[0] <= self.now]
        self.planned = [plan for plan in self.planned if plan[0] > self.now]
        for _, act in due:
            act()

    def plan(self, at_ms: int, act: Callable[[], None]) -> None:
        self.planned.append((at_ms, act))


@dataclass(slots=True)
class FakeProcess:
    """Starts as often as asked; leaves `leaves_after_ms` after being asked to, or never when that is None."""

    name: str
    clock: FakeClock
    diary: list[str]
    leaves_after_ms: int | None = 0
    serves_after_ms: int = 0
    refuses: str | None = None
    starts: int = 0
    _status: int | None = None
    _runs: bool = False
    _started_ms: int = 0

    @property
    def pid(self) -> int | None:
        return 1000 + self.starts if self._runs else None

    def start(self) -> None:
        self.starts += 1
        if self.refuses:
            raise LocalStackError(self.refuses)
        self._runs, self._status, self._started_ms = True, None, self.clock.now
        self.diary.append(f"start {self.name}")

    def is_ready(self) -> bool:
        return self._runs and self.clock.now - self._started_ms >= self.serves_after_ms

    def poll(self) -> int | None:
        return self._status

    def exit(self, status: int) -> None:
        if self._runs:
            self._runs, self._status = False, status
            self.diary.append(f"end {self.name} {status}")

    def terminate(self) -> None:
        self.diary.append(f"ask {self.name}")
        if self.leaves_after_ms is not None:
            self.clock.plan(self.clock.now + self.leaves_after_ms, lambda: self.exit(0))

    def kill(self) -> None:
        self.exit(-9)

    def stop(self, grace_ms: int) -> None:
        self.exit(0)

    def last_words(self, lines: int = 20) -> tuple[str, ...]:
        return (f"{self.name} said goodbye",)
