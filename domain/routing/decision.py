"""The record of one routing decision: the winner, and each loser with its reason."""

from dataclasses import dataclass

from domain.delivery import Channel
from domain.evolve import quick


@quick
@dataclass(frozen=True, slots=True)
class Candidate:
    """A route that was looked at; `reason` says why it lost, empty for the winner. `score`: lower is better."""

    route_id: str
    carrier: str
    price_micros: int
    cost_micros: int
    score: float
    reason: str


@quick
@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """What the router decided for one attempt; `carrier` is empty when no route was left."""

    message_id: str
    tenant_id: str
    attempt: int
    channel: Channel
    at_ms: int
    carrier: str
    route_id: str
    path: str
    candidates: tuple[Candidate, ...]
