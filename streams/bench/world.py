"""The tenants, routes and submissions of measurements that drive the pipeline without a gateway."""

from typing import Final

from domain.billing.money import Grant
from domain.cascade.events import AttemptSent, ReceiptArrived
from domain.cascade.rule import Step
from domain.delivery import AttemptDue
from domain.message import Body, Recipient, SendRequest, Submission
from domain.tenant import ApiKey, Route, Tenant
from tables.config import ConfigValue

CARRIER: Final = "bench"
GRANT_MICROS: Final = 10**15
RATE_PER_S: Final = 1_000_000
DAY_MS: Final = 86_400_000


def tenant_id(number: int) -> str:
    """The id of a tenant; all are equally long."""
    return f"t-bench-{number:06}"


def message_id(number: int) -> str:
    """The id of a message, as long as the gateway's own; all are equally long."""
    return f"msg-{number:08x}-0000-7000-8000-{number:012x}"


def configuration(tenants: int) -> tuple[ConfigValue, ...]:
    """The tenants with a key each, and one route."""
    found: list[ConfigValue] = [Route("sms/*/bench", "sms", "", CARRIER, 30_000, 12_000)]
    for number in range(tenants):
        who = tenant_id(number)
        found.append(Tenant(who, who, "enterprise", "active", rate_per_s=RATE_PER_S, sender_id="Bench"))
        found.append(ApiKey(f"k-{number:06}", who, "bench", ("send", "read")))
    return tuple(found)


def grant(number: int, at_ms: int) -> Grant:
    """A tenant's opening balance, which does not end."""
    return Grant(tenant_id(number), f"opening/{tenant_id(number)}", GRANT_MICROS, at_ms)


def submission(number: int, tenant: int, at_ms: int, send_at_ms: int = 0) -> Submission:
    """One SMS, handed in at `at_ms`."""
    request = SendRequest(
        Recipient("phone", phone=f"+4520{number % 1_000_000:06}"),
        Body(f"Your parcel {number % 1_000_000:06} is here. Track it in our app."),
        (Step("sms", DAY_MS),), "delivered", DAY_MS, send_at_ms=send_at_ms,
    )  # fmt: skip
    return Submission(
        message_id(number), tenant_id(tenant), f"k-{tenant:06}", "send", "rest", 0, "", bytes(32), at_ms, 0,
        f"trace-{number:012}", request,
    )  # fmt: skip


def sent(due: AttemptDue, at_ms: int) -> AttemptSent:
    """The egress handed the attempt over."""
    provider_ids = (f"p{due.message_id[4:12]}",)
    return AttemptSent(
        due.message_id,
        due.attempt,
        at_ms,
        due.carrier,
        provider_ids,
        "sent",
        due.segments,
        due.price_micros,
        due.cost_micros,
    )


def receipt(due: AttemptDue, at_ms: int) -> ReceiptArrived:
    """The carrier says that it was delivered."""
    return ReceiptArrived(
        due.message_id,
        due.attempt,
        at_ms,
        due.carrier,
        "delivered",
        "000",
        due.segments,
        due.price_micros,
        due.cost_micros,
    )
