"""Layer 6: the recipient may be written to, and now: suppressions refuse, quiet hours defer or refuse."""

from domain.cascade.address import address_of
from domain.cascade.plan import Plan
from domain.compliance.quiet import binds, ends_ms
from domain.compliance.regulation import regulation_of
from domain.compliance.zones import is_zone
from domain.delivery import Channel
from domain.errors import FieldError
from domain.message import SendRequest, Submission
from domain.tenant import QuietHours
from domain.validation.facts import Facts
from domain.validation.l5_schema import MAX_SEND_AHEAD_MS
from domain.verdict import Defer, Reject


def check(submission: Submission, facts: Facts) -> Reject | Defer | None:
    """Refuse a suppressed recipient; move the steps that quiet hours bind to the hours' end, or refuse if they may not move.

    The time judged is the time of sending, in the zone of the recipient (UTC while the zone is unknown).
    """
    request, tenant = submission.request, facts.tenant
    if request is None or tenant is None:
        return None
    targets = _targets(request, facts)
    suppressed = _suppressed(targets, tenant.blocked_recipients)
    if suppressed is not None:
        return suppressed
    return _quiet(request, targets, tenant.quiet_hours, facts.now_ms)


def _targets(request: SendRequest, facts: Facts) -> tuple[tuple[Channel, str], ...]:
    """Channel and address of each step; the address is empty for a step that is skipped."""
    if facts.plan is not None:
        return tuple((s.step.channel, "" if s.skip else s.address) for s in facts.plan.steps)
    return tuple((s.channel, address_of(request.to, s.channel)) for s in request.steps)


def suppressed(plan: Plan, steps: tuple[int, ...]) -> Reject | None:
    """The refusal of a message whose `steps` go to addresses that want to be left alone, unless others remain."""
    if any(not s.skip and n not in steps for n, s in enumerate(plan.steps)):
        return None
    return _refusal([(plan.steps[n].step.channel, plan.steps[n].address) for n in steps])


def _suppressed(targets: tuple[tuple[Channel, str], ...], blocked: tuple[str, ...]) -> Reject | None:
    if not blocked:
        return None
    known = frozenset(entry.casefold() for entry in blocked)
    hits = [(channel, address) for channel, address in targets if address and address.casefold() in known]
    return _refusal(hits) if hits else None


def _refusal(hits: list[tuple[Channel, str]]) -> Reject:
    errors = tuple(FieldError(f"to.{_field(c)}", "recipient_suppressed", f"is suppressed for {c}") for c, _ in hits)
    return Reject(
        6,
        "compliance_blocked",
        "The recipient does not want messages from this sender.",
        errors,
        compliance_code="recipient_suppressed",
        regulation=regulation_of(*hits[0]),
    )


def _quiet(
    request: SendRequest, targets: tuple[tuple[Channel, str], ...], quiet: QuietHours | None, now_ms: int
) -> Reject | Defer | None:
    if quiet is None:
        return None
    timezone = request.timezone if is_zone(request.timezone) else "UTC"
    at_ms = min(max(now_ms, request.send_at_ms), now_ms + MAX_SEND_AHEAD_MS)
    opens_ms = ends_ms(quiet, at_ms, timezone)
    bound = tuple(bool(address) and binds(quiet, channel) for channel, address in targets)
    if opens_ms == at_ms or not any(bound):
        return None
    if quiet.defer:
        return Defer(tuple(opens_ms if is_bound else 0 for is_bound in bound), "quiet_hours")
    channel, address = targets[bound.index(True)]
    return Reject(
        6,
        "compliance_blocked",
        "The recipient is in quiet hours.",
        retry_after_ms=opens_ms - now_ms,
        compliance_code="quiet_hours",
        regulation=regulation_of(channel, address),
    )


def _field(channel: Channel) -> str:
    match channel:
        case "email":
            return "email"
        case "push":
            return "device_token"
        case "telegram":
            return "user_id"
        case "sms" | "whatsapp":
            return "phone"
