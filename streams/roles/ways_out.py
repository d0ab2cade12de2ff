"""The ways out as lanes see them: one `send`, whatever is behind it, and how each does."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.delivery import AttemptDue, Failed, Outcome, Sent
from domain.tenant import CarrierStatus
from egress.lanes import OnUnknown
from egress.mta.mta import Mta
from egress.smpp.carrier import SmppCarrier
from egress.smpp.config import CarrierConfig
from streams.metrics import Metrics
from streams.settings.model import Settings

_WEIGHT = 0.02
"""How much the newest outcome counts in the moving share of successes."""


@dataclass(slots=True)
class SmsWay:
    """An SMPP carrier with its moving success rate."""

    config: CarrierConfig
    carrier: SmppCarrier
    _success: float = 1.0

    async def send(self, attempt: AttemptDue) -> Outcome:
        """Submit the attempt."""
        outcome = await self.carrier.submit(attempt)
        good = not isinstance(outcome, Failed) or outcome.permanent
        self._success += _WEIGHT * (good - self._success)
        return outcome

    @property
    def utilization(self) -> float:
        """Share of the account's windows in use, 0 to 1."""
        return self.carrier.in_flight / (self.config.binds * self.config.window)

    def status(self, at_ms: int) -> CarrierStatus:
        """How the carrier does now."""
        room = self.config.binds * self.config.window - self.carrier.in_flight - self.carrier.queued
        return CarrierStatus(
            self.config.name,
            self.carrier.ready,
            self.carrier.in_flight,
            max(room, 0),
            round(self._success * 1000),
            at_ms,
        )


@dataclass(slots=True)
class MailWay:
    """A mail pool; its mails are counted by result."""

    name: str
    mta: Mta
    metrics: Metrics
    in_flight: int = field(default=0)
    bounce_rate: float = 0.0

    async def send(self, attempt: AttemptDue) -> Outcome:
        """Hand the mail to its exchanger."""
        self.in_flight += 1
        try:
            outcome = await self.mta.send(attempt)
        finally:
            self.in_flight -= 1
        result = "sent" if isinstance(outcome, Sent) else "failed" if isinstance(outcome, Failed) else "unknown"
        bounced = isinstance(outcome, Failed) and outcome.permanent
        self.bounce_rate += _WEIGHT * (bounced - self.bounce_rate)
        self.metrics.set("hermes_mta_bounce_rate", self.bounce_rate, pool=self.name)
        self.metrics.count("hermes_mta_emails_sent_total", pool=self.name, result=result)
        return outcome


def on_unknown(settings: Settings) -> Mapping[str, OnUnknown]:
    """Each carrier's policy for attempts whose outcome is unknown."""
    return {c.name: c.on_unknown for c in settings.carriers}
