"""Look-ups over dnspython (MX, addresses, TXT, TLSA), answered as plain values with their time to live."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.name
import dns.rdatatype
import dns.resolver
from dns.nameserver import Do53Nameserver

from egress.mta.config import host_and_port
from egress.mta.dane import Tlsa

MAX_RECORDS = 50
MAX_TEXT_BYTES = 16 * 1024
DNS_PORT = 53
EDNS_BYTES = 1_232


class DnsError(Exception):
    """The look-up failed for now: time-out, SERVFAIL, or an answer nobody can read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look-up found: `exists` is false for NXDOMAIN, `records` empty when the name has none of the type.

    `proved` when the resolver says that DNSSEC vouches for it.
    """

    records: tuple[tuple[int, str], ...]
    ttl_s: int
    exists: bool = True
    proved: bool = False


class Dns(Protocol):
    """Look-ups as routing needs them; all raise DnsError."""

    async def mx(self, domain: str) -> Answer:
        """(preference, host) pairs; the null MX is the host `.` (RFC 7505)."""

    async def addresses(self, host: str) -> Answer:
        """(family, address) pairs, family 4 or 6."""

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """The texts, the strings of each joined; nothing for a name that has none."""

    async def tlsa(self, host: str, port: int) -> tuple[Tlsa, ...] | None:
        """What DNSSEC proves about `port` of `host`; None when it proves nothing."""


class DnsPython:
    """Dns over UDP and TCP; `nameservers` are `address` or `address:port`, empty for the system's.

    `validated` when they validate DNSSEC and the way to them is safe: only then is their word about it taken.
    """

    def __init__(self, nameservers: Sequence[str], timeout_ms: int, *, validated: bool = False) -> None:
        self._timeout_s = timeout_ms / 1_000
        self._servers = [host_and_port(server, DNS_PORT) for server in nameservers]
        self._validated = validated
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def mx(self, domain: str) -> Answer:
        """See Dns."""
        found = await self._look_up(domain, "MX")
        if isinstance(found, Answer):
            return found
        records = tuple((int(r.preference), _host(r.exchange.to_text())) for r in list(found)[:MAX_RECORDS])
        return self._answer(found, records)

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
        telling = [answer for answer in found if answer.records] or found
        return Answer(
            records,
            min(answer.ttl_s for answer in telling),
            exists=any(answer.exists for answer in found),
            proved=bool(records) and all(answer.proved for answer in telling),
        )

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """See Dns."""
        found = await self._look_up(name, "TXT")
        if isinstance(found, Answer):
            return ()
        return tuple(b"".join(record.strings)[:MAX_TEXT_BYTES] for record in list(found)[:MAX_RECORDS])

    async def tlsa(self, host: str, port: int) -> tuple[Tlsa, ...] | None:
        """See Dns."""
        found = await self._look_up(f"_{port}._tcp.{host}", "TLSA")
        if isinstance(found, Answer) or not self._is_proved(found):
            return None
        return tuple(
            Tlsa(int(r.usage), int(r.selector), int(r.mtype), bytes(r.cert)) for r in list(found)[:MAX_RECORDS]
        )

    def _ready(self) -> dns.asyncresolver.Resolver:
        """The resolver, made at its first use: a machine whose mail all goes by overrides needs no DNS."""
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [Do53Nameserver(address, port) for address, port in self._servers]
            resolver.lifetime = self._timeout_s
            if self._validated:
                resolver.use_edns(0, dns.flags.DO, EDNS_BYTES)
                resolver.set_flags(dns.flags.RD | dns.flags.AD)
            self._resolver = resolver
        return self._resolver

    async def _try(self, host: str, kind: str) -> Answer | DnsError:
        try:
            found = await self._look_up(host, kind)
        except DnsError as error:
            return error
        if isinstance(found, Answer):
            return found
        family = 4 if kind == "A" else 6
        return self._answer(found, tuple((family, str(record.address)) for record in list(found)[:MAX_RECORDS]))

    def _answer(self, found: dns.resolver.Answer, records: tuple[tuple[int, str], ...]) -> Answer:
        ttl_s = int(found.rrset.ttl) if found.rrset is not None else 0
        return Answer(records, ttl_s, proved=self._is_proved(found))

    def _is_proved(self, found: dns.resolver.Answer) -> bool:
        return self._validated and bool(found.response.flags & dns.flags.AD)

    async def _look_up(self, name: str, kind: str) -> dns.resolver.Answer | Answer:
        """What dnspython found; an Answer without records when there is nothing."""
        try:
            async with asyncio.timeout(self._timeout_s * 1.5):
                return await self._ready().resolve(dns.name.from_text(name), kind, search=False)
        except dns.resolver.NXDOMAIN:
            return Answer((), 0, exists=False)
        except dns.resolver.NoAnswer:
            return Answer((), 0)
        except (dns.exception.DNSException, OSError, TimeoutError) as error:
            raise DnsError(f"{kind} of {name}: {type(error).__name__}") from error


def _host(name: str) -> str:
    return name if name == "." else name.removesuffix(".").lower()
