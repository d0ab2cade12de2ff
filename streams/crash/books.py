"""Everything that a campaign knows at its end: what clients and peers saw, and what the product's own books say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from egress.archive.ledger import LedgerCheck
from streams.crash.history import Told


@dataclass(frozen=True, slots=True)
class View:
    """A message as the API shows it: the carrier ids of all its SMS attempts, how many mails went out. Times in ms."""

    state: str
    charged_micros: int
    provider_ids: frozenset[str]
    mails: int
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class Chain:
    """An audit chain: its messages, and the number of the first entry that does not follow, 0 for none."""

    messages: frozenset[str]
    broken_at: int = 0


@dataclass(frozen=True)
class Books:
    """By message id, but `told` by tag, `carrier` (ids) by tag, `mails` by mailbox, and tenants by their ids.

    `tenants` are the ids in the order that items count them. `finals` are moment and state of each end that was told,
    `mailed` the tags of mails that the host took. `mentioned` has the messages that are in each book, by its name. `unknown`
    counts the events of attempts without an outcome. `windows` are when something was broken (ms since 1970), `recoveries` by the
    number of a blow its name and how long it took. `lags` by group, topic and partition.
    """

    tenants: tuple[str, ...]
    told: Mapping[str, Told]
    callbacks: Mapping[str, Mapping[str, int]]
    receipts: Mapping[str, Mapping[str, int]]
    views: Mapping[str, View]
    finals: Mapping[str, set[tuple[int, str]]]
    mentioned: Mapping[str, frozenset[str]]
    accounts: Mapping[str, Mapping[str, int]]
    ledgers: Mapping[str, LedgerCheck]
    entries: Mapping[str, tuple[str, ...]]
    carrier: Mapping[str, frozenset[str]]
    mails: Counter[str]
    mailed: frozenset[str]
    audits: Mapping[str, Chain]
    archive: Mapping[str, tuple[str, int]]
    differing: frozenset[str]
    lags: Mapping[str, int]
    recoveries: Mapping[int, tuple[str, int | None]]
    windows: tuple[tuple[int, int], ...] = ()
    unknown: Counter[str] = field(default_factory=Counter)

    @cached_property
    def ids(self) -> dict[str, Told]:
        """What each accepted message is, by id."""
        return {message_id: told for told in self.told.values() for message_id in told.ids}

    def tenant_of(self, message_id: str) -> str:
        """The tenant of an accepted message, empty for another."""
        told = self.ids.get(message_id)
        return self.tenants[told.item.tenant] if told is not None else ""
