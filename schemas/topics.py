"""The catalogue of topics: what each holds, how it is keyed, how long it is kept, into how many partitions it falls."""

from dataclasses import dataclass
from typing import Literal

from domain.accepted import Message
from domain.audit.chain import AuditEntry, ChainHead
from domain.billing.money import Account, AccountAsked, AccountTold, Grant, LedgerEntry, Resolution, Settle
from domain.cascade.commands import Exhausted, StatusChanged, StatusTold
from domain.cascade.events import (
    Accepted,
    AttemptFailed,
    AttemptSent,
    CancelAsked,
    ReceiptArrived,
    StatusAsked,
    TimerFired,
)
from domain.cascade.rule import CascadeRule
from domain.cascade.states import Cascade
from domain.delivery import AttemptDue
from domain.inbound import Lift, Received, ReceivedPart, Suppress, Suppression
from domain.message import Submission
from domain.routing.decision import RoutingDecision
from domain.tenant import ApiKey, CarrierStatus, Route, Tenant
from domain.verdict import Verdict
from schemas.rows import CallbackDue, DeadRecord, PartsKept, RateWindow, StoredDecision, Submit, UsageCounted

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

Cleanup = Literal["delete", "compact", "compact,delete"]
Spread = Literal["keyed", "slots", "single"]

VERDICT_SLOTS = 16
"""Gateways that one lane can have: each reads one partition of the verdicts."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `key` says what its records are keyed by; `spread` how many partitions it gets.

    `keyed` topics have the lane's partition count, all the same, so that equal keys meet in one process.
    """

    name: str
    key: str
    holds: tuple[type, ...]
    spread: Spread = "keyed"
    cleanup: Cleanup = "delete"
    retention_ms: int = 7 * DAY_MS


SUBMISSIONS = Topic("hermes.submissions.v1", "tenant", (Submission,), retention_ms=2 * DAY_MS)
VERDICTS = Topic(
    "hermes.verdicts.v1", "gateway slot", (Verdict, StatusTold, AccountTold), spread="slots", retention_ms=HOUR_MS
)
CASCADE = Topic(
    "hermes.cascade.v1",
    "message",
    (Accepted, AttemptSent, AttemptFailed, ReceiptArrived, TimerFired, CancelAsked, StatusAsked),
)
BILLING = Topic("hermes.billing.v1", "tenant", (Settle, Grant, AccountAsked))
INBOUND = Topic("hermes.inbound.v1", "tenant", (Received, Suppress, Lift))
PARTS = Topic("hermes.inbound.parts.v1", "sender", (ReceivedPart,), retention_ms=2 * DAY_MS)
LEDGER = Topic("hermes.ledger.v1", "tenant", (LedgerEntry,), retention_ms=35 * DAY_MS)
AUDIT = Topic("hermes.audit.v1", "tenant", (AuditEntry,), retention_ms=365 * DAY_MS)
DECISIONS = Topic("hermes.routing.decisions.v1", "message", (RoutingDecision,))
STATUS = Topic("hermes.status.v1", "message", (StatusChanged,))
RECEIPTS = Topic("hermes.receipts.v1", "message", (StatusChanged,))
USAGE = Topic("hermes.usage.v1", "tenant", (UsageCounted,), retention_ms=2 * DAY_MS)
WEBHOOKS = Topic("hermes.webhooks.v1", "tenant", (CallbackDue,))
DLQ = Topic("hermes.dlq.v1", "tenant", (Exhausted,), retention_ms=35 * DAY_MS)
DEADLETTERS = Topic("hermes.deadletters.v1", "source", (DeadRecord,), spread="single", retention_ms=35 * DAY_MS)
CONFIG = Topic("hermes.config.v1", "kind/id", (Tenant, ApiKey, Route, CascadeRule), spread="single", cleanup="compact")
CARRIERS = Topic("hermes.carriers.v1", "carrier", (CarrierStatus,), spread="single", cleanup="compact")

# Changelogs: the tables' memory. What a table's rows are is said in `tables/catalogue.py`.
MESSAGES = Topic("hermes.messages.v1", "table and message", (Message, Cascade), cleanup="compact")
ADMISSIONS = Topic(
    "hermes.admissions.v1",
    "table and key",
    (StoredDecision, Resolution, Account, RateWindow, ChainHead, Suppression, PartsKept),
    cleanup="compact",
)
SUBMITS = Topic(
    "hermes.submits.v1", "message and attempt", (Submit,), cleanup="compact,delete", retention_ms=4 * DAY_MS
)

FIXED: tuple[Topic, ...] = (
    SUBMISSIONS, VERDICTS, CASCADE, BILLING, INBOUND, PARTS, LEDGER, AUDIT, DECISIONS, STATUS, RECEIPTS, USAGE, WEBHOOKS, DLQ,
    DEADLETTERS, CONFIG, CARRIERS, MESSAGES, ADMISSIONS, SUBMITS,
)  # fmt: skip


def attempts_topic(channel: str, carrier: str) -> Topic:
    """The topic of attempts for one carrier (`hermes.smpp.telia.v1`) or mail pool (`hermes.mta.default.v1`)."""
    kind = {"sms": "smpp", "email": "mta"}[channel]
    return Topic(f"hermes.{kind}.{carrier}.v1", "message", (AttemptDue,), retention_ms=2 * DAY_MS)


def catalogue(carriers: tuple[str, ...], pools: tuple[str, ...]) -> tuple[Topic, ...]:
    """Every topic of a lane that has these SMPP carriers and mail pools."""
    return (
        *FIXED,
        *(attempts_topic("sms", c) for c in carriers),
        *(attempts_topic("email", p) for p in pools),
    )


def partitions_of(topic: Topic, keyed: int) -> int:
    """How many partitions `topic` has in a lane with `keyed` partitions."""
    match topic.spread:
        case "single":
            return 1
        case "slots":
            return VERDICT_SLOTS
        case "keyed":
            return keyed
