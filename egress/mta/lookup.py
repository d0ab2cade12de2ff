"""MX and address look-ups over dnspython, answered as plain values with their time to live."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.nameserver import Do53Nameserver

from egress.mta.config import host_and_port

MAX_RECORDS = 50
DNS_PORT = 53


class DnsError(Exception):
    """The look-up failed for now: time-out, SERVFAIL, or an answer nobody can read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look-up found: `exists` is false for NXDOMAIN, `records` empty when the name has none of the type."""

    records: tuple[tuple[int, str], ...]
    ttl_s: int
    exists: bool = True


class Dns(Protocol):
    """Look-ups as routing needs them; both raise DnsError."""

    async def mx(self, domain: str) -> Answer:
        """(preference, host) pairs; the null MX is the host `.` (RFC 7505)."""

    async def addresses(self, host: str) -> Answer:
        """(family, address) pairs, family 4 or 6."""


class DnsPython:
    """Dns over UDP and TCP; `nameservers` are `address` or `address:port`, empty for the system's."""

    def __init__(self, nameservers: Sequence[str], timeout_ms: int) -> None:
        self._timeout_s = timeout_ms / 1_000
        self._servers = [host_and_port(server, DNS_PORT) for server in nameservers]
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def mx(self, domain: str) -> Answer:
        """See Dns."""
        return await self._look_up(domain, "MX")

    async def addresses(self, host: str) -> Answer:
        """See Dns: IPv4 first; a failure of one family does not hide the other."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._try(host, kind)) for kind in ("A", "AAAA")]
        answers = [task.result() for task in tasks]
        found = [answer for answer in answers if isinstance(answer, Answer)]
        records = tuple(record for answer in found for record in answer.records)
        failed = [answer for answer in answers if isinstance(answer, DnsError)]
        if failed and not records:
            raise failed[0]
        with_records = [answer.ttl_s for answer in found if answer.records] or [answer.ttl_s for answer in found]
        return Answer(records, min(with_records), exists=any(answer.exists for answer in found))

    def _ready(self) -> dns.asyncresolver.Resolver:
        """The resolver, made at its first use: a machine whose mail all goes by overrides needs no DNS."""
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [Do53Nameserver(address, port) for address, port in self._servers]
            resolver.lifetime = self._timeout_s
            self._resolver = resolver
        return self._resolver

    async def _try(self, name: str, kind: str) -> Answer | DnsError:
        try:
            return await self._look_up(name, kind)
        except DnsError as error:
            return error

    async def _look_up(self, name: str, kind: str) -> Answer:
        try:
            async with asyncio.timeout(self._timeout_s * 1.5):
                found = await self._ready().resolve(dns.name.from_text(name), kind, search=False)
        except dns.resolver.NXDOMAIN:
            return Answer((), 0, exists=False)
        except dns.resolver.NoAnswer:
            return Answer((), 0)
        except (dns.exception.DNSException, OSError, TimeoutError) as error:
            raise DnsError(f"{kind} of {name}: {type(error).__name__}") from error
        records: list[tuple[int, str]] = []
        for record in list(found)[:MAX_RECORDS]:
            if kind == "MX":
                host = record.exchange.to_text()
                records.append((int(record.preference), host if host == "." else host.removesuffix(".").lower()))
            else:
                records.append((4 if kind == "A" else 6, str(record.address)))
        return Answer(tuple(records), int(found.rrset.ttl) if found.rrset is not None else 0)
