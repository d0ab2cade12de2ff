"""The frozen plan: addresses, prices, skips and hours."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.cascade.freeze import Routes, freeze
from domain.cascade.rule import MAX_STEPS, DeliveryWindow, Step
from domain.delivery import CHANNELS, Channel
from domain.message import Body, Recipient
from domain.tenant import QuietHours, Route
from tests.unit.domain.given import EMAIL, NOW, PHONE, request, route, tenant


def offering(*offered: Route) -> Routes:
    def routes(channel: Channel, _address: str, test: bool) -> tuple[Route, ...]:
        return tuple(r for r in offered if r.channel == channel and r.test == test)

    return routes


EVERYWHERE = offering(route("mail", "email", 1_000), route("a", "sms", 30_000), route("b", "sms", 50_000))


def test_each_step_has_its_channels_address_and_the_price_of_its_dearest_route() -> None:
    plan = freeze(request(), tenant(charge_on="sent"), EVERYWHERE, test=False)

    assert [(s.address, s.price_micros, s.skip) for s in plan.steps] == [(EMAIL, 1_000, ""), (PHONE, 50_000, "")]
    assert (plan.charge_on, plan.dearest_micros, plan.confirmation) == ("sent", 50_000, "delivered")


def test_a_long_text_costs_its_sms_segments_but_one_mail() -> None:
    plan = freeze(request(body=Body("x" * 161)), tenant(), EVERYWHERE, test=False)
    assert [(s.segments, s.price_micros) for s in plan.steps] == [(1, 1_000), (2, 100_000)]


def test_a_step_without_an_address_is_skipped() -> None:
    steps = (Step("push"), Step("push", require_channel_registered=True), Step("telegram"))
    plan = freeze(request(steps=steps), tenant(), EVERYWHERE, test=False)
    assert [s.skip for s in plan.steps] == ["no_address", "not_registered", "no_address"]


def test_a_step_without_a_route_is_skipped() -> None:
    plan = freeze(request(), tenant(), offering(route("mail", "email")), test=False)
    assert [s.skip for s in plan.steps] == ["", "no_route"]
    assert plan.dearest_micros == 50_000


def test_a_test_key_gets_routes_of_simulated_carriers_only() -> None:
    plan = freeze(request(), tenant(), EVERYWHERE, test=True)
    assert [s.skip for s in plan.steps] == ["no_route", "no_route"]


def test_every_channel_has_its_address() -> None:
    to = Recipient("multi", EMAIL, PHONE, "token", "user-7")
    plan = freeze(request(to=to, steps=tuple(Step(c) for c in CHANNELS)), tenant(), EVERYWHERE, test=False)
    assert [s.address for s in plan.steps] == [EMAIL, PHONE, PHONE, "user-7", "token"]


def test_a_window_is_read_in_its_own_zone_or_the_recipients() -> None:
    own, recipients = DeliveryWindow(480, 1200, "America/New_York"), DeliveryWindow(480, 1200)
    steps = (Step("sms", window=own), Step("sms", window=recipients), Step("sms"))
    plan = freeze(request(steps=steps, timezone="Europe/Copenhagen"), tenant(), EVERYWHERE, test=False)
    assert [s.timezone for s in plan.steps] == ["America/New_York", "Europe/Copenhagen", "Europe/Copenhagen"]


def test_the_openings_of_layer_six_become_the_steps_earliest_times() -> None:
    plan = freeze(request(), tenant(), EVERYWHERE, test=False, openings=(0, NOW + 5))
    assert [s.not_before_ms for s in plan.steps] == [0, NOW + 5]


def test_quiet_hours_also_bind_a_step_that_is_reached_later() -> None:
    plan = freeze(request(), tenant(quiet_hours=QuietHours(21 * 60, 8 * 60)), EVERYWHERE, test=False)
    assert plan.steps[0].step.window is None
    assert plan.steps[1].step.window == DeliveryWindow(8 * 60, 21 * 60)


def test_quiet_hours_narrow_a_steps_window() -> None:
    steps = (Step("sms", window=DeliveryWindow(6 * 60, 12 * 60, days=(1, 2))),)
    plan = freeze(request(steps=steps), tenant(quiet_hours=QuietHours(21 * 60, 8 * 60)), EVERYWHERE, test=False)
    assert plan.steps[0].step.window == DeliveryWindow(8 * 60, 12 * 60, days=(1, 2))


def test_a_window_inside_quiet_hours_skips_the_step() -> None:
    steps = (Step("sms", window=DeliveryWindow(22 * 60, 23 * 60)),)
    plan = freeze(request(steps=steps), tenant(quiet_hours=QuietHours(21 * 60, 8 * 60)), EVERYWHERE, test=False)
    assert plan.steps[0].skip == "quiet_hours"


def test_of_too_many_steps_only_the_first_are_planned() -> None:
    plan = freeze(request(steps=(Step("sms"),) * 1_000), tenant(), EVERYWHERE, test=False)
    assert len(plan.steps) == MAX_STEPS


@given(st.builds(Body, st.text(), st.text(), st.text()), st.text(), st.text(), st.integers(), st.text())
def test_a_request_that_nobody_has_judged_can_be_frozen(
    body: Body, phone: str, zone: str, send_at_ms: int, email: str
) -> None:
    to = Recipient("multi", email, phone)
    asked = request(body=body, to=to, timezone=zone, send_at_ms=send_at_ms)
    plan = freeze(asked, tenant(quiet_hours=QuietHours(1, 2)), EVERYWHERE, test=False)
    assert plan.send_at_ms == send_at_ms
    assert all(s.price_micros == 50_000 * s.segments for s in plan.steps if s.step.channel == "sms" and not s.skip)


def test_the_steps_of_the_request_keep_their_other_settings() -> None:
    step = Step("sms", timeout_ms=5, max_retries=1)
    plan = freeze(request(steps=(step,)), tenant(quiet_hours=QuietHours(60, 120)), EVERYWHERE, test=False)
    assert replace(plan.steps[0].step, window=None) == step


def test_a_step_without_anybody_to_send_as_is_skipped() -> None:
    steps = (Step("email"), Step("sms"))
    nobody = tenant(from_domain="", sender_id="")
    plan = freeze(request(steps=steps), nobody, EVERYWHERE, test=False)
    assert [s.skip for s in plan.steps] == ["no_sender", "no_sender"]
    named = freeze(request(steps=steps, sender="Acme"), nobody, EVERYWHERE, test=False)
    assert [s.skip for s in named.steps] == ["no_sender", ""]
