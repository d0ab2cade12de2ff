"""When to come again after a refusal for now: the peer's wish, soon for a greylist, else longer with each attempt."""

import re
from dataclasses import dataclass

from domain.delivery import Failed

MAX_SHIFT = 16

_GREYLIST = re.compile(r"gr[ea]y-?\s?list|first (?:time|contact) sender|unknown triplet|postgrey", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The waits: `first_ms`, doubled each time up to `most_ms`, each moved by up to `jitter` of itself either way.

    A greylist wants a repetition after some minutes from the same address: `greylist_ms`. When the time that is left is
    shorter than the wait, half of what is left is waited, down to `least_ms`: the last tries come closer together.
    """

    first_ms: int = 120_000
    most_ms: int = 4 * 3_600_000
    greylist_ms: int = 70_000
    least_ms: int = 1_000
    jitter: float = 0.2

    def after(self, failed: Failed, *, attempt: int, left_ms: int, chance: float) -> int:
        """Milliseconds to wait after `attempt` (from 1) failed for now; `left_ms` until it expires, `chance` in [0, 1).

        What the peer asked for is kept as it is, even when it is later than the attempt lives.
        """
        if failed.retry_after_ms:
            return failed.retry_after_ms
        if _GREYLIST.search(failed.detail):
            wait = self.greylist_ms << min(attempt - 1, 3)
        else:
            wait = self.first_ms << min(max(attempt - 1, 0), MAX_SHIFT)
        wait = int(min(wait, self.most_ms) * (1 + self.jitter * (2 * chance - 1)))
        if wait >= left_ms:
            wait = left_ms // 2
        return max(wait, self.least_ms)
