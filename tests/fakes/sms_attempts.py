"""SMS attempts for tests."""

from domain.delivery import AttemptDue

NEVER_MS = 4_000_000_000_000


def sms(
    text: str = "hello",
    *,
    address: str = "+4599000001",
    sender: str = "Hermes",
    message_id: str = "m1",
    expires_at_ms: int = NEVER_MS,
) -> AttemptDue:
    """An attempt to send `text`."""
    return AttemptDue(
        message_id=message_id,
        attempt=1,
        tenant_id="t1",
        step=0,
        channel="sms",
        carrier="sim",
        address=address,
        sender=sender,
        sender_name="",
        subject="",
        text=text,
        html="",
        created_at_ms=0,
        expires_at_ms=expires_at_ms,
        segments=1,
        price_micros=0,
        cost_micros=0,
        trace_id="",
    )
