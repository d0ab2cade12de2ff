"""The frozen plan of a message: each step with its address, price and the reason if it is skipped."""

from dataclasses import dataclass

from domain.cascade.rule import ConfirmationLevel, Step
from domain.evolve import evolve, quick
from domain.tenant import ChargeOn


@quick
@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with what admission found out: `skip` is the reason why it will not be tried, empty when it will.

    `price_micros` is the dearest price a route for this step can have, all segments together; `not_before_ms` is a legal
    opening (quiet hours), zero for none; `timezone` is the IANA zone that the delivery window is read in.
    """

    step: Step
    address: str
    segments: int
    price_micros: int
    skip: str = ""
    not_before_ms: int = 0
    timezone: str = "UTC"


@quick
@dataclass(frozen=True, slots=True)
class Plan:
    """What will be tried, fixed at admission: later changes of the rule or of prices do not reach this message."""

    steps: tuple[PlannedStep, ...]
    confirmation: ConfirmationLevel
    max_duration_ms: int
    charge_on: ChargeOn
    send_at_ms: int
    rule_id: str

    def without(self, suppressed: tuple[int, ...]) -> "Plan":
        """The plan that passes over the steps at these places, whose addresses want to be left alone."""
        steps = tuple(evolve(s, skip="suppressed") if n in suppressed else s for n, s in enumerate(self.steps))
        return evolve(self, steps=steps)

    @property
    def dearest_micros(self) -> int:
        """The most that this message can cost: one charge, for the step that confirms it."""
        return max((s.price_micros for s in self.steps if not s.skip), default=0)
