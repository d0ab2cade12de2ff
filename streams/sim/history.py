"""A run as a person reads it: records, transitions, money and faults in the order in which they happened."""

from collections.abc import Iterator
from typing import Any

from domain.audit.chain import AuditEntry
from domain.billing.money import Grant, LedgerEntry, Settle
from domain.cascade.commands import Exhausted, StatusChanged, StatusTold
from domain.cascade.events import Accepted, AttemptFailed, AttemptSent, CancelAsked, ReceiptArrived, TimerFired
from domain.cascade.states import Cascade
from domain.delivery import AttemptDue
from domain.message import Submission
from domain.tenant import ApiKey, Route, Tenant
from domain.verdict import Verdict
from schemas.topics import DECISIONS, USAGE
from streams.sim.lane import START_MS
from streams.sim.world import World
from tables.catalogue import TABLES

CHANGELOGS = frozenset(t.changelog.name for t in TABLES)
QUIET = frozenset({USAGE.name, DECISIONS.name})
"""Topics that say what others say, too."""


def history(world: World, message_id: str = "") -> Iterator[str]:
    """Line by line; of one message, and everything that went wrong beside it, when its id is given."""
    lines: list[tuple[int, int, int, str]] = []
    for (topic, number), log in world.broker.logs.items():
        if topic in QUIET:
            continue
        for offset, record in enumerate(log):
            value = None if record.value is None else world.records.value(record.value)
            if topic in CHANGELOGS and not isinstance(value, Cascade):
                continue
            if not message_id or message_id in (record.key.decode(), getattr(value, "message_id", "")):
                place = f"{topic.removeprefix('hermes.').removesuffix('.v1')}/{number}@{offset}"
                lines.append((record.number, 1, record.at_ms, f"{place:22} {sentence(value, world)}"))
    lines.extend((one.landed, 0, one.at_ms, f"!! {one.kind:19} {one.detail}") for one in world.faults.story)
    for _, _, at_ms, line in sorted(lines, key=lambda one: one[:2]):
        yield f"{(at_ms - START_MS) / 1000:+11.3f} s  {line}".rstrip()


def sentence(value: Any, world: World) -> str:
    """What a record says."""
    match value:
        case Submission():
            key = f" under the key {value.idempotency_key}" if value.idempotency_key else ""
            steps = ", ".join(s.channel for s in value.request.steps) if value.request else "nothing readable"
            return f"{value.message_id} of {value.tenant_id} is submitted{key}: {steps}"
        case Verdict():
            what = f"refused by layer {value.reject.layer}, {value.reject.code}" if value.reject else "accepted"
            return f"{value.submission_id} is told: {what}{f', as {value.message_id}' if value.replayed else ''}"
        case Accepted():
            return f"{value.message_id} is accepted"
        case AttemptDue():
            return f"{value.message_id} attempt {value.attempt} goes out by {value.channel} to {value.carrier}"
        case AttemptSent():
            how = "nobody knows" if value.unknown else value.level
            return f"{value.message_id} attempt {value.attempt}: {how}, {' '.join(value.provider_ids)}"
        case AttemptFailed():
            refused = "refused for good" if value.permanent else "refused for now"
            return f"{value.message_id} attempt {value.attempt}: {refused}, {value.code}"
        case ReceiptArrived():
            return f"{value.message_id} attempt {value.attempt}: receipt {value.status}"
        case TimerFired():
            return f"{value.message_id} timer {value.timer} fires"
        case CancelAsked():
            return f"{value.message_id} is to be cancelled, says {value.tenant_id}"
        case StatusChanged():
            return f"{value.message_id} revision {value.revision} is told: {state(world.records.value(value.cascade))}"
        case Cascade():
            return f"{value.message_id} revision {value.revision} is kept: {state(value)}"
        case _:
            return other(value)


def other(value: Any) -> str:
    """What a record says that is about money, the audit or the configuration."""
    match value:
        case LedgerEntry():
            moves = f"available {value.available_micros:+}, reserved {value.reserved_micros:+}, spent {value.spent_micros:+}"
            return f"{value.entry_id} of {value.tenant_id}, number {value.seq}: {moves}"
        case Settle():
            return f"{value.message_id}: {value.charge_micros} of {value.reserved_micros} reserved are to be spent"
        case Grant():
            return f"{value.tenant_id} is granted {value.amount_micros}"
        case AuditEntry():
            return f"{value.message_id} is entry {value.seq} of {value.tenant_id}"
        case Exhausted():
            return f"{value.message_id} reached nobody: {value.reason}"
        case StatusTold():
            return f"{value.ask_id} is told: {'done' if value.done else value.reason}"
        case Tenant():
            return f"{value.tenant_id} is {value.status}"
        case ApiKey():
            return f"the key {value.key_id} of {value.tenant_id}"
        case Route():
            return f"the route {value.route_id} by {value.carrier}"
        case _:
            return type(value).__name__


def state(cascade: Cascade) -> str:
    """A message's state in a few words."""
    attempts = " ".join(f"{a.number}:{a.channel}:{a.state}" for a in cascade.attempts)
    return f"{cascade.state}, step {cascade.step + 1}, timer {cascade.timer} {cascade.wake} [{attempts}]"
