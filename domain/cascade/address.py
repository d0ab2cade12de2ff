"""Which of a recipient's addresses a channel uses."""

from typing import assert_never

from domain.delivery import Channel
from domain.message import Recipient


def address_of(to: Recipient, channel: Channel) -> str:
    """The address of `to` on `channel`, empty for none. Telegram has no address of its own but the user's id."""
    match channel:
        case "email":
            return to.email
        case "sms" | "whatsapp":
            return to.phone
        case "push":
            return to.device_token
        case "telegram":
            return to.user_id
        case _ as unreachable:
            assert_never(unreachable)
