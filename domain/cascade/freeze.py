"""Fix the plan of a message: for each step its address, segments, dearest price, hours, and why it is skipped if it is."""

from collections.abc import Callable
from dataclasses import replace

from domain.cascade.address import address_of
from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import MAX_STEPS, Step
from domain.compliance.quiet import binds, narrowed
from domain.delivery import Channel
from domain.message import SendRequest
from domain.sms import segments
from domain.tenant import QuietHours, Route, Tenant

Routes = Callable[[Channel, str, bool], tuple[Route, ...]]
"""The routes for a channel and an address; those of the simulated carriers when the last argument is true."""


def freeze(request: SendRequest, tenant: Tenant, routes: Routes, test: bool, openings: tuple[int, ...] = ()) -> Plan:
    """The plan of `request`, for requests that layer 5 has not judged yet too: of too many steps the first are planned.

    `openings[n]` is the first legal moment of step n in ms, zero for any. The reasons of a skip are `no_address`,
    `not_registered`, `no_route`, `no_sender`, and `quiet_hours` when the step's delivery window lies in quiet hours entirely.
    """
    parts = segments(request.body.text) if any(s.channel == "sms" for s in request.steps[:MAX_STEPS]) else 1
    steps = tuple(
        _planned(step, request, tenant, routes, test, parts, openings[n] if n < len(openings) else 0)
        for n, step in enumerate(request.steps[:MAX_STEPS])
    )
    return Plan(
        steps, request.confirmation, request.max_duration_ms, tenant.charge_on, request.send_at_ms, request.rule_id
    )


def _planned(
    step: Step, request: SendRequest, tenant: Tenant, routes: Routes, test: bool, parts: int, opening_ms: int
) -> PlannedStep:
    address = address_of(request.to, step.channel)
    count = parts if step.channel == "sms" else 1
    zone = request.timezone
    if step.window is not None and step.window.timezone != "recipient":
        zone = step.window.timezone
    found = routes(step.channel, address, test) if address else ()
    price = max((route.price_micros for route in found), default=0) * count
    skip = _skip(step, address, found) or ("" if _has_sender(step, request, tenant) else "no_sender")
    step, out_of_hours = _within_hours(step, tenant.quiet_hours, zone == request.timezone)
    return PlannedStep(step, address, count, price, skip or out_of_hours, opening_ms, zone)


def _skip(step: Step, address: str, found: tuple[Route, ...]) -> str:
    if not address:
        return "not_registered" if step.require_channel_registered else "no_address"
    return "" if found else "no_route"


def _has_sender(step: Step, request: SendRequest, tenant: Tenant) -> bool:
    """Whether there is somebody to send as: the request's sender of the step's kind, or the tenant's own."""
    if step.channel == "email":
        return "@" in request.sender or bool(tenant.from_domain)
    own = request.sender if "@" not in request.sender else ""
    return step.channel != "sms" or bool(own or tenant.sender_id)


def _within_hours(step: Step, quiet: QuietHours | None, same_zone: bool) -> tuple[Step, str]:
    """The step with its window narrowed by the quiet hours, so that they also hold for a step reached later; and a skip.

    A window in a zone that is not the recipient's stays as it is: the two cannot be one window.
    """
    if quiet is None or not binds(quiet, step.channel) or not same_zone:
        return step, ""
    window = narrowed(step.window, quiet)
    return (step, "quiet_hours") if window is None else (replace(step, window=window), "")
