"""The topology: every agent of the pipeline, in the order in which a message meets them.

A gateway writes a submission; the ten layers judge it one after the other (fused: each is a call, as the key stays the
tenant); the answer goes back to the gateway and an accepted message goes on to the cascade, which is keyed by message.
The cascade sends attempts through the router to the egresses; what they report, and what the timers fire, comes back on
`hermes.cascade`, the one topic that changes a message. Money, and who wants to be left alone, is kept per tenant beside the
layers; parts of a long text from a recipient are joined before anybody knows whose it is.
"""

from collections.abc import Callable
from types import ModuleType

from agents.account import KeepAccount
from agents.admission.admit import Admit
from agents.admission.answer import Answer
from agents.admission.edges import (
    ANSWER,
    AUTHENTICATE,
    CHECK_SCHEMA,
    CHECK_TENANT,
    COMPLY,
    EXPLAIN,
    LIMIT_RATE,
    MIND_HOURS,
    RECORD,
    RESERVE,
    ROUTE,
    SCAN,
)
from agents.admission.explain import Explain
from agents.admission.judge import Judge
from agents.admission.limit import Limit
from agents.admission.record import Record
from agents.admission.reserve import Reserve
from agents.admission.spare import Spare
from agents.cascade.announce import Tell
from agents.cascade.edges import ANNOUNCE, COUNT, ROUTE_ATTEMPT
from agents.cascade.follow import Follow
from agents.cascade.route import Route
from agents.cascade.usage import CountUsage
from agents.contacts import KeepContacts
from agents.context import Edge
from agents.parts import JoinParts
from domain.validation import l1_authentication, l2_tenant, l5_schema, l6_compliance, l7_content, l9_route
from schemas.topics import (
    AUDIT,
    BILLING,
    CARRIERS,
    CASCADE,
    CONFIG,
    DEADLETTERS,
    DLQ,
    INBOUND,
    LEDGER,
    PARTS,
    RECEIPTS,
    STATUS,
    SUBMISSIONS,
    SUBMITS,
    USAGE,
    VERDICTS,
    WEBHOOKS,
)
from schemas.topics import DECISIONS as ROUTING
from schemas.unsubscribe import unsubscribing
from streams.node import MTA, SMPP, Node, Process
from streams.parts import Parts
from tables.catalogue import (
    ACCOUNTS,
    CASCADE_ROWS,
    CHAINS,
    DECISIONS,
    MESSAGE_ROWS,
    RESOLUTIONS,
    SUPPRESSED,
    WINDOWS,
)
from tables.catalogue import PARTS as PARTS_KEPT


def _judge(number: int, layer: ModuleType, then: Edge) -> Callable[[Parts], Judge]:
    """A stateless layer: the rule of a module, and what comes after it."""
    return lambda _: Judge(number, layer.check, then)


# Admission, keyed by tenant: what is decided is kept first and told after.
_ADMISSION = (
    Node("admit", "admission", reads=(SUBMISSIONS,), writes=(AUTHENTICATE, ANSWER, EXPLAIN, VERDICTS), make=lambda _: Admit()),
    Node(
        "authenticate", "admission", reads=(AUTHENTICATE,), writes=(CHECK_TENANT, ANSWER),
        make=_judge(1, l1_authentication, CHECK_TENANT),
    ),
    Node("check_tenant", "admission", reads=(CHECK_TENANT,), writes=(LIMIT_RATE, ANSWER), make=_judge(2, l2_tenant, LIMIT_RATE)),
    Node("limit_rate", "admission", reads=(LIMIT_RATE,), writes=(RESERVE, ANSWER), tables=(WINDOWS,), make=lambda _: Limit()),
    Node("reserve", "admission", reads=(RESERVE,), writes=(CHECK_SCHEMA, ANSWER), make=lambda _: Reserve()),
    Node("check_schema", "admission", reads=(CHECK_SCHEMA,), writes=(COMPLY, ANSWER), make=_judge(5, l5_schema, COMPLY)),
    Node("spare", "admission", reads=(COMPLY,), writes=(MIND_HOURS, ANSWER), make=lambda _: Spare()),
    Node("mind_hours", "admission", reads=(MIND_HOURS,), writes=(SCAN, ANSWER), make=_judge(6, l6_compliance, SCAN)),
    Node("scan", "admission", reads=(SCAN,), writes=(RECORD, ANSWER), make=_judge(7, l7_content, RECORD)),
    Node("record", "admission", reads=(RECORD,), writes=(ROUTE,), make=lambda p: Record(p.salt_key)),
    Node("route", "admission", reads=(ROUTE,), writes=(ANSWER,), make=_judge(9, l9_route, ANSWER)),
    Node(
        "answer", "admission", reads=(ANSWER,), writes=(CASCADE, LEDGER, AUDIT, VERDICTS), tables=(DECISIONS, CHAINS),
        make=lambda p: Answer(p.salt_key, p.keep_answers_ms),
    ),
    Node("explain", "admission", reads=(EXPLAIN,), writes=(VERDICTS,), make=lambda _: Explain()),
    Node(
        "keep_account", "admission", reads=(BILLING,), writes=(LEDGER, VERDICTS), tables=(RESOLUTIONS, ACCOUNTS),
        make=lambda _: KeepAccount(),
    ),
    Node(
        "keep_contacts", "admission", reads=(INBOUND,), writes=(WEBHOOKS,), tables=(SUPPRESSED,), make=lambda _: KeepContacts()
    ),
)  # fmt: skip

# What recipients say at length, keyed by who says it.
_RECEIVING = (
    Node("join_parts", "receiving", reads=(PARTS,), writes=(INBOUND,), tables=(PARTS_KEPT,), make=lambda _: JoinParts()),
)  # fmt: skip

# Cascade, keyed by message: what follows from state and event goes out first, then the state is kept.
_CASCADE = (
    Node(
        "follow", "cascade", reads=(CASCADE,), writes=(ROUTE_ATTEMPT, ANNOUNCE, COUNT, BILLING, INBOUND, DLQ, VERDICTS),
        tables=(MESSAGE_ROWS, CASCADE_ROWS), make=lambda p: Follow(p.keep_final_ms), durable_first="outputs",
    ),
    Node(
        "route_attempt", "cascade", reads=(ROUTE_ATTEMPT,), writes=(ROUTING, CASCADE), fans_out=(SMPP, MTA),
        make=lambda p: Route(unsubscribing(p.public_url, p.salt_key)), durable_first="outputs",
    ),
    Node(
        "announce", "cascade", reads=(ANNOUNCE,), writes=(STATUS, RECEIPTS, WEBHOOKS, COUNT),
        make=lambda p: Tell(p.public_url), durable_first="outputs",
    ),
    Node("count_usage", "cascade", reads=(COUNT,), writes=(USAGE,), make=lambda _: CountUsage(), durable_first="outputs"),
)  # fmt: skip

TOPOLOGY: tuple[Node, ...] = _ADMISSION + _RECEIVING + _CASCADE

# The processes around the pipeline: what they read and write.
AROUND: tuple[Process, ...] = (
    Process("gateway", reads=(VERDICTS, CONFIG, RECEIPTS), writes=(SUBMISSIONS, CASCADE, BILLING, CONFIG, INBOUND)),
    Process("pipeline", reads=(CONFIG, CARRIERS), writes=(CASCADE, DEADLETTERS)),
    Process(
        "egress", reads=(WEBHOOKS, SUBMITS, CONFIG), writes=(CASCADE, SUBMITS, CARRIERS, INBOUND, PARTS, DEADLETTERS),
        fans_in=(SMPP, MTA),
    ),
    Process("archive", reads=(STATUS, LEDGER), writes=(DEADLETTERS,)),
    Process("insight", reads=(USAGE,), writes=(DEADLETTERS,)),
    Process("operator", reads=(DLQ, DEADLETTERS, AUDIT, ROUTING), writes=()),
)  # fmt: skip
