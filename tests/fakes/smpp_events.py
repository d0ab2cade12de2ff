"""Carrier events kept in lists."""

from dataclasses import dataclass, field

from domain.delivery import AttemptDue, ReceiptSeen


@dataclass(slots=True)
class KeptEvents:
    """Everything that a carrier client told, in order."""

    names: list[str] = field(default_factory=list)
    refusals: list[tuple[int, int]] = field(default_factory=list)  # status, wait in milliseconds
    unbounds: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lates: list[tuple[str, int, int, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    pauses: list[int] = field(default_factory=list)
    not_stored: int = 0

    def bound(self, carrier: str, bind: int) -> None:
        self.names.append("bound")

    def unbound(self, carrier: str, bind: int, reason: str, retry_ms: int) -> None:
        self.names.append("unbound")
        self.unbounds.append(reason)

    def bind_refused(self, carrier: str, bind: int, status: int, retry_ms: int) -> None:
        self.names.append("bind_refused")
        self.refusals.append((status, retry_ms))

    def answered(self, carrier: str, status: int, rtt_ms: int) -> None:
        self.statuses.append(status)

    def throttled(self, carrier: str, pause_ms: int) -> None:
        self.pauses.append(pause_ms)

    def late(self, attempt: AttemptDue, part: int, status: int, provider_id: str) -> None:
        self.lates.append((attempt.message_id, part, status, provider_id))

    def receipt(self, receipt: ReceiptSeen, *, stored: bool) -> None:
        self.not_stored += 0 if stored else 1

    def peer_fault(self, carrier: str, fault: str) -> None:
        self.faults.append(fault)
