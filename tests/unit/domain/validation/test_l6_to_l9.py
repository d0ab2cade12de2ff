"""Layers 6, 7 and 9: compliance, content, route; and the order of them all."""

from typing import Any

from domain.message import Body
from domain.tenant import QuietHours
from domain.validation import l6_compliance, l7_content, l9_route
from domain.validation.order import LAYERS
from domain.verdict import Defer, Reject
from tests.unit.domain.given import EMAIL, HOUR, NOW, PHONE, facts, plan, planned, request, submission, tenant

NOON = QuietHours(11 * 60, 14 * 60)


def compliance(quiet: QuietHours | None = NOON, **changes: Any) -> Reject | Defer | None:
    return l6_compliance.check(submission(request(**changes)), facts(tenant=tenant(quiet_hours=quiet)))


def test_a_suppressed_recipient_is_refused_with_the_regulation() -> None:
    for blocked in (EMAIL.upper(), PHONE):
        reject = l6_compliance.check(submission(), facts(tenant=tenant(blocked_recipients=("x", blocked))))
        assert isinstance(reject, Reject)
        assert (reject.code, reject.compliance_code) == ("compliance_blocked", "recipient_suppressed")
        assert reject.regulation == "GDPR/ePrivacy"


def test_an_address_that_no_step_uses_may_be_suppressed() -> None:
    known = facts(tenant=tenant(blocked_recipients=(PHONE,)), plan=plan(planned("email"), planned(skip="no_route")))
    assert l6_compliance.check(submission(), known) is None


def test_quiet_hours_move_the_steps_that_ring() -> None:
    assert compliance() == Defer((0, NOW + 2 * HOUR), "quiet_hours")


def test_quiet_hours_are_the_recipients() -> None:
    assert compliance(timezone="America/New_York") is None
    assert compliance(None) is None


def test_quiet_hours_are_judged_at_the_time_of_sending() -> None:
    assert compliance(send_at_ms=NOW + 3 * HOUR) is None


def test_quiet_hours_that_may_not_defer_refuse() -> None:
    reject = compliance(QuietHours(11 * 60, 14 * 60, defer=False))
    assert isinstance(reject, Reject)
    assert (reject.compliance_code, reject.regulation, reject.retry_after_ms) == (
        "quiet_hours", "GDPR/ePrivacy", 2 * HOUR,
    )  # fmt: skip


def test_mail_alone_is_never_quiet() -> None:
    known = facts(tenant=tenant(quiet_hours=NOON), plan=plan(planned("email")))
    assert l6_compliance.check(submission(), known) is None


def test_without_a_plan_the_requests_own_steps_are_judged() -> None:
    known = facts(tenant=tenant(quiet_hours=NOON), plan=None)
    assert l6_compliance.check(submission(), known) == Defer((0, NOW + 2 * HOUR), "quiet_hours")


def test_a_zone_or_time_that_nobody_has_judged_does_not_raise() -> None:
    assert isinstance(compliance(timezone="nowhere", send_at_ms=10**18), Defer)


def test_content_below_the_threshold_passes_and_at_it_is_refused() -> None:
    body = Body("Act now: http://203.0.113.7/x")
    known = facts(tenant=tenant(spam_threshold=4.5))
    assert l7_content.check(submission(request(body=body)), known) is None
    reject = l7_content.check(submission(request(body=body)), facts(tenant=tenant(spam_threshold=4.0)))
    assert reject is not None
    assert (reject.code, reject.score) == ("content_violation", 4.0)
    assert {e.code for e in reject.errors} == {"ip_host", "urgency_phrase"}
    assert any("203.0.113.7" in e.message for e in reject.errors)


def test_a_prohibited_phrase_is_refused_whatever_the_score() -> None:
    known = facts(tenant=tenant(blocked_phrases=("order has",), spam_threshold=99.0))
    reject = l7_content.check(submission(), known)
    assert reject is not None
    assert (reject.score, reject.errors[0].code) == (0.0, "blocked_phrase")


def test_a_message_with_a_step_to_try_has_a_route() -> None:
    assert l9_route.check(submission(), facts(plan=plan(planned(skip="no_route"), planned("email")))) is None


def test_a_message_of_skipped_steps_has_none_and_each_reason_is_told() -> None:
    known = facts(plan=plan(planned(skip="no_route"), planned("email", skip="no_address")))
    reject = l9_route.check(submission(), known)
    assert reject is not None
    assert (reject.layer, reject.code) == (9, "no_route")
    assert [(e.path, e.code) for e in reject.errors] == [
        ("routing.channels.0", "no_route"), ("routing.channels.1", "no_address"),
    ]  # fmt: skip


def test_the_layers_stand_in_the_documents_order() -> None:
    assert [number for number, _, _ in LAYERS] == [0, 1, 2, 3, 4, 5, 6, 7, 9]


def test_a_good_message_passes_every_layer() -> None:
    assert [check(submission(), facts()) for _, _, check in LAYERS] == [None] * 9


def test_what_could_not_be_read_is_refused_by_layer_five_only() -> None:
    verdicts = {number: check(submission(request=None), facts()) for number, _, check in LAYERS}
    assert [number for number, verdict in verdicts.items() if verdict is not None] == [5]
