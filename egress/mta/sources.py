"""The addresses that mail leaves from: each with its own name in EHLO and its share of the messages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

MAX_SOURCES = 256


@dataclass(frozen=True, slots=True)
class Source:
    """A local address to bind (empty for any), the name said in EHLO, which its PTR should have, and its weight."""

    name: str
    ehlo: str
    address: str = ""
    weight: int = 1

    @property
    def family(self) -> int:
        """4 or 6 for a bound address, 0 when either will do."""
        return 0 if not self.address else 6 if ":" in self.address else 4


def preferred(sources: Sequence[Source], key: str) -> list[Source]:
    """The sources in the order in which the message `key` should try them; the same order whenever it is asked.

    Weighted rendezvous hashing: a message's retries leave from the address that a greylist saw first, and a source that is
    added or removed moves only its own share.
    """
    if len(sources) == 1:
        return list(sources)
    return sorted(sources, key=lambda source: _score(source, key), reverse=True)


def _score(source: Source, key: str) -> float:
    digest = blake2b(f"{source.name}\0{key}".encode(), digest_size=8).digest()
    unit = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
    return source.weight / -math.log(unit)
