"""Attempts as the tests of the mail way out need them."""

from dataclasses import replace

from domain.delivery import AttemptDue

NOW_MS = 1_790_000_000_000

PLAIN = AttemptDue(
    message_id="msg-0190f5fe",
    attempt=1,
    tenant_id="acme",
    step=0,
    channel="email",
    carrier="mta",
    address="delivered@sandbox.test",
    sender="news@acme.test",
    sender_name="Acme",
    subject="Your order",
    text="It is on its way.\n",
    html="",
    created_at_ms=NOW_MS,
    expires_at_ms=NOW_MS + 10**12,
    segments=1,
    price_micros=0,
    cost_micros=0,
    trace_id="",
)


def attempt(
    *,
    message_id: str = PLAIN.message_id,
    address: str = PLAIN.address,
    sender: str = PLAIN.sender,
    sender_name: str = PLAIN.sender_name,
    subject: str = PLAIN.subject,
    text: str = PLAIN.text,
    html: str = "",
    expires_at_ms: int = PLAIN.expires_at_ms,
    headers: dict[str, str] | None = None,
) -> AttemptDue:
    """The plain attempt with some of it changed."""
    return replace(
        PLAIN,
        message_id=message_id,
        address=address,
        sender=sender,
        sender_name=sender_name,
        subject=subject,
        text=text,
        html=html,
        expires_at_ms=expires_at_ms,
        headers=headers or {},
    )
