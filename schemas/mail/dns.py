"""The look-ups that SPF, DKIM and DMARC ask for, so that they can be answered from anywhere."""

from typing import Literal, Protocol

AddressKind = Literal["A", "AAAA"]


class DnsError(Exception):
    """The look-up failed for now: a time-out, SERVFAIL, or an answer that nobody can read."""


class Dns(Protocol):
    """Each method answers nothing for a name that is not there or has no such records, and raises DnsError."""

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """The texts, the strings of each joined (RFC 7208 section 3.3)."""
        ...

    async def addresses(self, name: str, kind: AddressKind) -> tuple[str, ...]:
        """The addresses in their text form."""
        ...

    async def mx(self, name: str) -> tuple[tuple[int, str], ...]:
        """(preference, host), the hosts without their last dot."""
        ...

    async def ptr(self, name: str) -> tuple[str, ...]:
        """The names that a reverse name (`4.3.2.1.in-addr.arpa`) points to, without their last dot."""
        ...
