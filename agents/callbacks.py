"""What a tenant's callback is told, in the shape of Standard Webhooks: type, timestamp, data."""

import json
from datetime import UTC, datetime
from typing import Any

from schemas.rows import CallbackDue


def callback(
    event_id: str, tenant_id: str, message_id: str, kind: str, at_ms: int, data: dict[str, Any]
) -> CallbackDue:
    """The event `kind` that happened at `at_ms`; `event_id` is the same however often it is told."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
    payload = json.dumps({"type": kind, "timestamp": at, "data": data}, separators=(",", ":"))
    return CallbackDue(event_id, tenant_id, message_id, kind, at_ms, payload)
