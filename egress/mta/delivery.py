"""What became of a hand-over, with all that is known about it, and what the shaper learns from it."""

from dataclasses import dataclass

import structlog

from domain.delivery import AttemptDue, Failed, Outcome, Sent
from egress.mta.classify import PUSHING_BACK, judge
from egress.mta.replies import Reply
from egress.mta.rules import Action
from egress.mta.shaper import Shaper
from egress.mta.site import Site
from egress.mta.verdicts import SERVICE_CLOSING
from schemas.mail.bounce_types import Reason

CONNECTING = "the connection"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """`group` is the provider or its hosts, empty without a route. `reason` is None unless a peer refused.

    `hard` when the address is not to be written to again; `actions` are what the refusal set off for the mail that follows.
    """

    attempt: AttemptDue
    outcome: Outcome
    group: str = ""
    source: str = ""
    reason: Reason | None = None
    hard: bool = False
    actions: tuple[Action, ...] = ()


def learned(
    shaper: Shaper, attempt: AttemptDue, outcome: Outcome, site: Site | None, refusal: tuple[Reply, str] | None
) -> Delivery:
    """The delivery, after `shaper` heard of it; `refusal` is the peer's reply and the step that it answered, if it refused.

    Only a peer's own words teach: what we say ourselves of a suspended group must not suspend it anew.
    """
    if site is None:
        return Delivery(attempt, outcome)
    group, source = site.route.group, site.source.name
    if isinstance(outcome, Sent):
        shaper.took(site.group, site.limits)
    if refusal is None or not isinstance(outcome, Failed):
        return Delivery(attempt, outcome, group, source)
    reply, step = refusal
    judged = judge(reply, step)
    if reply.code == SERVICE_CLOSING or step == CONNECTING or (judged.passing and judged.reason in PUSHING_BACK):
        shaper.pushed_back(site.group, site.limits)
    provider = site.route.provider.name if site.route.provider is not None else ""
    actions = shaper.heard(site.group, site.limits, provider, attempt.tenant_id, reply.detail)
    if actions:
        log.warning("mta.shaped", group=group, source=source, actions=[one.kind for one in actions], code=outcome.code)
    return Delivery(attempt, outcome, group, source, judged.reason, judged.hard and outcome.permanent, actions)
