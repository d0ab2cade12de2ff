"""The topics of a run, decoded: each distinct record once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import UnreadableError
from schemas.topics import Topic
from streams.memory import Broker, Record
from streams.sim.lane import CODEC


@dataclass(slots=True)
class Records:
    """Values by topic. Values are frozen, so those of equal octets may be one."""

    broker: Broker
    _known: dict[bytes, Any] = field(default_factory=dict)

    def value(self, octets: bytes) -> Any:
        """The value of octets; None for what is none."""
        if octets not in self._known:
            try:
                self._known[octets] = CODEC.decode(octets)
            except UnreadableError:
                self._known[octets] = None
        return self._known[octets]

    def read(self, topic: Topic) -> list[Any]:
        """The values of a topic, partition by partition; removals and what cannot be read are left out."""
        return [value for _, value in self.landed(topic)]

    def landed(self, topic: Topic) -> Iterator[tuple[Record, Any]]:
        """The records of a topic with their values, partition by partition."""
        for (name, _), log in sorted(self.broker.logs.items()):
            if name == topic.name:
                for record in log:
                    value = None if record.value is None else self.value(record.value)
                    if value is not None:
                        yield record, value
