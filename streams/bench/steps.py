"""From the event that ends a step of a cascade to the next step's attempt at its carrier, at a steady rate.

The carrier refuses the first attempt of each message at once. The event is the record `AttemptFailed` on
`hermes.cascade`, its moment the record's time as the egress set it; the end is the second submit_sm, as the carrier reads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from domain.cascade.events import AttemptFailed, AttemptSent
from schemas.catalogue import codec
from schemas.topics import CASCADE
from streams.bench import refusing
from streams.bench.apart import serving
from streams.bench.finals import Finals
from streams.bench.path import END_PATIENCE_S, WARM_UP_S, measure, plan_of, warm_up
from streams.bench.plan import NUMBERS
from streams.bench.records import ends, records
from streams.bench.result import BenchError, Line, Result, Wanted, quantile
from streams.bench.stack import PARTITIONS, carrier, route, stack, tenant

NAME = "bench"


def run(wanted: Wanted) -> Result:
    """Messages at the rate, each of which takes two steps."""
    with serving(refusing.serve) as server, stack(tenant(), carrier(NAME, server.port), route("+45", NAME)) as ready:
        kafka = ready["kafka"]
        finals = Finals(kafka, PARTITIONS)
        try:
            plan = plan_of(ready, wanted.open_connections, WARM_UP_S, rate_per_s=wanted.rate_per_s)
            plan = replace(plan, steps="twice", numbers=max(NUMBERS, round(wanted.seconds * wanted.rate_per_s)))
            warm_up(plan, finals)
            mark = ends(kafka, CASCADE, PARTITIONS)
            measured = measure(replace(plan, seconds=wanted.seconds), ready, finals)
        finally:
            finals.close()
        decode = codec().decode
        happened = [(decode(value), at_ms) for value, at_ms in records(kafka, CASCADE, mark)]
        took_ms = transitions_ms(happened, server.stop())
    messages = measured.told.messages
    if len(took_ms) != messages:
        raise BenchError(f"{len(took_ms)} transitions of {messages} messages")
    return Result(
        "steps",
        f"{wanted.rate_per_s} messages/s for {wanted.seconds:g} s, each refused by the carrier at its first step and taken at its"
        f" second; all within {END_PATIENCE_S:g} s",
        (
            Line("transitions", len(took_ms), ""),
            Line("rate", messages * 1_000 / (measured.told.ended_ms - measured.told.began_ms), "messages/s"),
            Line("event to the next attempt at its carrier p50", quantile(took_ms, 0.5), "ms"),
            Line("event to the next attempt at its carrier p99", quantile(took_ms, 0.99), "ms"),
            Line("answer p99", quantile(measured.told.latencies_ms, 0.99), "ms"),
        ),
    )


def transitions_ms(happened: Iterable[tuple[Any, int]], taken_us: Mapping[str, int]) -> list[float]:
    """From each message's failure to the moment its carrier took it; a message without one of the two is left out."""
    failed_ms: dict[str, int] = {}
    took_ms: list[float] = []
    for event, at_ms in happened:
        if isinstance(event, AttemptFailed):
            failed_ms.setdefault(event.message_id, at_ms)
        elif isinstance(event, AttemptSent) and event.message_id in failed_ms:
            took_ms.extend(
                taken_us[provider_id] / 1_000 - failed_ms[event.message_id]
                for provider_id in event.provider_ids
                if provider_id in taken_us
            )
    return took_ms
