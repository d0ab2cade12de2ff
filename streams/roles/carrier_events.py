"""What happens on a carrier's binds, as metrics and log lines."""

from prometheus_client import Counter

from domain.delivery import AttemptDue, ReceiptSeen
from egress.smpp.events import LogEvents
from schemas.smpp.status import status_name
from streams.metrics import Metrics

MAX_STATUSES = 200
"""Statuses whose counter is kept at hand; a peer may invent them."""


class CarrierMeter:
    """Counts, and logs what is worth a line."""

    def __init__(self, metrics: Metrics, carrier: str) -> None:
        self._metrics = metrics
        self._log = LogEvents()
        self._bound = 0
        self._answers: dict[int, Counter] = {}
        self._seconds = metrics.histogram("hermes_egress_send_seconds", carrier=carrier)
        metrics.watch("hermes_smpp_connections_active", lambda: self._bound, carrier=carrier)

    def bound(self, carrier: str, bind: int) -> None:
        """A bind is up."""
        self._bound += 1
        self._log.bound(carrier, bind)

    def unbound(self, carrier: str, bind: int, reason: str, retry_ms: int) -> None:
        """A bind is gone."""
        self._bound = max(self._bound - 1, 0)
        self._log.unbound(carrier, bind, reason, retry_ms)

    def bind_refused(self, carrier: str, bind: int, status: int, retry_ms: int) -> None:
        """The carrier refused a bind."""
        self._log.bind_refused(carrier, bind, status, retry_ms)

    def answered(self, carrier: str, status: int, rtt_ms: int) -> None:
        """A submit_sm was answered."""
        answers = self._answers.get(status)
        if answers is None:
            name = status_name(status)
            answers = self._metrics.counter("hermes_smpp_submit_sm_total", carrier=carrier, status=name)
            if len(self._answers) < MAX_STATUSES:
                self._answers[status] = answers
        answers.inc()
        self._seconds.observe(rtt_ms / 1000)

    def throttled(self, carrier: str, pause_ms: int) -> None:
        """The carrier asked for patience."""
        self._log.throttled(carrier, pause_ms)

    def late(self, attempt: AttemptDue, part: int, status: int, provider_id: str) -> None:
        """An answer came after its attempt was given up as unknown."""
        self._log.late(attempt, part, status, provider_id)

    def receipt(self, receipt: ReceiptSeen, *, stored: bool) -> None:
        """A receipt was answered; the ones that were stored are counted where they are stored."""
        if not stored:
            self._log.receipt(receipt, stored=stored)

    def peer_fault(self, carrier: str, fault: str) -> None:
        """The peer broke the protocol."""
        self._log.peer_fault(carrier, fault)
