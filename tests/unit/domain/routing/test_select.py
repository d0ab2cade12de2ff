"""The choice of a route, and why the others lost."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.routing.decision import RoutingDecision
from domain.routing.select import ALL_DOWN, STATUS_VALID_MS, select
from domain.tenant import CarrierStatus, Route
from tests.unit.domain.given import NOW, route


def status(carrier: str, **changes: Any) -> CarrierStatus:
    fields = {"up": True, "in_flight": 0, "capacity": 10, "success_permille": 990, "at_ms": NOW} | changes
    return CarrierStatus(carrier=carrier, **fields)


def health(*statuses: CarrierStatus) -> dict[str, CarrierStatus]:
    return {s.carrier: s for s in statuses}


def choose(
    routes: tuple[Route, ...], known: Mapping[str, CarrierStatus] | None = None, tried: frozenset[str] = frozenset()
) -> RoutingDecision:
    return select(routes, known or {}, "msg-1", "t1", 1, "sms", 2, NOW, tried)


def reasons(decision: RoutingDecision) -> dict[str, str]:
    return {c.route_id: c.reason for c in decision.candidates}


def test_the_cheapest_direct_route_wins_and_prices_count_every_segment() -> None:
    decision = choose((route("a", price=400), route("b", price=200)))

    assert (decision.route_id, decision.carrier, decision.path) == ("b", "carrier-b", "direct")
    assert reasons(decision) == {"b": "", "a": "cost"}
    assert [(c.price_micros, c.cost_micros) for c in decision.candidates] == [(400, 200), (800, 400)]


def test_a_direct_path_comes_before_an_aggregator_and_that_before_a_fallback() -> None:
    decision = choose(
        (route("f", price=1, path="fallback"), route("d", price=900), route("g", price=2, path="aggregator"))
    )
    assert [c.route_id for c in decision.candidates] == ["d", "g", "f"]
    assert reasons(decision) == {"d": "", "g": "path", "f": "path"}


def test_a_carrier_that_is_down_loses() -> None:
    decision = choose((route("a", price=1), route("b", price=2)), health(status("carrier-a", up=False)))
    assert reasons(decision) == {"b": "", "a": "down"}


def test_a_carrier_stays_down_however_old_its_word_is() -> None:
    old = NOW - STATUS_VALID_MS - 1
    decision = choose((route("a", price=1), route("b", price=2)), health(status("carrier-a", up=False, at_ms=old)))
    assert reasons(decision)["a"] == "down"


def test_an_old_word_on_capacity_and_quality_counts_no_more() -> None:
    old = NOW - STATUS_VALID_MS - 1
    known = health(status("carrier-a", capacity=0, success_permille=1, at_ms=old))
    assert choose((route("a", price=1), route("b", price=2)), known).route_id == "a"


def test_with_all_down_the_cheapest_still_gets_the_attempt() -> None:
    known = health(status("carrier-a", up=False), status("carrier-b", up=False))
    decision = choose((route("a", price=900), route("b", price=2, path="fallback")), known)

    assert decision.route_id == "b"
    assert reasons(decision) == {"b": ALL_DOWN, "a": "down"}


def test_a_full_carrier_loses_unless_all_are_full() -> None:
    routes = (route("a", price=1), route("b", price=2))
    assert reasons(choose(routes, health(status("carrier-a", capacity=0)))) == {"b": "", "a": "no_capacity"}
    full = health(status("carrier-a", capacity=0), status("carrier-b", capacity=0))
    assert reasons(choose(routes, full)) == {"a": "", "b": "cost"}


def test_a_carrier_of_low_quality_loses_and_of_equal_cost_the_better_wins() -> None:
    known = health(status("carrier-a", success_permille=100))
    assert reasons(choose((route("a", price=1), route("b", price=2)), known)) == {"b": "", "a": "low_quality"}
    known = health(status("carrier-a", success_permille=900), status("carrier-b", success_permille=950))
    assert reasons(choose((route("a", price=2), route("b", price=2)), known)) == {"b": "", "a": "quality"}


def test_a_carrier_that_this_step_has_tried_comes_last_but_is_taken_when_alone() -> None:
    tried = frozenset({"carrier-a"})
    assert reasons(choose((route("a", price=1), route("b", price=2)), tried=tried)) == {"b": "", "a": "tried"}
    assert choose((route("a"),), tried=tried).route_id == "a"


def test_without_routes_nobody_is_chosen() -> None:
    decision = choose(())
    assert (decision.carrier, decision.route_id, decision.candidates) == ("", "", ())


def test_routes_alike_in_everything_are_chosen_by_their_id() -> None:
    assert reasons(choose((route("b"), route("a")))) == {"a": "", "b": "tie"}


routes_of = st.lists(
    st.builds(
        Route, st.sampled_from("abcdefgh"), st.just("sms"), st.just(""), st.sampled_from(("c1", "c2", "c3")),
        st.integers(0, 3_000_000), st.integers(0, 3_000_000), path=st.sampled_from(("direct", "aggregator", "fallback")),
    ),
    min_size=1, max_size=6, unique_by=lambda r: r.route_id,
)  # fmt: skip
statuses = st.builds(
    CarrierStatus, st.sampled_from(("c1", "c2", "c3")), st.booleans(), st.just(0), st.integers(-1, 2),
    st.integers(0, 1000), st.integers(NOW - 60_000, NOW),
)  # fmt: skip


@given(routes_of, st.lists(statuses), st.frozensets(st.sampled_from(("c1", "c2"))), st.randoms())
def test_one_route_always_wins_whatever_the_order_and_each_loser_has_a_reason(
    routes: list[Route], known: list[CarrierStatus], tried: frozenset[str], chance: Any
) -> None:
    decision = choose(tuple(routes), health(*known), tried)
    shuffled = list(routes)
    chance.shuffle(shuffled)

    assert choose(tuple(shuffled), health(*known), tried) == decision
    assert decision.candidates[0].route_id == decision.route_id
    assert all(c.reason for c in decision.candidates[1:])
    scores = [c.score for c in decision.candidates]
    assert scores == sorted(scores)
    up = [r for r in routes if r.carrier not in {s.carrier for s in health(*known).values() if not s.up}]
    assert not up or decision.carrier in {r.carrier for r in up}
