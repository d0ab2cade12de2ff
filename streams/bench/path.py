"""The whole path on a full `hermes up`: REST in, admission, cascade, router, SMPP out, receipt back, final state.

Each measurement runs to the end of its last message, so what was only accepted does not count, and CPU is that of all its
messages from the first request to the last final state.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from streams.bench.finals import Ends, Finals
from streams.bench.load import Plan, Told
from streams.bench.processes import Usage, usages
from streams.bench.result import BenchError, Line, Result, Wanted, quantile
from streams.bench.stack import PARTITIONS, stack

CONNECTIONS: Final = 32
OPEN_CONNECTIONS: Final = 64
BATCH_CONNECTIONS: Final = 4
BATCH: Final = 100
WARM_UP_S: Final = 3.0
END_PATIENCE_S: Final = 120.0
"""How long after the last request the last message may come to its end."""
LOAD_PATIENCE_S: Final = 60.0
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
            for warm_up in (_plan(ready, CONNECTIONS, WARM_UP_S), _plan(ready, BATCH_CONNECTIONS, 1, batch=BATCH)):
                _measure(warm_up, ready, finals)
            for part, plan in _plans(ready, wanted):
                lines.extend(lines_of(part, plan, _measure(plan, ready, finals)))
            lines.extend(memory_lines(usages(ready["processes"])))
        finally:
            finals.close()
    return Result(
        "path",
        "REST to SMPP and its receipt, with Kafka, PostgreSQL, the simulated carrier and the load generator on this machine",
        tuple(lines),
    )


def _plans(ready: dict[str, Any], wanted: Wanted) -> Iterator[tuple[str, Plan]]:
    seconds, rate = wanted.seconds, wanted.rate_per_s
    yield f"single messages, closed loop, {CONNECTIONS} connections", _plan(ready, CONNECTIONS, seconds)
    batches = _plan(ready, BATCH_CONNECTIONS, seconds, batch=BATCH)
    yield f"batches of {BATCH}, closed loop, {BATCH_CONNECTIONS} connections", batches
    at_rate = _plan(ready, OPEN_CONNECTIONS, seconds, rate_per_s=rate)
    yield f"single messages, open loop, {rate}/s over {OPEN_CONNECTIONS} connections", at_rate


def _plan(ready: dict[str, Any], connections: int, seconds: float, *, rate_per_s: float = 0, batch: int = 0) -> Plan:
    host, _, port = str(ready["http"]).rpartition(":")
    return Plan(host, int(port), connections, seconds, rate_per_s, batch, str(ready["tenants"][0]["api_key"]))


def _measure(plan: Plan, ready: dict[str, Any], finals: Finals) -> Measured:
    finals.mark()
    before = usages(ready["processes"])
    told = generate(plan)
    ends = finals.collect(told.messages, END_PATIENCE_S)
    return Measured(told, ends, before, usages(ready["processes"]))


def generate(plan: Plan) -> Told:
    """What the load generator told, from a process of its own; BenchError when one request was not accepted."""
    command = (sys.executable, "-P", "-m", "streams.bench.load")
    try:
        ended = subprocess.run(  # noqa: S603 - our own command; the key goes by standard input, not where others can read it
            command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=True,
            timeout=plan.seconds + LOAD_PATIENCE_S,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise BenchError(f"the load generator failed: {str(error.stderr)[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise BenchError("the load generator did not come to an end") from error
    told = Told(**json.loads(ended.stdout))
    if told.errors:
        raise BenchError("; ".join(told.errors))
    if not told.messages:
        raise BenchError("nothing was accepted")
    return told


def lines_of(part: str, plan: Plan, measured: Measured) -> list[Line]:
    """The lines of one measurement."""
    told, ends = measured.told, measured.ends
    messages = told.messages
    accept_s = (told.ended_ms - told.began_ms) / 1_000
    whole_s = (ends.last_ms - told.began_ms) / 1_000
    lines = [
        Line("messages", messages, "", part),
        Line("end to end", messages / whole_s, "messages/s", part),
        Line("accepted", messages / accept_s, "messages/s", part),
        *(
            [Line("accepted of the rate", 100 * messages / accept_s / plan.rate_per_s, "%", part)]
            if plan.rate_per_s
            else []
        ),
        Line("answer p50", quantile(told.latencies_ms, 0.5), "ms", part),
        Line("answer p99", quantile(told.latencies_ms, 0.99), "ms", part),
        Line("accepted to final p50", quantile(ends.took_ms, 0.5), "ms", part),
        Line("accepted to final p99", quantile(ends.took_ms, 0.99), "ms", part),
    ]
    cpu = {name: measured.after[name].cpu_s - measured.before[name].cpu_s for name in measured.after}
    us = 1_000_000 / messages
    lines.extend(Line(f"CPU {name}", cpu[name] * us, "µs a message", part) for name in sorted(cpu, key=_place))
    lines.append(Line("CPU of Hermes, together", sum(cpu.get(name, 0) for name in OWN) * us, "µs a message", part))
    lines.append(Line("CPU load generator", told.cpu_s * us, "µs a message", part))
    return lines


def memory_lines(after: Mapping[str, Usage]) -> list[Line]:
    """What each process holds at the end."""
    part = "memory after it all (PSS: shared pages are divided)"
    return [Line(name, after[name].memory_octets / 2**20, "MiB", part) for name in sorted(after, key=_place)]


def _place(name: str) -> tuple[int, str]:
    """Our own processes first, in the order in which a message meets them."""
    return (OWN.index(name) if name in OWN else len(OWN), name)
