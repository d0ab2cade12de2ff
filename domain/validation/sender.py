"""The sender as layer 5 sees it: well formed for a channel of the steps, and the tenant's own."""

from collections.abc import Iterator

from domain.errors import FieldError
from domain.message import SendRequest
from domain.tenant import Tenant
from domain.validation.addresses import is_mailbox, is_sms_sender

_PHONE_CHANNELS = frozenset({"sms", "whatsapp"})


def sender_errors(request: SendRequest, tenant: Tenant | None) -> Iterator[FieldError]:
    """What is wrong with `sender`: a mailbox must lie in the tenant's domain, anything else must be an SMS source."""
    sender = request.sender
    channels = {step.channel for step in request.steps}
    if not sender:
        return
    if "@" in sender:
        if "email" not in channels:
            yield FieldError("sender", "invalid_sender", "is a mailbox, but no step sends mail")
        elif not is_mailbox(sender):
            yield FieldError("sender", "invalid_sender", "must be a mailbox such as news@example.com")
        elif tenant is None or not _is_within(sender.rpartition("@")[2], tenant.from_domain):
            yield FieldError("sender", "sender_not_allowed", "must be in the sending domain of the tenant")
    elif not channels & _PHONE_CHANNELS:
        yield FieldError("sender", "invalid_sender", "must be a mailbox such as news@example.com")
    elif not is_sms_sender(sender):
        yield FieldError("sender", "invalid_sender", "must be 3 to 15 digits or up to 11 GSM characters with a letter")


def _is_within(domain: str, parent: str) -> bool:
    """Whether `domain` is `parent` or below it; nothing is below an empty parent."""
    domain, parent = domain.lower(), parent.lower().strip(".")
    return bool(parent) and (domain == parent or domain.endswith(f".{parent}"))
