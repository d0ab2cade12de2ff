"""What a carrier connection tells of itself, for logs and metrics; no text, no secret, no number is ever passed on."""

from typing import Protocol

import structlog

from domain.delivery import AttemptDue, ReceiptSeen
from schemas.smpp.status import status_name


class CarrierEvents(Protocol):
    """Called from the event loop: must not block and must not raise."""

    def bound(self, carrier: str, bind: int) -> None:
        """A bind came up."""

    def unbound(self, carrier: str, bind: int, reason: str, retry_ms: int) -> None:
        """A bind is gone or did not come up; it is tried again after `retry_ms`."""

    def bind_refused(self, carrier: str, bind: int, status: int, retry_ms: int) -> None:
        """The carrier answered a bind with a status: a person has to look when it is about credentials."""

    def answered(self, carrier: str, status: int, rtt_ms: int) -> None:
        """A submit_sm was answered."""

    def throttled(self, carrier: str, pause_ms: int) -> None:
        """Everything to this carrier pauses."""

    def late(self, attempt: AttemptDue, part: int, status: int, provider_id: str) -> None:
        """A segment that was given up as unknown was answered after all; `part` counts from zero."""

    def receipt(self, receipt: ReceiptSeen, *, stored: bool) -> None:
        """A receipt came; if it could not be stored, the carrier will send it again."""

    def peer_fault(self, carrier: str, fault: str) -> None:
        """The peer sent what it should not."""


class LogEvents:
    """Writes the rare events to the log and leaves the frequent ones to metrics."""

    def __init__(self) -> None:
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger("egress.smpp")

    def bound(self, carrier: str, bind: int) -> None:
        """See CarrierEvents."""
        self._log.info("smpp_bound", carrier=carrier, bind=bind)

    def unbound(self, carrier: str, bind: int, reason: str, retry_ms: int) -> None:
        """See CarrierEvents."""
        self._log.warning("smpp_unbound", carrier=carrier, bind=bind, reason=reason, retry_ms=retry_ms)

    def bind_refused(self, carrier: str, bind: int, status: int, retry_ms: int) -> None:
        """See CarrierEvents."""
        self._log.error(
            "smpp_bind_refused", carrier=carrier, bind=bind, status=status_name(status), retry_ms=retry_ms, alert=True
        )

    def answered(self, carrier: str, status: int, rtt_ms: int) -> None:
        """See CarrierEvents."""

    def throttled(self, carrier: str, pause_ms: int) -> None:
        """See CarrierEvents."""
        self._log.info("smpp_throttled", carrier=carrier, pause_ms=pause_ms)

    def late(self, attempt: AttemptDue, part: int, status: int, provider_id: str) -> None:
        """See CarrierEvents."""
        self._log.warning(
            "smpp_late_response",
            carrier=attempt.carrier,
            message_id=attempt.message_id,
            attempt=attempt.attempt,
            part=part,
            status=status_name(status),
            provider_id=provider_id,
        )

    def receipt(self, receipt: ReceiptSeen, *, stored: bool) -> None:
        """See CarrierEvents."""
        if not stored:
            self._log.warning("smpp_receipt_not_stored", carrier=receipt.carrier, provider_id=receipt.provider_id)

    def peer_fault(self, carrier: str, fault: str) -> None:
        """See CarrierEvents."""
        self._log.warning("smpp_peer_fault", carrier=carrier, fault=fault)
