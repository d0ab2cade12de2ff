"""What recipients say: who wants to be left alone is kept per tenant, and the tenant is told of every message."""

from dataclasses import dataclass

from agents.callbacks import callback
from agents.context import Context
from domain.compliance.keywords import Keyword, keyword_of
from domain.inbound import Lift, Received, Suppress, Suppression, may_suppress, suppression_key
from schemas.rows import CallbackDue
from schemas.topics import WEBHOOKS
from tables.catalogue import SUPPRESSED


@dataclass(frozen=True, slots=True)
class KeepContacts:
    """The one writer of a tenant's suppressions. A record that is done again changes nothing and tells the same callback."""

    def handle(self, value: Received | Suppress | Lift, ctx: Context) -> None:
        """Suppress, lift, or take a message in."""
        match value:
            case Suppress():
                self._suppress(value, ctx)
            case Lift():
                ctx.delete(SUPPRESSED, suppression_key(value.tenant_id, value.channel, value.address))
            case Received():
                self._receive(value, ctx)

    def _suppress(self, value: Suppress, ctx: Context) -> None:
        key = suppression_key(value.tenant_id, value.channel, value.address)
        if may_suppress(value.address) and ctx.get(SUPPRESSED, key) is None:
            ctx.put(SUPPRESSED, key, Suppression(value.reason, value.at_ms, value.message_id))
            ctx.count("hermes_suppressions_total", reason=value.reason)

    def _receive(self, value: Received, ctx: Context) -> None:
        keyword = keyword_of(value.text) if value.channel == "sms" else None
        if keyword == "stop":
            self._suppress(Suppress(value.tenant_id, value.channel, value.sender, "stop", value.at_ms), ctx)
        elif keyword == "start":
            ctx.delete(SUPPRESSED, suppression_key(value.tenant_id, value.channel, value.sender))
        ctx.count("hermes_inbound_messages_total", channel=value.channel)
        tenant = ctx.config.tenant(value.tenant_id)
        if tenant is not None and tenant.has_webhook:
            ctx.emit(WEBHOOKS, value.tenant_id, _received(value, keyword))


def _received(value: Received, keyword: Keyword | None) -> CallbackDue:
    """The event `message.received`."""
    data = {
        "inbound_id": value.inbound_id,
        "channel": value.channel,
        "from": value.sender,
        "to": value.recipient,
        "subject": value.subject or None,
        "text": value.text,
        "keyword": keyword,
        "in_reply_to": value.in_reply_to or None,
    }
    return callback(
        f"evt-{value.inbound_id}", value.tenant_id, value.in_reply_to, "message.received", value.at_ms, data
    )
