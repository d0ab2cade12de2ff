"""More than it can carry: what becomes of those it accepts, how the others are told, and whether neighbours suffer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from deploy.sandbox.carrier_book import SandboxConfig
from streams.bench.apart import serving, start
from streams.bench.carrier import simulated
from streams.bench.finals import Finals
from streams.bench.load import PATIENCE_S, checked, generate, load
from streams.bench.path import END_PATIENCE_S, REFUSALS, WARM_UP_S, plan_of, warm_up
from streams.bench.peak import peaks
from streams.bench.plan import Plan, Told
from streams.bench.result import BenchError, Line, Result, Wanted, quantile
from streams.bench.stack import PARTITIONS, carrier, route, stack, tenant

TIMES: Final = 3
MANY_CONNECTIONS: Final = 2_500
"""More than the gateway lets in at once."""
DRAIN_PATIENCE_S: Final = 300.0

FAST, SLOW = "fast", "slow"
FAST_PREFIX, SLOW_PREFIX = "+4520", "+4530"
FAST_PER_S, SLOW_PER_S, SLOW_TPS = 100, 30, 10
BESIDE_CONNECTIONS: Final = 64

QUIET_PER_S, LOUD_LIMIT_PER_S, LOUD_PER_S = 50, 50, 500
QUIET, LOUD = "Quiet", "Loud"


def run(wanted: Wanted) -> Result:
    """Three measurements on a stack of their own: the whole, a slow carrier, a loud tenant."""
    config = SandboxConfig()
    with (
        serving(simulated, config) as fast, serving(simulated, config) as slow,
        stack(
            tenant(QUIET), tenant(LOUD, LOUD_LIMIT_PER_S), tenant("Bench"),
            carrier(FAST, fast.port), carrier(SLOW, slow.port, SLOW_TPS), route(FAST_PREFIX, FAST), route(SLOW_PREFIX, SLOW),
        ) as ready,
    ):  # fmt: skip
        finals = Finals(ready["kafka"], PARTITIONS)
        try:
            warm_up(_plan_of(ready, "Bench", wanted.connections, WARM_UP_S), finals)
            lines = _loud_tenant(ready, wanted, finals) + _slow_carrier(ready, wanted, finals)
            lines = _too_much(ready, wanted, finals) + lines
        finally:
            finals.close()
    return Result("overload", f"{wanted.seconds:g} s each; every accepted message was delivered", tuple(lines))


def _plan_of(ready: Mapping[str, Any], name: str, connections: int, seconds: float, rate_per_s: float = 0) -> Plan:
    """A plan with the key of one tenant."""
    plan = plan_of(dict(ready), connections, seconds, rate_per_s=rate_per_s)
    keys = tuple(str(one["api_key"]) for one in ready["tenants"] if one["name"] == name)
    return replace(plan, api_keys=keys, prefix=FAST_PREFIX, tolerated=REFUSALS, keep=True)


def _too_much(ready: dict[str, Any], wanted: Wanted, finals: Finals) -> list[Line]:
    usual = _plan_of(ready, "Bench", wanted.connections, wanted.seconds)
    finals.mark()
    carried = generate(usual)
    last_ms = finals.collect_ids(carried.ids, END_PATIENCE_S).of(carried.ids).last_ms
    per_s = carried.messages * 1_000 / (last_ms - carried.began_ms)
    plan = replace(usual, connections=MANY_CONNECTIONS, rate_per_s=TIMES * per_s)
    finals.mark()
    with peaks(ready["processes"]) as held:
        told = generate(plan)
        ends = finals.collect_ids(told.ids, DRAIN_PATIENCE_S)
    part = f"{TIMES} times the {per_s:,.0f} messages/s that it carries"
    return [*overload_lines(part, told, ends.of(told.ids).last_ms), *_peak_lines(part, held)]


def overload_lines(part: str, told: Told, last_ms: int) -> list[Line]:
    """What was accepted and what was refused; BenchError for a refusal without Retry-After."""
    if told.without_retry_after:
        raise BenchError(f"{told.without_retry_after} refusals had no Retry-After")
    answered = sum(told.statuses.values())
    lines = [
        Line("requests", told.requests, "", part),
        Line("accepted", 100 * told.messages / answered, "%", part),
        Line("accepted, answer p50", quantile(told.latencies_ms, 0.5), "ms", part),
        Line("accepted, answer p99", quantile(told.latencies_ms, 0.99), "ms", part),
    ]
    for status in sorted(REFUSALS & told.statuses.keys()):
        lines.append(Line(f"refused with {status} and Retry-After", 100 * told.statuses[status] / answered, "%", part))
    if told.refused_ms:
        lines.append(Line("refused, answer p99", quantile(told.refused_ms, 0.99), "ms", part))
    return [
        *lines,
        Line("from the last answer to the last final state", max(last_ms - told.ended_ms, 0) / 1_000, "s", part),
    ]


def _peak_lines(part: str, held: Mapping[str, int]) -> list[Line]:
    return [Line(f"peak memory {name}", octets / 2**20, "MiB", part) for name, octets in sorted(held.items())]


def _slow_carrier(ready: dict[str, Any], wanted: Wanted, finals: Finals) -> list[Line]:
    """The fast carrier's messages, alone and beside those of a carrier that takes a third of what comes."""
    fast = _plan_of(ready, "Bench", BESIDE_CONNECTIONS, wanted.seconds, FAST_PER_S)
    slow = replace(fast, prefix=SLOW_PREFIX, rate_per_s=SLOW_PER_S)
    alone, beside = _beside(fast, slow, finals)
    part = f"{FAST_PER_S}/s to a fast carrier beside {SLOW_PER_S}/s to one that takes {SLOW_TPS}/s"
    return _pairs("the fast one's", alone, beside, part)


def _loud_tenant(ready: dict[str, Any], wanted: Wanted, finals: Finals) -> list[Line]:
    """One tenant's messages, alone and beside those of one who sends ten times what it may."""
    quiet = _plan_of(ready, QUIET, BESIDE_CONNECTIONS, wanted.seconds, QUIET_PER_S)
    loud = _plan_of(ready, LOUD, BESIDE_CONNECTIONS, wanted.seconds, LOUD_PER_S)
    alone, beside = _beside(quiet, loud, finals)
    part = f"{QUIET_PER_S}/s of one tenant beside {LOUD_PER_S}/s of one who may send {LOUD_LIMIT_PER_S}/s"
    return _pairs("the other's", alone, beside, part)


@dataclass(frozen=True, slots=True)
class Fared:
    """How one fared: p99 of its answers and of its messages' way to their end in milliseconds, and the share refused."""

    answer_ms: float
    final_ms: float
    refused: float


def _beside(plan: Plan, neighbour: Plan, finals: Finals) -> tuple[Fared, Fared]:
    """How the plan fared alone and with the neighbour."""
    finals.mark()
    alone = _fared(generate(plan), finals)
    finals.mark()
    other = start(load, neighbour)
    try:
        own = generate(plan)
        noise = checked(other.result(neighbour.seconds + PATIENCE_S))
    finally:
        other.end()
    beside = _fared(own, finals)
    finals.collect_ids(noise.ids, DRAIN_PATIENCE_S)
    return alone, beside


def _fared(told: Told, finals: Finals) -> Fared:
    ends = finals.collect_ids(told.ids, END_PATIENCE_S).of(told.ids)
    refused = len(told.refused_ms) / told.requests
    return Fared(quantile(told.latencies_ms, 0.99), quantile(ends.took_ms, 0.99), refused)


def _pairs(whose: str, alone: Fared, beside: Fared, part: str) -> list[Line]:
    lines: list[Line] = []
    for what, before, after in (
        ("answer p99", alone.answer_ms, beside.answer_ms), ("way to the end p99", alone.final_ms, beside.final_ms),
    ):  # fmt: skip
        lines.append(Line(f"{whose} {what}, alone", before, "ms", part))
        lines.append(Line(f"{whose} {what}, beside", after, "ms", part))
        lines.append(Line(f"{whose} {what}, ratio", after / before, "times", part))
    return [
        *lines,
        Line(f"{whose} refused, alone", 100 * alone.refused, "%", part),
        Line(f"{whose} refused, beside", 100 * beside.refused, "%", part),
    ]
