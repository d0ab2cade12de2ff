"""Layer 9: at least one step of the plan can be tried."""

from domain.errors import FieldError
from domain.message import Submission
from domain.validation.facts import Facts
from domain.verdict import Reject

_WORDS = {
    "no_address": "the recipient has no address on this channel",
    "not_registered": "the recipient is not registered on this channel",
    "no_route": "no route leads to this address",
    "quiet_hours": "its delivery window lies in quiet hours",
}


def check(_submission: Submission, facts: Facts) -> Reject | None:
    """Refuse a message of which every step is skipped, with each step's reason."""
    steps = facts.plan.steps if facts.plan is not None else ()
    if any(not step.skip for step in steps):
        return None
    errors = tuple(
        FieldError(f"routing.channels.{n}", step.skip, f"{step.step.channel}: {_WORDS.get(step.skip, step.skip)}")
        for n, step in enumerate(steps)
    )
    return Reject(9, "no_route", "No step of the cascade can be tried.", errors)
