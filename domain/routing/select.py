"""Choose a route for one attempt: by health, path, cost and quality, with a reason for each route that lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.delivery import Channel
from domain.routing.decision import Candidate, RoutingDecision
from domain.tenant import CarrierStatus, PathType, Route

STATUS_VALID_MS: Final = 30_000
"""How long a carrier's word on capacity and quality holds; after it they are unknown. Down stays down until it says up."""

QUALITY_FLOOR_PERMILLE: Final = 700
"""Below this share of success a route comes after all that are above it, whatever it costs."""

ALL_DOWN: Final = "all_down"
"""The winner's reason when every carrier was down: it was the cheapest, and its topic keeps the attempt."""

PATH_RANK: Final[dict[PathType, int]] = {"direct": 0, "aggregator": 1, "fallback": 2}
_CLASS: Final = 1_000_000
_MAX_COST: Final = _CLASS - 1


@dataclass(frozen=True, slots=True)
class _Judged:
    """A route with what speaks against it, the heaviest first; False, zero and small numbers are good."""

    route: Route
    down: bool
    tried: bool
    no_capacity: bool
    low_quality: bool
    failures_permille: int

    def score(self, all_down: bool) -> float:
        """Lower is better: the class first, in it the cost of a segment, then the failures. With all down only cost counts."""
        cost = min(self.route.cost_micros, _MAX_COST) + self.failures_permille / 1001
        if all_down:
            return cost
        path = PATH_RANK[self.route.path]
        grade = self.down * 32 + self.tried * 16 + self.no_capacity * 8 + self.low_quality * 4 + path
        return grade * _CLASS + cost


def select(
    routes: Sequence[Route],
    health: Mapping[str, CarrierStatus],
    message_id: str,
    tenant_id: str,
    attempt: int,
    channel: Channel,
    segments: int,
    at_ms: int,
    tried: frozenset[str],
) -> RoutingDecision:
    """The decision for an attempt over `routes`, which all have the longest prefix of the address (geography is done).

    `health` is by carrier, `tried` the carriers that this step has tried. No health is good health. The order of `routes`
    does not matter. Carrier, route and path are empty when there are no routes.
    """
    judged = [_judge(route, health.get(route.carrier), at_ms, tried) for route in routes]
    all_down = bool(judged) and all(j.down for j in judged)
    ranked = sorted(
        judged, key=lambda j: (j.score(all_down), j.route.cost_micros, j.route.price_micros, j.route.route_id)
    )
    best = ranked[0] if ranked else None
    candidates = tuple(
        Candidate(
            j.route.route_id,
            j.route.carrier,
            j.route.price_micros * segments,
            j.route.cost_micros * segments,
            round(j.score(all_down), 3),
            (ALL_DOWN if all_down else "") if j is best else _reason(j, best),
        )
        for j in ranked
        if best is not None
    )
    if best is None:
        return RoutingDecision(message_id, tenant_id, attempt, channel, at_ms, "", "", "", candidates)
    won = best.route
    return RoutingDecision(
        message_id, tenant_id, attempt, channel, at_ms, won.carrier, won.route_id, won.path, candidates
    )


def _judge(route: Route, status: CarrierStatus | None, at_ms: int, tried: frozenset[str]) -> _Judged:
    was_tried = route.carrier in tried
    if status is None:
        return _Judged(route, False, was_tried, False, False, 0)
    if not status.up or at_ms - status.at_ms > STATUS_VALID_MS:
        return _Judged(route, not status.up, was_tried, False, False, 0)
    success = status.success_permille
    return _Judged(
        route,
        False,
        was_tried,
        status.capacity <= 0,
        success < QUALITY_FLOOR_PERMILLE,
        min(1000, max(0, 1000 - success)),
    )


def _reason(loser: _Judged, best: _Judged) -> str:
    """The first thing in which `loser` is worse than `best`."""
    if loser.down:
        return "down"
    if loser.tried and not best.tried:
        return "tried"
    if loser.no_capacity and not best.no_capacity:
        return "no_capacity"
    if loser.low_quality and not best.low_quality:
        return "low_quality"
    if PATH_RANK[loser.route.path] > PATH_RANK[best.route.path]:
        return "path"
    if loser.route.cost_micros > best.route.cost_micros:
        return "cost"
    if loser.failures_permille > best.failures_permille:
        return "quality"
    return "tie"
