"""All record types of all topics, and the codec that knows them."""

from domain.delivery import AttemptDue
from schemas.codec import Codec
from schemas.registry import FileRegistry, Registry
from schemas.topics import FIXED

TYPES: tuple[type, ...] = tuple(dict.fromkeys((*(t for topic in FIXED for t in topic.holds), AttemptDue)))


def codec(registry: Registry | None = None) -> Codec:
    """A codec over the checked-in ids, or over another registry."""
    return Codec(registry or FileRegistry.load(), TYPES)
