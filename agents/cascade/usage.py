"""Counts messages by tenant, channel and state, and tells the sums of a batch at its end: few records for many messages."""

from collections import Counter
from dataclasses import dataclass, field

from agents.cascade.edges import ToCount
from agents.context import Context
from schemas.rows import UsageCounted
from schemas.topics import USAGE

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class CountUsage:
    """Holds one batch's sums. A batch that is done again tells its sums again: usage is for watching, the ledger is for money."""

    _sums: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)

    def handle(self, value: ToCount, ctx: Context) -> None:  # noqa: ARG002 - what every agent takes
        """Add one."""
        place = (value.tenant_id, value.at_ms // MINUTE_MS * MINUTE_MS)
        sums = self._sums.get(place)
        if sums is None:
            sums = self._sums[place] = Counter()
        sums[f"{value.channel}.{value.state}"] += 1

    def finish(self, ctx: Context) -> None:
        """The batch is over: tell its sums."""
        for (tenant_id, minute_ms), sums in self._sums.items():
            ctx.emit(USAGE, tenant_id, UsageCounted(tenant_id, minute_ms, dict(sums)))
        self._sums.clear()
