"""What agents are made of: the few settings that they take, collected once by the composition root."""

from dataclasses import dataclass

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Parts:
    """`salt_key` keys the recipient hashes; `keep_final_ms` is how long a final state stays in the live table."""

    salt_key: bytes
    keep_final_ms: int = HOUR_MS
    keep_answers_ms: int = 24 * HOUR_MS
    public_url: str = "http://127.0.0.1:8080"
