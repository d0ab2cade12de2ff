"""DNS out of a dictionary: (name, kind) to records, or to DnsError where it is None."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.mail.dns import AddressKind, DnsError

Records = tuple[object, ...] | None


@dataclass(slots=True)
class Zone:
    """Implements `schemas.mail.dns.Dns`; `asked` has every question in its order."""

    records: Mapping[tuple[str, str], Records] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """The texts."""
        return tuple(str(one).encode("latin-1") for one in self._find(name, "TXT"))

    async def addresses(self, name: str, kind: AddressKind) -> tuple[str, ...]:
        """The addresses."""
        return tuple(str(one) for one in self._find(name, kind))

    async def mx(self, name: str) -> tuple[tuple[int, str], ...]:
        """The hosts, all of one preference."""
        return tuple((10, str(one)) for one in self._find(name, "MX"))

    async def ptr(self, name: str) -> tuple[str, ...]:
        """The names."""
        return tuple(str(one) for one in self._find(name, "PTR"))

    def _find(self, name: str, kind: str) -> tuple[object, ...]:
        self.asked.append((name, kind))
        found = self.records.get((name.lower(), kind), ())
        if found is None:
            raise DnsError(name)
        return found
