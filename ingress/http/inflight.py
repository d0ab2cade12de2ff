"""Which idempotency keys are being worked on in this gateway right now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from domain.message import Submission
from ingress.http.problems import Problem

IN_PROGRESS = Problem(
    "idempotency_in_progress",
    "A request with this idempotency key is still running; repeat it to learn its answer",
    (),
    {"retry_after": 1},
    {"Retry-After": "1"},
)


@dataclass(slots=True)
class InFlight:
    """The keys of requests that wait for their verdict, each with its tenant; bounded by the requests at once."""

    _running: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def hold(self, submissions: list[Submission]) -> Iterator[list[bool]]:
        """Says of each submission whether it may run, and keeps the keys of those that may until the block is left.

        A dry run and a submission without a key may always run. Of two with one key, only the first may.
        """
        taken: set[tuple[str, str]] = set()
        free: list[bool] = []
        for submission in submissions:
            place = (submission.tenant_id, submission.idempotency_key)
            if not submission.idempotency_key or submission.kind == "validate":
                free.append(True)
            elif place in self._running:
                free.append(False)
            else:
                self._running.add(place)
                taken.add(place)
                free.append(True)
        try:
            yield free
        finally:
            self._running -= taken
