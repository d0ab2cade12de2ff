"""The preparation as the supervisor sees it: a process that works once, in a thread, and then stands until it is stopped."""

import threading
from collections.abc import Callable

from asyncpg import PostgresError
from confluent_kafka import KafkaException

from deploy.local.errors import LocalStackError
from domain.errors import ConfigError, TransientError

STATUS_FAILED, STATUS_ABANDONED = 1, -9


class Preparation:
    """`work` is done when `is_ready`. Starting again does it again."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._thread: threading.Thread | None = None
        self._status: int | None = None
        self._done = False
        self._failure: Exception | None = None

    @property
    def pid(self) -> int | None:
        """None: it is a thread."""
        return None

    @property
    def refusal(self) -> ConfigError | None:
        """What was wrong with the settings: doing it again would not help."""
        return self._failure if isinstance(self._failure, ConfigError) else None

    def start(self) -> None:
        """Begin."""
        self._status, self._done, self._failure = None, False, None
        self._thread = threading.Thread(target=self._run, name="prepare", daemon=True)
        self._thread.start()

    def is_ready(self) -> bool:
        """Whether the work is done."""
        return self._done and self._status is None

    def poll(self) -> int | None:
        """None while it works and while it stands; 1 when the work failed."""
        alive = self._thread is not None and self._thread.is_alive()  # asked first: afterwards `_done` is final
        if self._status is None and self._thread is not None and not alive and not self._done:
            self._status = STATUS_FAILED
        return self._status

    def terminate(self) -> None:
        """Leave, unless it still works."""
        if self._done and self._status is None:
            self._status = 0

    def kill(self) -> None:
        """Leave the work to end with the process; what it does in the database is done whole or not at all."""
        if self.poll() is None:
            self._status = STATUS_ABANDONED

    def stop(self, grace_ms: int) -> None:
        """Wait for the end of the work up to `grace_ms`, then leave."""
        self.join(grace_ms)
        self.terminate()
        self.kill()

    def join(self, wait_ms: int) -> None:
        """Wait up to `wait_ms` for the end of the work."""
        if self._thread is not None:
            self._thread.join(wait_ms / 1000)

    def last_words(self, lines: int = 20) -> tuple[str, ...]:
        """Why it failed."""
        if self._failure is None:
            return ()
        text = str(self._failure) or type(self._failure).__name__
        return tuple(text.splitlines()[-lines:])

    def _run(self) -> None:
        try:
            self._work()
        except (ConfigError, TransientError, LocalStackError, PostgresError, KafkaException, OSError) as error:
            self._failure = error
        else:
            self._done = True
