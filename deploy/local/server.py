"""What every server of the embedded stack can do, and how one waits for it."""

import time
from collections.abc import Callable
from typing import Protocol

from deploy.local.errors import ServerFailedError

READY_POLL_MS = 25
LAST_WORDS_LINES = 12


class Process(Protocol):
    """Something that is started, watched and stopped: a server, a role, a sandbox peer."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        ...

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        ...

    def poll(self) -> int | None:
        """Give its exit status (negative: the signal), or None while it runs."""
        ...

    def terminate(self) -> None:
        """Ask it to leave, without waiting."""
        ...

    def kill(self) -> None:
        """Kill it, without waiting."""
        ...

    def stop(self, grace_ms: int) -> None:
        """Have it gone: ask, wait up to `grace_ms`, then kill."""
        ...

    def last_words(self, lines: int = 20) -> tuple[str, ...]:
        """Give the last lines it wrote, oldest first."""
        ...


class Server(Process, Protocol):
    """A process that others connect to."""

    def is_ready(self) -> bool:
        """Say whether it serves now; answers in about a second at most."""
        ...

    def wait_ready(self, timeout_ms: int) -> None:
        """Return when it serves; raises ServerFailedError when it exits or is too slow."""
        ...


def wait_until_ready(
    server: Server,
    name: str,
    timeout_ms: int,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when `server` is ready.

    Raises:
        ServerFailedError: it exited, or `timeout_ms` passed; the message carries its last words.
    """
    deadline = monotonic() + timeout_ms / 1000
    while not server.is_ready():
        status = server.poll()
        if status is not None:
            raise ServerFailedError(_sentence(f"{name} exited with status {status}", server))
        if monotonic() >= deadline:
            raise ServerFailedError(_sentence(f"{name} was not ready after {timeout_ms} ms", server))
        sleep(READY_POLL_MS / 1000)


def _sentence(what: str, server: Server) -> str:
    words = server.last_words(LAST_WORDS_LINES)
    return f"{what}; its last words:\n  " + "\n  ".join(words) if words else f"{what} without a word"
