"""A DNS that a test makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from egress.mta.dane import Tlsa
from egress.mta.lookup import Answer, DnsError
from tests.unit.egress.mta.turns import turn

MISSING = Answer((), 0, exists=False)
NONE = Answer((), 0)


@dataclass
class FakeDns:
    """Answers from two dicts and counts; a domain that is in neither does not exist, None is a time-out."""

    exchanges: Mapping[str, Answer | None] = field(default_factory=dict)
    hosts: Mapping[str, Answer | None] = field(default_factory=dict)
    keys: Mapping[str, tuple[Tlsa, ...]] = field(default_factory=dict)
    bogus: tuple[str, ...] = ()
    asked: int = 0

    async def mx(self, domain: str) -> Answer:
        self.asked += 1
        await turn()
        return self._answer(self.exchanges.get(domain, NONE if domain in self.hosts else MISSING), domain)

    async def addresses(self, host: str) -> Answer:
        return self._answer(self.hosts.get(host, MISSING), host)

    async def txt(self, name: str) -> tuple[bytes, ...]:
        return ()

    async def tlsa(self, host: str, port: int) -> tuple[Tlsa, ...] | None:
        if host in self.bogus:
            raise DnsError(f"TLSA of {host}: SERVFAIL")
        return self.keys.get(host)

    def _answer(self, answer: Answer | None, name: str) -> Answer:
        if answer is None:
            raise DnsError(f"{name}: Timeout")
        return answer


def mx(*records: tuple[int, str], ttl_s: int = 600) -> Answer:
    return Answer(records, ttl_s)


def a(*addresses: str, ttl_s: int = 600) -> Answer:
    return Answer(tuple((6 if ":" in address else 4, address) for address in addresses), ttl_s)
