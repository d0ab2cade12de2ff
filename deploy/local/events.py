"""What a supervisor tells of the processes it watches."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "started", "ready", "exited", "failed", "too_slow", "waiting", "stopping", "killed", "stopped", "gave_up"
]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one process.

    Attributes:
        kind: `started` (it runs), `ready` (it serves), `exited` (by itself, with `status`), `failed` (it could not be
            started, see `last_words`), `too_slow` (killed, for it was not ready in time), `waiting` (for `delay_ms`
            before the next start), `stopping` (asked to leave), `killed` (it did not leave in time), `stopped` (gone),
            `gave_up` (it never was ready and has used up its attempts).
        name: the entry's name.
        at_ms: the supervisor's clock, monotonic.
        pid: the process id where there is one.
        status: the exit status (negative: the signal) where there is one.
        elapsed_ms: since its start.
        delay_ms: until the next start.
        last_words: the last lines it wrote, oldest first; may hold anything the process wrote.
    """

    kind: Kind
    name: str
    at_ms: int
    pid: int | None = None
    status: int | None = None
    elapsed_ms: int = 0
    delay_ms: int = 0
    last_words: tuple[str, ...] = ()
