"""A submit_sm as the one request that every protocol hands in, with what its receipt will need."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.cascade.rule import DEFAULT_MAX_DURATION_MS, MAX_DURATION_MS, MAX_STEP_TIMEOUT_MS, Step
from domain.message import Body, Recipient, SendRequest
from ingress.addresses import Phone
from ingress.smpp.caller import Caller
from ingress.smpp.settings import AccountProfile
from schemas.smpp import smpp_time
from schemas.smpp import status as s
from schemas.smpp.content import Content, text_of
from schemas.smpp.pdu import (
    TLV_MESSAGE_PAYLOAD,
    TLV_SAR_MSG_REF_NUM,
    TLV_SAR_SEGMENT_SEQNUM,
    TLV_SAR_TOTAL_SEGMENTS,
    TLV_USER_MESSAGE_REFERENCE,
    ShortMessage,
    Tlv,
    tlv,
)

MAX_KEPT_TLVS: Final = 16
MAX_KEPT_TLV_OCTETS: Final = 256
MAX_KEY_CHARS: Final = 255
ESME_RINVPARLEN: Final = 0xC2

_CONSUMED: Final = frozenset({TLV_MESSAGE_PAYLOAD, TLV_SAR_MSG_REF_NUM, TLV_SAR_SEGMENT_SEQNUM, TLV_SAR_TOTAL_SEGMENTS})


@dataclass(frozen=True, slots=True)
class Times:
    """When to send (ms since 1970, zero for at once), and for how long a message is worth sending after that."""

    send_at_ms: int
    duration_ms: int


def times_of(message: ShortMessage, now_ms: int) -> Times | int:
    """Both times in milliseconds, or the status that refuses them; a validity beyond our longest is cut to it.

    `submit_check` has seen to their form. A moment to send that has passed means at once only as far as layer 5 lets it.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    schedule = smpp_time.parse(message.schedule_delivery_time, now)
    expiry = smpp_time.parse(message.validity_period, now)
    send_at_ms = _ms(schedule) if schedule is not None else 0
    if expiry is None:
        return Times(send_at_ms, DEFAULT_MAX_DURATION_MS)
    duration_ms = _ms(expiry) - max(now_ms, send_at_ms)
    if duration_ms <= 0:
        return s.ESME_RINVEXPIRY
    return Times(send_at_ms, min(duration_ms, MAX_DURATION_MS))


def request_of(
    message: ShortMessage, contents: Sequence[Content], phone: Phone, sender: str, times: Times, caller: Caller
) -> SendRequest:
    """The request: one step by SMS that waits for its receipt as long as the message is valid."""
    return SendRequest(
        to=Recipient("phone", phone=phone.e164),
        body=Body(text_of(contents)),
        steps=(Step("sms", timeout_ms=min(times.duration_ms, MAX_STEP_TIMEOUT_MS)),),
        confirmation="delivered",
        max_duration_ms=times.duration_ms,
        metadata=metadata_of(message, caller),
        send_at_ms=times.send_at_ms,
        sender=sender,
        timezone=phone.timezone,
    )


def metadata_of(message: ShortMessage, caller: Caller) -> dict[str, str]:
    """What the request itself has no place for, under `smpp.`: the addresses as they came, options, and TLVs in hex."""
    found = {
        "smpp.system_id": caller.system_id,
        "smpp.source": f"{message.source_addr_ton}/{message.source_addr_npi}/{message.source_addr}",
        "smpp.destination": f"{message.dest_addr_ton}/{message.dest_addr_npi}/{message.destination_addr}",
        "smpp.registered_delivery": str(message.registered_delivery),
        "smpp.data_coding": str(message.data_coding),
        "smpp.priority": str(message.priority_flag),
    }
    if message.service_type:
        found["smpp.service_type"] = message.service_type
    found |= {f"smpp.tlv.{tag:04x}": value.hex() for tag, value in _kept(message.tlvs)}
    return found


def idempotency_key_of(message: ShortMessage, profile: AccountProfile) -> str | int:
    """The client's key from its TLV, else from user_message_reference if that is one; empty for none, or a status.

    The reference has 16 bits only: it is joined with both addresses so that fewer messages share one.
    """
    value = tlv(message.tlvs, profile.idempotency_tag)
    if value is not None:
        octets = value.rstrip(b"\0")
        text = octets.decode("latin-1")
        key = text if text.isascii() and text.isprintable() else octets.hex()
        return key if 0 < len(key) <= MAX_KEY_CHARS else s.ESME_RINVOPTPARAMVAL
    reference = tlv(message.tlvs, TLV_USER_MESSAGE_REFERENCE)
    if not profile.reference_is_key or reference is None:
        return ""
    if len(reference) != 2:
        return ESME_RINVPARLEN
    return f"umr:{reference.hex()}:{message.source_addr.encode('latin-1').hex()}:{message.destination_addr}"


def fingerprint_of(message: ShortMessage, text: str) -> bytes:
    """SHA-256 of what makes two submissions the same: addresses, text, times as they were written, and the options."""
    parts = (
        message.service_type,
        f"{message.source_addr_ton} {message.source_addr_npi} {message.source_addr}",
        f"{message.dest_addr_ton} {message.dest_addr_npi} {message.destination_addr}",
        message.schedule_delivery_time,
        message.validity_period,
        f"{message.registered_delivery} {message.priority_flag}",
        text,
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()


def _kept(tlvs: tuple[Tlv, ...]) -> list[Tlv]:
    """The TLVs that are passed through: the first few that we did not use ourselves and that are not too long."""
    kept = [(tag, value) for tag, value in tlvs if tag not in _CONSUMED and len(value) <= MAX_KEPT_TLV_OCTETS]
    return kept[:MAX_KEPT_TLVS]


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
