"""One watched process: when it is started, ready, given up and started again. Knows nothing of the others."""

from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.errors import LocalStackError
from deploy.local.events import Event
from deploy.local.server import LAST_WORDS_LINES, Process

BACKOFF_FIRST_MS = 200
BACKOFF_MOST_MS = 10_000
STEADY_AFTER_MS = 30_000
READY_WITHIN_MS = 60_000
BOOT_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """What a supervisor is to run.

    Attributes:
        name: unique.
        create: makes the process, not yet started; called again for each restart.
        after: names of entries that have to be ready before this one is started; they come earlier in the list.
        ready: says whether it serves, at once (a second at most); None: ready as soon as it runs.
        ready_within_ms: killed and started again when it is not ready by then.
    """

    name: str
    create: Callable[[], Process]
    after: tuple[str, ...] = ()
    ready: Callable[[], bool] | None = None
    ready_within_ms: int = READY_WITHIN_MS


def backoff_ms(failures: int) -> int:
    """Give the wait before the next start after `failures` in a row: 200 ms, doubled each time, 10 s at most."""
    return min(BACKOFF_FIRST_MS << min(failures - 1, 16), BACKOFF_MOST_MS)


@dataclass(slots=True)
class Watch:
    """The state of one entry.

    Either a process runs (`running`), ready or not yet, or none does and the next start is due at `due_ms`.
    """

    entry: Entry
    report: Callable[[Event], None]
    due_ms: int = 0
    process: Process | None = None
    running: bool = False
    ready: bool = False
    gave_up: bool = False
    _started_ms: int = field(default=0, repr=False)
    _failures: int = field(default=0, repr=False)
    _was_ready: bool = field(default=False, repr=False)

    @property
    def name(self) -> str:
        """The entry's name."""
        return self.entry.name

    def start(self, now_ms: int) -> None:
        """Start it; what keeps it from starting counts as a failure."""
        self._started_ms = now_ms
        try:
            self.process = self.entry.create()
            self.process.start()
        except (LocalStackError, OSError) as error:
            self.report(Event("failed", self.name, now_ms, last_words=(str(error),)))
            self._failed(now_ms)
            return
        self.running = True
        self.report(Event("started", self.name, now_ms, pid=self.process.pid))

    def look(self, now_ms: int) -> None:
        """Notice that it exited, got ready, is too slow, or has run long enough to forget its failures."""
        process = self.process
        if not self.running or process is None:
            return
        pid, status = process.pid, process.poll()
        elapsed_ms = now_ms - self._started_ms
        if status is not None:
            words = process.last_words(LAST_WORDS_LINES)
            if elapsed_ms >= STEADY_AFTER_MS:
                self._failures = 0
            self.running = self.ready = False
            self.report(Event("exited", self.name, now_ms, pid, status, elapsed_ms, last_words=words))
            self._failed(now_ms)
        elif not self.ready:
            if self.entry.ready is None or self.entry.ready():
                self.ready = self._was_ready = True
                self.report(Event("ready", self.name, now_ms, pid, elapsed_ms=elapsed_ms))
            elif elapsed_ms >= self.entry.ready_within_ms:
                words = process.last_words(LAST_WORDS_LINES)
                process.kill()  # its exit is noticed at the next look
                self.report(Event("too_slow", self.name, now_ms, pid, elapsed_ms=elapsed_ms, last_words=words))

    def _failed(self, now_ms: int) -> None:
        self._failures += 1
        if not self._was_ready and self._failures >= BOOT_ATTEMPTS:
            self.gave_up = True
            self.report(Event("gave_up", self.name, now_ms))
            return
        delay_ms = backoff_ms(self._failures)
        self.due_ms = now_ms + delay_ms
        self.report(Event("waiting", self.name, now_ms, delay_ms=delay_ms))
