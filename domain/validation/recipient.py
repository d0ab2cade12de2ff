"""The recipient's fields as layer 5 sees them: present, well formed, and of use to at least one step."""

from collections.abc import Callable, Iterator

from domain.cascade.address import address_of
from domain.errors import FieldError
from domain.message import Recipient, SendRequest
from domain.validation.addresses import is_device_token, is_mailbox, is_phone, is_user_id

_FORMS: dict[str, tuple[Callable[[str], bool], str, str]] = {
    "email": (is_mailbox, "invalid_email", "must be a mailbox such as user@example.com"),
    "phone": (is_phone, "invalid_phone", "must be an E.164 number such as +4512345678"),
    "device_token": (is_device_token, "invalid_device_token", "must be a device token of FCM or APNs"),
    "user_id": (is_user_id, "invalid_user_id", "must be at most 255 printable characters"),
}


def recipient_errors(request: SendRequest) -> Iterator[FieldError]:
    """What is wrong with `to`: the address that its type names is missing, malformed or unknown, or no step can use one."""
    before = list(_address_errors(request.to))
    yield from before
    if not before and request.steps and not any(address_of(request.to, step.channel) for step in request.steps):
        channels = ", ".join(sorted({step.channel for step in request.steps}))
        yield FieldError("to", "no_address", f"has no address for any of the channels ({channels})")


def _address_errors(to: Recipient) -> Iterator[FieldError]:
    values = {"email": to.email, "phone": to.phone, "device_token": to.device_token, "user_id": to.user_id}
    if to.type == "multi":
        if not any(values.values()):
            yield FieldError("to", "required", "must have at least one of email, phone and device_token")
    elif not values[to.type]:
        yield FieldError(f"to.{to.type}", "required", f"is required for the type {to.type}")
    for name, value in values.items():
        is_well_formed, code, message = _FORMS[name]
        if value and not is_well_formed(value):
            yield FieldError(f"to.{name}", code, message)
    if to.type == "user_id" and to.user_id:
        yield FieldError("to.user_id", "unknown_user", "is not in the contact book")
