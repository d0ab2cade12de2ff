"""The message id as SMPP clients know it: 32 hexadecimal digits, and two more for a part of a long message."""

import re
from typing import Final

PREFIX: Final = "msg-"

_CLIENT_ID = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})(?:[0-9a-f]{2})?")


def client_id(message_id: str, part: int = 0) -> str:
    """What a client is told: our id without its prefix and dashes, followed by the part (1 to 255), zero for a whole."""
    digits = message_id.removeprefix(PREFIX).replace("-", "")
    return f"{digits}{part:02x}" if part else digits


def message_id_of(text: str) -> str | None:
    """Our id of what a client names, in either case; None for what was never an id of ours."""
    match = _CLIENT_ID.fullmatch(text.lower())
    return None if match is None else PREFIX + "-".join(match.groups())
