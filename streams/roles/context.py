"""What every role is given: settings, places, a way to say that it answers, and the flag that asks it to leave."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from schemas.registry import Registry
from streams.settings.model import Settings

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(slots=True)
class StopFlag:
    """Set once, by a signal; a plain flag, for a lock must not be taken in a signal handler."""

    _set: bool = False

    def set(self) -> None:
        """Ask to leave."""
        self._set = True

    def is_set(self) -> bool:
        """Whether the process was asked to leave."""
        return self._set

    def listen(self) -> None:
        """Let SIGTERM and SIGINT set the flag."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self.set()

        for number in STOP_SIGNALS:
            signal.signal(number, handle)


@dataclass(frozen=True, slots=True)
class RoleContext:
    """One role's surroundings.

    `bootstrap` and `dsn` lead to Kafka and PostgreSQL, `ports` has the port to listen on by name (`streams/settings/ports.py`).
    `announce` says, once the role answers, where: `host:port` by name (`http`, `smpp`, `smtp`, `insight`, `metrics`).
    `slot` is the verdict partition of a gateway, `registry` gives the schema ids, None for the checked-in catalogue.
    """

    settings: Settings
    state: Path
    bootstrap: str
    dsn: str = field(repr=False)
    name: str
    ports: Mapping[str, int]
    announce: Callable[[dict[str, object]], None]
    stop: StopFlag
    slot: int = 0
    registry: Registry | None = None


def stop_event(stop: StopFlag) -> asyncio.Event:
    """An event of the running loop that SIGTERM and SIGINT set, from now on together with `stop`."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        event.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, ask)
    if stop.is_set():  # asked between the start of the process and that of the loop
        event.set()
    return event
