"""Runs named processes in order, starts again what exits, and stops all of them in reverse; one thread, no asyncio."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from deploy.local.errors import ServerFailedError
from deploy.local.events import Event, Kind
from deploy.local.watch import Entry, Watch

TICK_MS = 50
STOP_WITHIN_MS = 10_000
KILL_RESERVE_MS = 1_000
MOST_ENTRIES = 64


class Clock(Protocol):
    """Monotonic time in milliseconds, and waiting."""

    def now_ms(self) -> int:
        """Give the time."""
        ...

    def sleep_ms(self, wait_ms: int) -> None:
        """Return `wait_ms` later."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's monotonic clock."""

    def now_ms(self) -> int:
        """Give milliseconds since an arbitrary moment."""
        return time.monotonic_ns() // 1_000_000

    def sleep_ms(self, wait_ms: int) -> None:
        """Sleep; a signal does not shorten it."""
        time.sleep(wait_ms / 1000)


class Supervisor:
    """The processes of one machine.

    A process that exits is started again after a back-off, and only it: those that run `after` it are left alone, for
    they reconnect. A process whose `after` entries are not ready waits for them. One that never was ready is given up
    after a few attempts, and then everything stops.

    Use it from one thread that outlives it: the children are tied to the thread that starts them.
    """

    def __init__(self, entries: Sequence[Entry], report: Callable[[Event], None], clock: Clock | None = None) -> None:
        """Start nothing yet.

        Raises:
            ValueError: a name comes twice, `after` names an entry that does not come earlier, or there are too many.
        """
        seen: set[str] = set()
        for entry in entries:
            if entry.name in seen:
                raise ValueError(f"two entries are called {entry.name}")
            if not seen.issuperset(entry.after):
                raise ValueError(f"{entry.name} is after {', '.join(entry.after)}: not all of them come earlier")
            seen.add(entry.name)
        if len(seen) > MOST_ENTRIES:
            raise ValueError(f"{len(seen)} entries, {MOST_ENTRIES} at most")
        self._clock: Clock = clock or SystemClock()
        self._report = report
        self._watches = {entry.name: Watch(entry, report) for entry in entries}
        self._stop_requested = False

    def run(self) -> int:
        """Run until SIGINT, SIGTERM, `request_stop` or a process that is given up; everything is stopped on return.

        Returns:
            The exit status for the command line: 0 after a request, 1 after giving up.
        """
        with self._signals():
            try:
                while not self._stop_requested and not self._given_up():
                    self.step()
                    self._clock.sleep_ms(TICK_MS)
            finally:
                self.stop()
        return 1 if self._given_up() else 0

    def start(self, timeout_ms: int) -> None:
        """Start everything and return when all of it is ready; on failure everything is stopped first.

        Raises:
            ServerFailedError: a process was given up, `timeout_ms` passed, or a stop was requested.
        """
        deadline = self._clock.now_ms() + timeout_ms
        while not self.all_ready():
            self.step()
            if self._given_up() or self._stop_requested or self._clock.now_ms() >= deadline:
                late = ", ".join(watch.name for watch in self._watches.values() if not watch.ready)
                self.stop()
                raise ServerFailedError(f"not ready within {timeout_ms} ms or given up: {late}")
            self._clock.sleep_ms(TICK_MS)

    def step(self) -> None:
        """Do what is due now: notice what happened, and start what may be started."""
        for watch in self._watches.values():
            now_ms = self._clock.now_ms()
            if watch.running:
                watch.look(now_ms)
            elif not watch.gave_up and now_ms >= watch.due_ms and self._may_start(watch):
                watch.start(now_ms)

    def request_stop(self) -> None:
        """Make `run` or `start` stop everything at its next step; safe in a signal handler."""
        self._stop_requested = True

    def stop(self) -> None:
        """Stop everything within 10 s: first what nothing running is after, then what those were after, and so on.

        A wave that does not leave in its share of the time is killed.
        """
        deadline_ms = self._clock.now_ms() + STOP_WITHIN_MS - KILL_RESERVE_MS
        while waves := self._waves():
            now_ms = self._clock.now_ms()
            share_ms = max(deadline_ms - now_ms, 0) // len(waves)
            self._stop_wave(waves[0], now_ms + share_ms)

    def all_ready(self) -> bool:
        """Say whether every process runs and was ready since its last start."""
        return all(watch.running and watch.ready for watch in self._watches.values())

    def pids(self) -> dict[str, int]:
        """Give the process id of each process that runs now."""
        found = {name: watch.process.pid for name, watch in self._watches.items() if watch.running and watch.process}
        return {name: pid for name, pid in found.items() if pid is not None}

    def _may_start(self, watch: Watch) -> bool:
        return all(self._watches[name].ready for name in watch.entry.after)

    def _given_up(self) -> bool:
        return any(watch.gave_up for watch in self._watches.values())

    def _waves(self) -> list[list[Watch]]:
        """Group what runs: each wave holds those that no process of a later wave is after."""
        left = {name: watch for name, watch in self._watches.items() if watch.running}
        waves: list[list[Watch]] = []
        while left:
            needed = {name for watch in left.values() for name in self._all_after(watch.entry)}
            wave = [watch for name, watch in left.items() if name not in needed]
            waves.append(wave)
            for watch in wave:
                del left[watch.name]
        return waves

    def _all_after(self, entry: Entry) -> set[str]:
        """Give the names this entry is after, directly or through others that may not run now."""
        return set(entry.after).union(*(self._all_after(self._watches[name].entry) for name in entry.after))

    def _stop_wave(self, wave: list[Watch], deadline_ms: int) -> None:
        for watch in reversed(wave):
            if watch.process is not None:
                self._tell("stopping", watch)
                watch.process.terminate()
        killed_at_ms: int | None = None
        while left := [watch for watch in wave if not self._is_gone(watch)]:
            now_ms = self._clock.now_ms()
            if killed_at_ms is None and now_ms >= deadline_ms:
                killed_at_ms = now_ms
                for watch in left:
                    if watch.process is not None:
                        self._tell("killed", watch)
                        watch.process.kill()
            elif killed_at_ms is not None and now_ms >= killed_at_ms + KILL_RESERVE_MS:
                for watch in left:  # stuck in the kernel: reported as killed, and no reason to hold up the others
                    watch.running = watch.ready = False
            self._clock.sleep_ms(TICK_MS // 2)

    def _is_gone(self, watch: Watch) -> bool:
        if watch.running and watch.process is not None and watch.process.poll() is not None:
            self._tell("stopped", watch)
            watch.running = watch.ready = False
        return not watch.running

    def _tell(self, kind: Kind, watch: Watch) -> None:
        process = watch.process
        status, pid = (process.poll(), process.pid) if process else (None, None)
        self._report(Event(kind, watch.name, self._clock.now_ms(), pid, status))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM request a stop while the block runs."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.request_stop()

        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
