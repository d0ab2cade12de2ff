"""All record types of all topics, and the codec that knows them."""

from domain.audit.chain import AuditEntry
from domain.billing.money import LedgerEntry
from domain.cascade.plan import Plan
from domain.cascade.states import Entry
from domain.delivery import AttemptDue
from domain.verdict import Verdict
from schemas.codec import Codec
from schemas.registry import FileRegistry, Registry
from schemas.topics import FIXED

TYPES: tuple[type, ...] = tuple(dict.fromkeys((*(t for topic in FIXED for t in topic.holds), AttemptDue)))
REPEATED: frozenset[type] = frozenset({Plan, Entry, LedgerEntry, AuditEntry, Verdict})
"""What stands in several records as it is: a plan in all rows of its message, a line of a timeline in all that follow."""


def codec(registry: Registry | None = None) -> Codec:
    """A codec over the checked-in ids, or over another registry."""
    return Codec(registry or FileRegistry.load(), TYPES, REPEATED)
