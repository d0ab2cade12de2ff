"""The tables: what each keeps, by which key, and on which changelog topic its rows outlive a process.

Tables that share a changelog are written to it in the order of `TABLES`: what was decided on each record first, then the
sums over all records. A crash leaves a prefix of that order, so a sum that survived always has its decisions.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.accepted import Message
from domain.audit.chain import ChainHead
from domain.billing.money import Account, Resolution
from domain.cascade.states import Cascade
from domain.inbound import Suppression
from schemas.rows import PartsKept, RateWindow, StoredDecision
from schemas.topics import ADMISSIONS, MESSAGES, Topic

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """One table. `tag` keeps its keys apart from those of the other tables in a store; `shared` on its changelog too."""

    name: str
    tag: bytes
    row: type[R]
    changelog: Topic
    shared: bool = False

    def store_key(self, key: str) -> bytes:
        """The key in the local store."""
        return self.tag + key.encode()

    def log_key(self, key: str) -> bytes:
        """The key on the changelog."""
        return self.tag + key.encode() if self.shared else key.encode()


DECISIONS = Table("decisions", b"d", StoredDecision, ADMISSIONS, shared=True)
RESOLUTIONS = Table("resolutions", b"r", Resolution, ADMISSIONS, shared=True)
ACCOUNTS = Table("accounts", b"a", Account, ADMISSIONS, shared=True)
WINDOWS = Table("windows", b"w", RateWindow, ADMISSIONS, shared=True)
SUPPRESSED = Table("suppressions", b"u", Suppression, ADMISSIONS, shared=True)
PARTS = Table("parts", b"p", PartsKept, ADMISSIONS, shared=True)
CHAINS = Table("chains", b"c", ChainHead, ADMISSIONS, shared=True)
MESSAGE_ROWS = Table("messages", b"m", Message, MESSAGES, shared=True)
CASCADE_ROWS = Table("cascades", b"s", Cascade, MESSAGES, shared=True)

TABLES: tuple[Table[Any], ...] = (
    DECISIONS, RESOLUTIONS, ACCOUNTS, WINDOWS, CHAINS, SUPPRESSED, PARTS, MESSAGE_ROWS, CASCADE_ROWS,
)  # fmt: skip


def tables_on(topic_name: str) -> tuple[Table[Any], ...]:
    """The tables whose changelog is this topic."""
    return tuple(t for t in TABLES if t.changelog.name == topic_name)


def expiry_ms(row: object) -> int:
    """When a row is dropped, zero for never: only answers, resolutions and parts of messages age."""
    return row.expires_at_ms if isinstance(row, StoredDecision | Resolution | PartsKept) else 0


def version_of(row: object, offset: int) -> int:
    """Which of two versions of a row is the newer: the offset it was written for.

    An account is written for records of two topics, so its own two offsets, which only grow, are added up.
    """
    return row.submissions_offset + row.billing_offset + 2 if isinstance(row, Account) else offset
