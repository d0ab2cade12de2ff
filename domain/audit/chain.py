"""The audit chain: each entry holds the hash of the one before, so a removed or changed entry shows."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from domain.evolve import quick

GENESIS = bytes(32)


@quick
@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was asked, before it was done. `recipient_hash` is keyed with the tenant's salt, hex."""

    tenant_id: str
    seq: int
    message_id: str
    recipient_hash: str
    channels: tuple[str, ...]
    key_id: str
    at_ms: int
    previous: bytes
    hash: bytes


@quick
@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of a tenant's chain, and the offset of the submission that was chained last."""

    tenant_id: str
    seq: int
    hash: bytes
    offset: int


def digest(
    seq: int,
    message_id: str,
    recipient_hash: str,
    channels: tuple[str, ...],
    key_id: str,
    at_ms: int,
    previous: bytes,
) -> bytes:
    """SHA-256 over the fields, each with its length before it, and the previous hash."""
    sha = hashlib.sha256(previous)
    for part in (str(seq), message_id, recipient_hash, ",".join(channels), key_id, str(at_ms)):
        octets = part.encode()
        sha.update(len(octets).to_bytes(4, "big"))
        sha.update(octets)
    return sha.digest()


def chain(
    head: ChainHead | None,
    tenant_id: str,
    message_id: str,
    recipient_hash: str,
    channels: tuple[str, ...],
    key_id: str,
    at_ms: int,
) -> AuditEntry:
    """The next entry after `head`."""
    seq, previous = (head.seq + 1, head.hash) if head else (1, GENESIS)
    return AuditEntry(
        tenant_id, seq, message_id, recipient_hash, channels, key_id, at_ms, previous,
        digest(seq, message_id, recipient_hash, channels, key_id, at_ms, previous),
    )  # fmt: skip


def is_next(entry: AuditEntry, previous: bytes, seq: int) -> bool:
    """Whether `entry` follows an entry with hash `previous` and number `seq - 1`, unchanged."""
    expected = digest(seq, entry.message_id, entry.recipient_hash, entry.channels, entry.key_id, entry.at_ms, previous)
    return entry.seq == seq and entry.previous == previous and hmac.compare_digest(entry.hash, expected)


def recipient_hash(salt_key: bytes, tenant_id: str, address: str) -> str:
    """The recipient as it may be logged: HMAC-SHA256 under a salt that is the tenant's own, 32 hex digits."""
    return hmac.digest(_salt(salt_key, tenant_id), address.casefold().encode(), "sha256")[:16].hex()


@lru_cache(maxsize=10_000)
def _salt(salt_key: bytes, tenant_id: str) -> bytes:
    return hmac.digest(salt_key, tenant_id.encode(), "sha256")
