"""The MTA-STS policies of domains: kept for their time, renewed when their id changes, and not lost when a fetch fails."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import structlog

from egress.mta.lookup import DnsError
from egress.mta.sts import StsError, StsPolicy, parse_policy, record_id
from egress.mta.sts_fetch import FetchError
from egress.mta.tls_report import Failure, Policy, ResultType, TlsReport

MAX_CACHED = 50_000
ASK_EVERY_MS = 300_000  # how long the answer about the record is good for (RFC 8461 section 3.1 leaves it to the TTL)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Known:
    policy: StsPolicy | None = None
    id: str = ""
    until_ms: int = 0
    ask_at_ms: int = 0


@dataclass(slots=True)
class StsPolicies:
    """`txt` raises DnsError, `fetch` raises FetchError; both are asked for one domain at a time."""

    txt: Callable[[str], Awaitable[tuple[bytes, ...]]]
    fetch: Callable[[str], Awaitable[bytes]]
    clock_ms: Callable[[], int]
    report: TlsReport
    _known: dict[str, _Known] = field(default_factory=dict)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def policy(self, domain: str) -> StsPolicy | None:
        """The policy in force for `domain` (A-labels), None for none.

        A policy that is known holds until its max_age, whatever happens to its record (section 3.3).
        """
        known = self._known.get(domain)
        if known is None or known.ask_at_ms <= self.clock_ms():
            lock = self._locks.get(domain)
            if lock is None:
                lock = self._locks[domain] = asyncio.Lock()
            async with lock:
                known = self._known.get(domain)
                if known is None or known.ask_at_ms <= self.clock_ms():
                    known = await self._ask(domain, known or _Known())
        return known.policy if known.until_ms > self.clock_ms() else None

    async def _ask(self, domain: str, known: _Known) -> _Known:
        try:
            told = record_id(await self.txt(f"_mta-sts.{domain}"))
        except DnsError:
            told = ""
        now = self.clock_ms()
        if told and (told != known.id or known.until_ms - now <= ASK_EVERY_MS):
            known = await self._renew(domain, known, told)
        known.ask_at_ms = self.clock_ms() + ASK_EVERY_MS
        self._known.pop(domain, None)
        while len(self._known) >= MAX_CACHED:
            del self._known[next(iter(self._known))]
        self._known[domain] = known
        return known

    async def _renew(self, domain: str, known: _Known, told: str) -> _Known:
        result: ResultType = "sts-policy-invalid"
        try:
            policy = parse_policy(await self.fetch(domain))
            return _Known(policy, told, self.clock_ms() + policy.max_age_s * 1_000)
        except StsError as error:
            reason = str(error)
        except FetchError as error:
            reason, result = str(error), error.result
        log.info("mta.sts_policy_failed", domain=domain, reason=reason, result=result)
        self.report.failed(domain, Policy("sts", domain), Failure(result, f"mta-sts.{domain}"))
        return known
