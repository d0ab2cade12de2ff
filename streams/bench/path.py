"""The whole path on a full `hermes up`: REST in, admission, cascade, router, SMPP out, receipt back, final state.

Each measurement runs to the end of its last message, so what was only accepted does not count, and CPU is that of all its
messages from the first request to the last final state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from streams.bench.finals import Ends, Finals
from streams.bench.floor import Floor, bare_echo, bare_parts
from streams.bench.load import generate
from streams.bench.plan import Plan, Told
from streams.bench.processes import Usage, usages
from streams.bench.result import Line, Result, Wanted, quantile
from streams.bench.stack import PARTITIONS, stack

BATCH: Final = 100
WARM_UP_S: Final = 20.0
"""A broker that has just started still compiles itself: that is a third of its CPU in the first half minute."""
REFUSALS: Final = frozenset({429, 503})
"""How the gateway refuses what is too much."""
END_PATIENCE_S: Final = 120.0
"""How long after the last request the last message may come to its end."""
OWN: Final = ("gateway", "pipeline", "egress", "archive", "insight")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: what the generator saw, how the messages ended, and what each process used meanwhile."""

    told: Told
    ends: Ends
    before: Mapping[str, Usage]
    after: Mapping[str, Usage]


def run(wanted: Wanted) -> Result:
    """Singles and batches as fast as it goes, then singles at a rate."""
    lines: list[Line] = []
    with stack() as ready:
        finals = Finals(ready["kafka"], PARTITIONS)
        try:
            warm_up(plan_of(ready, wanted.connections, WARM_UP_S), finals)
            measure(plan_of(ready, wanted.batch_connections, 1.0, batch=BATCH), ready, finals)
            bare = bare_parts(ready["kafka"], ready["processes"]["kafka"], wanted)
            for part, plan in _plans(ready, wanted):
                measured = measure(plan, ready, finals)
                lines.extend(lines_of(part, plan, measured, Floor(bare, bare_echo(plan))))
            lines.extend(memory_lines(usages(ready["processes"])))
        finally:
            finals.close()
    return Result(
        "path",
        "REST to SMPP and its receipt, with Kafka, PostgreSQL, the simulated carrier and the load generator on this machine;"
        " bare: aiohttp that echoes, librdkafka and the SMPP codec alone",
        tuple(lines),
    )


def _plans(ready: dict[str, Any], wanted: Wanted) -> Iterator[tuple[str, Plan]]:
    seconds, rate, many = wanted.seconds, wanted.rate_per_s, wanted.connections
    yield f"single messages, closed loop, {many} connections", plan_of(ready, many, seconds)
    few = wanted.batch_connections
    yield f"batches of {BATCH}, closed loop, {few} connections", plan_of(ready, few, seconds, batch=BATCH)
    at_rate = plan_of(ready, wanted.open_connections, seconds, rate_per_s=rate)
    yield f"single messages, open loop, {rate}/s over {wanted.open_connections} connections", at_rate


def plan_of(ready: dict[str, Any], connections: int, seconds: float, *, rate_per_s: float = 0, batch: int = 0) -> Plan:
    """A plan against the gateway of a stack, with the keys of all its tenants."""
    host, _, port = str(ready["http"]).rpartition(":")
    keys = tuple(str(one["api_key"]) for one in ready["tenants"])
    return Plan(host, int(port), connections, seconds, rate_per_s, batch, keys)


def warm_up(plan: Plan, finals: Finals) -> None:
    """Let a stack that has just started do some work; it may refuse what is too much for it."""
    finals.mark()
    told = generate(replace(plan, tolerated=REFUSALS, keep=True))
    finals.collect_ids(told.ids, END_PATIENCE_S)


def measure(plan: Plan, ready: dict[str, Any], finals: Finals) -> Measured:
    """Carry a plan out and wait for the end of its last message."""
    finals.mark()
    before = usages(ready["processes"])
    told = generate(plan)
    ends = finals.collect(told.messages, END_PATIENCE_S)
    return Measured(told, ends, before, usages(ready["processes"]))


def lines_of(part: str, plan: Plan, measured: Measured, floor: Floor) -> list[Line]:
    """The lines of one measurement, each beside its floor."""
    told, ends = measured.told, measured.ends
    messages = told.messages
    accept_s = (told.ended_ms - told.began_ms) / 1_000
    whole_s = (ends.last_ms - told.began_ms) / 1_000
    took_ms = ends.took_ms
    lines = [
        Line("messages", messages, "", part),
        Line("end to end", messages / whole_s, "messages/s", part, None if plan.rate_per_s else floor.rate),
        Line("accepted", messages / accept_s, "messages/s", part),
    ]
    if plan.rate_per_s:
        lines.append(Line("accepted of the rate", 100 * messages / accept_s / plan.rate_per_s, "%", part))
    lines += [
        Line("answer p50", quantile(told.latencies_ms, 0.5), "ms", part, floor.answer_ms[0]),
        Line("answer p99", quantile(told.latencies_ms, 0.99), "ms", part, floor.answer_ms[1]),
        Line("accepted to final p50", quantile(took_ms, 0.5), "ms", part, floor.final_ms[0]),
        Line("accepted to final p99", quantile(took_ms, 0.99), "ms", part, floor.final_ms[1]),
    ]
    cpu_us = {
        name: (after.cpu_s - measured.before[name].cpu_s) * 1e6 / messages for name, after in measured.after.items()
    }
    unit = "µs a message"
    lines.extend(
        Line(f"CPU {name}", cpu_us[name], unit, part, floor.cpu_us(name) or None) for name in sorted(cpu_us, key=_place)
    )
    together = sum(cpu_us.get(name, 0) for name in OWN)
    lines.append(Line("CPU of Hermes, together", together, unit, part, floor.together_us))
    lines.append(Line("CPU load generator", told.cpu_s * 1e6 / messages, unit, part))
    return lines


def memory_lines(after: Mapping[str, Usage]) -> list[Line]:
    """What each process holds at the end."""
    part = "memory after it all (PSS: shared pages are divided)"
    return [Line(name, after[name].memory_octets / 2**20, "MiB", part) for name in sorted(after, key=_place)]


def _place(name: str) -> tuple[int, str]:
    """Our own processes first, in the order in which a message meets them."""
    return (OWN.index(name) if name in OWN else len(OWN), name)
