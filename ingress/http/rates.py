"""What a tenant sends far beyond its rate is refused before its body is read; the pipeline judges the rest exactly."""

from collections.abc import Callable

from domain.tenant import Tenant
from domain.verdict import Reject, Verdict
from ingress.bucket import Bucket
from ingress.expiring import Expiring
from ingress.http.answers import problem_of
from ingress.http.problems import Problem
from ingress.times import monotonic_ms

ROOM = 1.1
"""The bucket fills faster than the pipeline's window, so that what the window has room for is never refused here."""
BURST_S = 2
"""Seconds of its rate that a tenant may hand in at once: the window, and the one that follows it."""
MAX_TENANTS = 20_000
TTL_MS = 600_000


class Rates:
    """A bucket for each tenant that sent something lately, a new one when its rate is changed."""

    def __init__(self, now_ms: Callable[[], int] = monotonic_ms) -> None:
        self._now_ms = now_ms
        self._buckets: Expiring[tuple[str, int], Bucket] = Expiring(MAX_TENANTS, TTL_MS, now_ms)

    def take(self, tenant: Tenant | None, count: int) -> int:
        """How many of `count` messages may go to the pipeline; all of them when nothing is known of the tenant."""
        if tenant is None or not tenant.rate_per_s:
            return count
        return self._bucket(tenant).take_some(count)

    def give_back(self, tenant: Tenant | None, count: int) -> None:
        """So many were no messages: the answers of earlier ones were repeated."""
        if count and tenant is not None and tenant.rate_per_s:
            self._bucket(tenant).give_back(count)

    def exceeded(self, tenant: Tenant, now_ms: int) -> Problem:
        """The refusal that the pipeline would answer with; `now_ms` is the time of day."""
        wait_ms, limit = self._bucket(tenant).wait_ms(), tenant.rate_per_s
        message = f"Rate limit exceeded for tenant tier {tenant.tier.capitalize()} ({limit} msg/sec)"
        reject = Reject(
            3, "rate_limit_exceeded", message, retry_after_ms=wait_ms, limit=limit, reset_at_ms=now_ms + wait_ms
        )
        return problem_of(Verdict("", "", tenant.tenant_id, now_ms), reject, now_ms)

    def _bucket(self, tenant: Tenant) -> Bucket:
        place = (tenant.tenant_id, tenant.rate_per_s)
        bucket = self._buckets.get(place)
        if bucket is None:
            rate = tenant.rate_per_s
            bucket = Bucket(rate * ROOM, rate * BURST_S, self._now_ms)
            self._buckets.put(place, bucket)
        return bucket
