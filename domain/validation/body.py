"""The body as layer 5 sees it: there is something to say on each channel, and it is within the channel's size."""

import re
from collections.abc import Iterator
from typing import Final, assert_never

from domain.delivery import Channel
from domain.errors import FieldError
from domain.message import Body, SendRequest
from domain.sms import segments
from domain.tenant import Tier

MAX_SUBJECT_CHARS: Final = 998
"""RFC 5322 section 2.1.1: the longest line of a mail."""
MAX_SMS_SEGMENTS: Final = 10
MAX_CHAT_CHARS: Final = 4_096
MAX_PUSH_OCTETS: Final = 4_096
MAX_EMAIL_OCTETS: Final[dict[Tier, int]] = {"starter": 1 << 20, "business": 2 << 20, "enterprise": 4 << 20}
MAX_TEMPLATE_ID_CHARS: Final = 255

_LINE_BREAK = re.compile(r"[\r\n]")


def body_errors(request: SendRequest, tier: Tier) -> Iterator[FieldError]:
    """What is wrong with `body`, for all channels of the steps at once."""
    body = request.body
    for name, value in (("text", body.text), ("html", body.html), ("subject", body.subject)):
        if "\x00" in value:
            yield FieldError(f"body.{name}", "invalid_characters", "must not hold NUL")
    if len(body.subject) > MAX_SUBJECT_CHARS:
        yield FieldError("body.subject", "too_long", f"must be at most {MAX_SUBJECT_CHARS} characters long")
    if _LINE_BREAK.search(body.subject):
        yield FieldError("body.subject", "invalid_characters", "must not hold line breaks")
    if body.template_id:
        yield FieldError(
            "body.template_id", "template_not_found", f"names no template: {body.template_id[:MAX_TEMPLATE_ID_CHARS]}"
        )
        return
    for channel in sorted({step.channel for step in request.steps}):
        yield from _channel_errors(body, channel, tier)


def _channel_errors(body: Body, channel: Channel, tier: Tier) -> Iterator[FieldError]:
    if channel == "email":
        if not body.text.strip() and not body.html.strip():
            yield FieldError("body.text", "required", "or html is required for email")
        if _octets(body.text) + _octets(body.html) > MAX_EMAIL_OCTETS[tier]:
            yield FieldError("body", "too_large", f"must be at most {MAX_EMAIL_OCTETS[tier]} octets of text and html")
        return
    if not body.text.strip():
        yield FieldError("body.text", "required", f"is required for {channel}")
    match channel:
        case "sms":
            if segments(body.text) > MAX_SMS_SEGMENTS:
                yield FieldError("body.text", "too_long", f"must fit into {MAX_SMS_SEGMENTS} SMS segments")
        case "whatsapp" | "telegram":
            if len(body.text) > MAX_CHAT_CHARS:
                yield FieldError("body.text", "too_long", f"must be at most {MAX_CHAT_CHARS} characters for {channel}")
        case "push":
            if _octets(body.text) + _octets(body.subject) > MAX_PUSH_OCTETS:
                yield FieldError("body.text", "too_long", f"must be at most {MAX_PUSH_OCTETS} octets with its subject")
        case _ as unreachable:
            assert_never(unreachable)


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
