"""The look-ups of SPF, DKIM and DMARC over dnspython."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
from dns.nameserver import Do53Nameserver

from schemas.mail.dns import AddressKind, DnsError

MAX_RECORDS: Final = 50
MAX_TEXT_OCTETS: Final = 16 * 1024
_NO_NAMES: Final = (dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong)
"""What cannot be asked is not there."""


class DnsPython:
    """Implements `schemas.mail.dns.Dns`; `nameservers` are (address, port), empty for the system's."""

    def __init__(self, nameservers: Sequence[tuple[str, int]] = (), timeout_ms: int = 5_000) -> None:
        self._timeout_s = timeout_ms / 1_000
        self._resolver = dns.asyncresolver.Resolver(configure=not nameservers)
        self._resolver.lifetime = self._timeout_s
        if nameservers:
            self._resolver.nameservers = [Do53Nameserver(address, port) for address, port in nameservers]

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """See Dns."""
        return tuple(b"".join(record.strings)[:MAX_TEXT_OCTETS] for record in await self._records(name, "TXT"))

    async def addresses(self, name: str, kind: AddressKind) -> tuple[str, ...]:
        """See Dns."""
        return tuple(str(record.address) for record in await self._records(name, kind))

    async def mx(self, name: str) -> tuple[tuple[int, str], ...]:
        """See Dns."""
        found = await self._records(name, "MX")
        return tuple((int(record.preference), record.exchange.to_text(omit_final_dot=True)) for record in found)

    async def ptr(self, name: str) -> tuple[str, ...]:
        """See Dns."""
        return tuple(record.target.to_text(omit_final_dot=True) for record in await self._records(name, "PTR"))

    async def _records(self, name: str, kind: str) -> Sequence[Any]:
        try:
            async with asyncio.timeout(self._timeout_s * 1.5):
                found = await self._resolver.resolve(dns.name.from_text(name), kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, *_NO_NAMES):
            return ()
        except (dns.exception.DNSException, OSError, TimeoutError, UnicodeError) as error:
            raise DnsError(f"{kind}: {type(error).__name__}") from error
        return list(found)[:MAX_RECORDS]
