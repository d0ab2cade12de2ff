"""Layer 3, rate: a sliding window of one second per tenant and per key, in tenths."""

from dataclasses import dataclass

from agents.admission.admitting import Admitting
from agents.admission.edges import ANSWER, RESERVE
from agents.context import Context
from domain.evolve import evolve
from domain.tenant import ApiKey, Tenant
from domain.validation import l3_rate
from domain.validation.facts import Facts
from domain.verdict import Reject
from schemas.rows import RateWindow
from tables.catalogue import WINDOWS

TICK_MS = 100
TICKS = 10


@dataclass(frozen=True, slots=True)
class Limit:
    """Counts what came in the last second; a refused item does not count."""

    def handle(self, value: Admitting, ctx: Context) -> None:
        """Let the submission pass, counted, or refuse it."""
        submission, tenant, key = value.submission, value.tenant, value.key
        now, tenant_id = submission.received_at_ms, submission.tenant_id
        window = slide(ctx.get(WINDOWS, tenant_id), now)
        key_name = f"{tenant_id}/{submission.key_id}"
        key_window = slide(ctx.get(WINDOWS, key_name), now) if key and key.rate_per_s else None
        repeated = window.offset >= ctx.offset
        used = max(sum(window.counts), limit_of(tenant, None) if repeated else 0)
        facts = Facts(
            now, tenant, key, used=used, key_used=sum(key_window.counts) if key_window else 0,
            window_resets_ms=resets_ms(window, now),
        )  # fmt: skip
        value.limit = limit_of(tenant, key)
        value.reset_at_ms = facts.window_resets_ms
        outcome = l3_rate.check(submission, facts)
        if isinstance(outcome, Reject):
            value.reject = outcome
            ctx.count("hermes_rate_limit_hits_total", tenant=tenant_id)
            if not repeated:
                ctx.put(WINDOWS, tenant_id, evolve(window, offset=ctx.offset))
            ctx.emit(ANSWER, tenant_id, value)
            return
        ctx.put(WINDOWS, tenant_id, counted(window, ctx.offset))
        if key_window is not None:
            ctx.put(WINDOWS, key_name, counted(key_window, ctx.offset))
        used_up = max(facts.used, facts.key_used) if key_window else facts.used
        value.remaining = max(value.limit - used_up - 1, 0)
        ctx.emit(RESERVE, tenant_id, value)


def slide(window: RateWindow | None, now_ms: int) -> RateWindow:
    """The window as it is at `now_ms`; a clock that steps back leaves it where it was."""
    tick = now_ms // TICK_MS
    if window is None:
        return RateWindow((0,) * TICKS, tick, -1)
    gone = min(max(tick - window.newest_tick, 0), TICKS)
    if not gone:
        return window
    return RateWindow((*window.counts[gone:], *(0,) * gone), tick, window.offset)


def counted(window: RateWindow, offset: int) -> RateWindow:
    """The window with one more item in its newest tenth."""
    return RateWindow((*window.counts[:-1], window.counts[-1] + 1), window.newest_tick, offset)


def resets_ms(window: RateWindow, now_ms: int) -> int:
    """When the oldest counted item leaves the window."""
    for index, count in enumerate(window.counts):
        if count:
            return (window.newest_tick - (TICKS - 1 - index) + TICKS) * TICK_MS
    return now_ms


def limit_of(tenant: Tenant | None, key: ApiKey | None) -> int:
    """The smaller of the tenant's and the key's rate, items a second."""
    own = tenant.rate_per_s if tenant else 0
    return min(own, key.rate_per_s) if key and key.rate_per_s else own
