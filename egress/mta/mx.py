"""Which hops take the mail of a domain: overrides first, then MX, then its addresses (RFC 5321 section 5.1, RFC 7505)."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from egress.mta.config import ANY_DOMAIN, SMTP_PORT, host_and_port
from egress.mta.errors import RouteError
from egress.mta.lookup import Answer, Dns, DnsError
from egress.mta.mailbox import MAX_DOMAIN_CHARS
from egress.mta.providers import Provider, provider_of
from egress.mta.site import Hop, Route
from egress.webhooks.guard import is_public

MAX_HOSTS = 10
MAX_HOPS = 20
MAX_CACHED = 10_000
MIN_TTL_MS, MAX_TTL_MS = 60_000, 3_600_000
REFUSAL_TTL_MS, FAILURE_TTL_MS = 300_000, 15_000

NO_SUCH_DOMAIN, NULL_MX, NO_ROUTE, LOOP, DNS_FAILED = "5.1.2", "5.1.10", "5.4.4", "5.4.6", "4.4.3"

_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class _Refusal:
    code: str
    detail: str
    permanent: bool = True


@dataclass(frozen=True, slots=True)
class _Cached:
    found: Route | _Refusal
    until_ms: int


class MxResolver:
    """Routes domains; caches what DNS said within bounds, one look-up at a time for each domain.

    `allow_private` lets mail go to hosts that are not on the public internet; `dane` looks up the keys of hosts whose names
    and addresses DNSSEC proves; `providers` come before those that are known.
    """

    def __init__(
        self,
        overrides: Mapping[str, str],
        dns: Dns,
        clock_ms: Callable[[], int],
        own_name: str = "",
        *,
        allow_private: bool = False,
        dane: bool = False,
        port: int = SMTP_PORT,
        providers: Sequence[Provider] = (),
    ) -> None:
        self._overrides = {domain.lower(): _override(target) for domain, target in overrides.items()}
        self._dns = dns
        self._clock_ms = clock_ms
        self._own_name = own_name.lower().removesuffix(".")
        self._allow_private = allow_private
        self._dane = dane
        self._port = port
        self._providers = tuple(providers)
        self._cache: dict[str, _Cached] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def route(self, domain: str) -> Route:
        """The route for `domain` (A-labels, lower case), with at least one hop.

        Raises RouteError: 5.1.2 no such domain, 5.1.10 null MX, 5.4.4 nothing reachable in it, 5.4.6 it leads back to us,
        4.4.3 DNS does not answer.
        """
        override = self._overrides.get(domain) or self._overrides.get(ANY_DOMAIN)
        if override is not None:
            return override
        found = self._cached(domain)
        if found is None:
            lock = self._locks.get(domain)
            if lock is None:
                lock = self._locks[domain] = asyncio.Lock()
            async with lock:
                found = self._cached(domain)
                if found is None:
                    found, ttl_ms = await self._route(domain)
                    self._remember(domain, _Cached(found, self._clock_ms() + ttl_ms))
        if isinstance(found, _Refusal):
            raise RouteError(found.code, found.detail, permanent=found.permanent)
        return found

    def _cached(self, domain: str) -> Route | _Refusal | None:
        cached = self._cache.get(domain)
        return cached.found if cached is not None and cached.until_ms > self._clock_ms() else None

    def _remember(self, domain: str, cached: _Cached) -> None:
        self._cache.pop(domain, None)
        while len(self._cache) >= MAX_CACHED:
            del self._cache[next(iter(self._cache))]
        self._cache[domain] = cached

    async def _route(self, domain: str) -> tuple[Route | _Refusal, int]:
        try:
            mx = await self._dns.mx(domain)
        except DnsError as error:
            return _Refusal(DNS_FAILED, str(error), permanent=False), FAILURE_TTL_MS
        hosts = self._hosts(domain, mx)
        if isinstance(hosts, _Refusal):
            return hosts, REFUSAL_TTL_MS
        hops, ttl_s, failed = await self._addresses(hosts, proved=mx.proved)
        if hops:
            known_s = min(ttl_s, mx.ttl_s) if mx.records else ttl_s
            names = sorted({host for _, host in hosts})
            route = Route(",".join(names), hops, provider_of(names, self._providers), secure=mx.proved)
            return route, max(MIN_TTL_MS, min(known_s * 1_000, MAX_TTL_MS))
        if failed:
            return _Refusal(DNS_FAILED, failed, permanent=False), FAILURE_TTL_MS
        return _Refusal(NO_ROUTE, f"{domain} has no mail host with a public address"), REFUSAL_TTL_MS

    def _hosts(self, domain: str, mx: Answer) -> list[tuple[int, str]] | _Refusal:
        """(preference, host), best first; the domain itself when it has no MX; without us and what is worse than us."""
        if not mx.exists:
            return _Refusal(NO_SUCH_DOMAIN, f"{domain} does not exist")
        if not mx.records:
            return [(0, domain)]
        if all(host == "." for _, host in mx.records):
            return _Refusal(NULL_MX, f"{domain} takes no mail")
        hosts = sorted((preference, host) for preference, host in mx.records if _is_host(host))
        if not hosts:
            return _Refusal(NO_ROUTE, f"{domain} names no host that could be one")
        own = [preference for preference, host in hosts if host == self._own_name]
        better = [found for found in hosts if not own or found[0] < own[0]]
        return better[:MAX_HOSTS] or _Refusal(LOOP, f"mail for {domain} leads back to this host")

    async def _addresses(self, hosts: list[tuple[int, str]], *, proved: bool) -> tuple[tuple[Hop, ...], int, str]:
        """(hops, lowest TTL in seconds, last failure) of `hosts`; addresses that mail may not go to are left out.

        A host whose TLSA look-up fails is one that cannot be trusted now: it is left out, too (RFC 7672 section 2.1.2).
        """
        hops: list[Hop] = []
        ttls: list[int] = []
        failed = ""
        for preference, host in hosts:
            try:
                answer = await self._dns.addresses(host)
                tlsa = await self._dns.tlsa(host, self._port) if self._dane and proved and answer.proved else None
            except DnsError as error:
                failed = str(error)
                continue
            ttls.append(answer.ttl_s)
            allowed = [text for _, text in answer.records if self._allow_private or is_public(text)]
            hops += [Hop(host, text, self._port, preference, tlsa) for text in allowed]
            if len(hops) >= MAX_HOPS:
                break
        return tuple(hops[:MAX_HOPS]), min(ttls, default=0), failed


def _is_host(name: str) -> bool:
    return len(name) <= MAX_DOMAIN_CHARS and _HOST.fullmatch(name) is not None


def _override(target: str) -> Route:
    host, port = host_and_port(target)
    return Route(target, (Hop(host, host, port),), fixed=True)
