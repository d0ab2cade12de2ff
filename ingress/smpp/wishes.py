"""The receipts that a message asks for (registered_delivery, SMPP 3.4 section 5.2.17)."""

from typing import Final

from ingress.smpp.ids import client_id
from ingress.smpp.receipt_store import Kind, ReceiptKey, ReceiptWanted
from schemas.smpp.pdu import ShortMessage
from schemas.smpp.receipt import QUOTED_CHARACTERS

SMSC_RECEIPT: Final = 0x03
FAILURE_ONLY: Final = 0x02
INTERMEDIATE: Final = 0x10


def receipts_of(
    message: ShortMessage,
    key: tuple[str, str, int],
    system_id: str,
    text: str,
    submitted_at_ms: int,
    expires_at_ms: int,
    receipt_id: str = "",
) -> tuple[ReceiptWanted, ...]:
    """What the message asks for: the receipt of its end, an intermediate notification, both or nothing.

    `key` is tenant, message id and part; the receipt carries the id that this part is answered with, or `receipt_id`.
    """
    tenant_id, message_id, part = key
    wanted = message.registered_delivery
    kinds: list[Kind] = []
    if wanted & SMSC_RECEIPT:
        kinds.append("final")
    if wanted & INTERMEDIATE:
        kinds.append("intermediate")
    return tuple(
        ReceiptWanted(
            ReceiptKey(tenant_id, message_id, part, kind),
            receipt_id or client_id(message_id, part),
            system_id,
            message.source_addr_ton,
            message.source_addr_npi,
            message.source_addr,
            message.dest_addr_ton,
            message.dest_addr_npi,
            message.destination_addr,
            wanted & SMSC_RECEIPT == FAILURE_ONLY,
            text[:QUOTED_CHARACTERS],
            submitted_at_ms,
            expires_at_ms,
        )
        for kind in kinds
    )
