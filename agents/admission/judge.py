"""The layers without state of their own (1, 2, 5, 6, 7, 9): ask the rule, pass on, put off, or refuse."""

import time
from dataclasses import dataclass

from agents.admission.admitting import Admitting
from agents.admission.edges import ANSWER
from agents.context import Context, Edge
from domain.cascade.plan import Plan
from domain.evolve import evolve
from domain.validation.facts import Layer
from domain.verdict import Defer, Reject

SAMPLE = 16
"""One submission in so many is timed."""


@dataclass(frozen=True, slots=True)
class Judge:
    """One stateless layer: number `layer`: `check` is its rule, `then` the next."""

    layer: int
    check: Layer
    then: Edge

    def handle(self, value: Admitting, ctx: Context) -> None:
        """Judge the submission by the rule."""
        if ctx.offset % SAMPLE:
            outcome = self.check(value.submission, value.facts())
        else:
            started = time.perf_counter()
            outcome = self.check(value.submission, value.facts())
            took_s = time.perf_counter() - started
            ctx.observe("hermes_validation_layer_duration_seconds", took_s, layer=str(self.layer))
        match outcome:
            case Reject() as reject:
                value.reject = reject
                ctx.emit(ANSWER, value.submission.tenant_id, value)
            case Defer() as defer:
                value.plan = put_off(value.plan, defer)
                ctx.emit(self.then, value.submission.tenant_id, value)
            case None:
                ctx.emit(self.then, value.submission.tenant_id, value)


def put_off(plan: Plan | None, defer: Defer) -> Plan | None:
    """The plan with each step's first legal moment."""
    if plan is None:
        return None
    steps = tuple(
        evolve(step, not_before_ms=max(step.not_before_ms, moment))
        for step, moment in zip(plan.steps, defer.not_before_ms, strict=True)
    )
    return evolve(plan, steps=steps)
