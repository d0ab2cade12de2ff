"""A receipt on the wire: a deliver_sm with the text of Appendix B and, for SMPP 3.4, the TLVs that say the same."""

from datetime import UTC, datetime
from typing import Final

from ingress.smpp.receipt_store import ReceiptDue
from schemas.smpp.commands import DELIVER_SM
from schemas.smpp.pdu import (
    ESM_INTERMEDIATE,
    ESM_RECEIPT,
    INTERFACE_VERSION,
    TLV_MESSAGE_STATE,
    TLV_NETWORK_ERROR_CODE,
    TLV_RECEIPTED_MESSAGE_ID,
    ShortMessage,
    Tlv,
)
from schemas.smpp.receipt import STATES, build_text

NETWORK_GSM: Final = 3
"""network_error_code's first octet (5.3.2.31)."""
MAX_NETWORK_ERROR: Final = 0xFFFF


def receipt_pdu(due: ReceiptDue, interface_version: int) -> ShortMessage:
    """The deliver_sm, its sequence number zero: the addresses of the message with their TON and NPI, the other way round."""
    wanted = due.wanted
    text = build_text(
        wanted.receipt_id,
        due.stat,
        _utc(wanted.submitted_at_ms),
        _utc(due.done_at_ms),
        err=due.err,
        quoted=wanted.quoted,
        delivered=1 if due.stat == "DELIVRD" else 0,
    )
    return ShortMessage(
        command_id=DELIVER_SM,
        source_addr_ton=wanted.dest_ton,
        source_addr_npi=wanted.dest_npi,
        source_addr=wanted.dest_addr,
        dest_addr_ton=wanted.source_ton,
        dest_addr_npi=wanted.source_npi,
        destination_addr=wanted.source_addr,
        esm_class=ESM_INTERMEDIATE if wanted.key.kind == "intermediate" else ESM_RECEIPT,
        short_message=text,
        tlvs=_tlvs(due) if interface_version >= INTERFACE_VERSION else (),
    )


def _tlvs(due: ReceiptDue) -> tuple[Tlv, ...]:
    tlvs: tuple[Tlv, ...] = (
        (TLV_RECEIPTED_MESSAGE_ID, due.wanted.receipt_id.encode("ascii") + b"\0"),
        (TLV_MESSAGE_STATE, bytes((STATES[due.stat],))),
    )
    if due.err.isdigit() and 0 < int(due.err) <= MAX_NETWORK_ERROR:
        tlvs += ((TLV_NETWORK_ERROR_CODE, bytes((NETWORK_GSM,)) + int(due.err).to_bytes(2, "big")),)
    return tlvs


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
