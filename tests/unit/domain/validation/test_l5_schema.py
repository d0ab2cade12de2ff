"""Layer 5: each field, and all errors at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cascade.rule import Backoff, DeliveryWindow, Step
from domain.errors import FieldError
from domain.message import Body, Recipient, SendRequest
from domain.validation.l5_schema import MAX_ERRORS, check
from tests.unit.domain.given import EMAIL, NOW, PHONE, facts, request, submission, tenant

DAY = 24 * 3_600_000


def errors(of: SendRequest, **known: Any) -> list[tuple[str, str]]:
    reject = check(submission(of), facts(**known))
    return [(e.path, e.code) for e in reject.errors] if reject is not None else []


def with_step(**changes: Any) -> SendRequest:
    return request(steps=(Step("sms", **changes),))


def test_a_good_request_passes() -> None:
    assert errors(request()) == []


def test_the_gateways_errors_come_first_and_an_unreadable_body_is_told() -> None:
    first = FieldError("colour", "unknown_field", "is not known")
    reject = check(submission(request(to=Recipient("phone")), errors=(first,)), facts())
    assert reject is not None
    assert [e.path for e in reject.errors] == ["colour", "to.phone"]
    assert errors_of_nothing() == [("", "unreadable")]


def errors_of_nothing() -> list[tuple[str, str]]:
    reject = check(submission(request=None), facts())
    return [(e.path, e.code) for e in reject.errors] if reject is not None else []


def test_every_error_is_told_at_once() -> None:
    bad = request(
        to=Recipient("multi", email="nobody", phone="12"),
        body=Body("", subject="a\nb"),
        reference="r" * 129,
        timezone="Mars/Phobos",
        steps=(Step("sms", timeout_ms=0, max_retries=11),),
    )
    assert {path for path, _ in errors(bad)} == {
        "to.email", "to.phone", "to.timezone", "body.text", "body.subject", "reference",
        "routing.channels.0.timeout", "routing.channels.0.max_retries",
    }  # fmt: skip


def test_very_many_errors_are_cut() -> None:
    many = tuple(FieldError(f"f{n}", "x", "y") for n in range(MAX_ERRORS * 5))
    reject = check(submission(errors=many), facts())
    assert reject is not None
    assert len(reject.errors) == MAX_ERRORS


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (Recipient("email"), [("to.email", "required")]),
        (Recipient("phone", email=EMAIL), [("to.phone", "required")]),
        (Recipient("device_token"), [("to.device_token", "required")]),
        (Recipient("multi"), [("to", "required")]),
        (Recipient("user_id", user_id="u-1"), [("to.user_id", "unknown_user")]),
        (Recipient("email", email="a b@example.com"), [("to.email", "invalid_email")]),
        (Recipient("phone", phone="004520123456"), [("to.phone", "invalid_phone")]),
        (Recipient("multi", EMAIL, device_token="short"), [("to.device_token", "invalid_device_token")]),
        (Recipient("device_token", device_token="x" * 64), [("to", "no_address")]),
        (Recipient("phone", phone=PHONE), []),
    ],
)
def test_the_recipient(to: Recipient, expected: list[tuple[str, str]]) -> None:
    assert errors(request(to=to)) == expected


@pytest.mark.parametrize(
    ("body", "channel", "expected"),
    [
        (Body(""), "sms", [("body.text", "required")]),
        (Body("", "<p>x</p>"), "email", []),
        (Body("  "), "email", [("body.text", "required")]),
        (Body("x" * 1_530), "sms", []),
        (Body("x" * 1_531), "sms", [("body.text", "too_long")]),
        (Body("ж" * 671), "sms", [("body.text", "too_long")]),
        (Body("x" * 4_097), "whatsapp", [("body.text", "too_long")]),
        (Body("x", subject="s" * 999), "email", [("body.subject", "too_long")]),
        (Body("x", subject="a\r\nBcc: b"), "email", [("body.subject", "invalid_characters")]),
        (Body("a\x00"), "email", [("body.text", "invalid_characters")]),
        (Body("x" * (1 << 20), "y"), "email", [("body", "too_large")]),
        (Body("", template_id="welcome"), "email", [("body.template_id", "template_not_found")]),
    ],
)
def test_the_body(body: Body, channel: Any, expected: list[tuple[str, str]]) -> None:
    assert errors(request(body=body, steps=(Step(channel),))) == expected


def test_a_push_counts_its_octets_with_the_subject() -> None:
    to = Recipient("device_token", device_token="t" * 64)
    assert errors(request(to=to, steps=(Step("push"),), body=Body("x" * 4_000, subject="s" * 96))) == []
    assert errors(request(to=to, steps=(Step("push"),), body=Body("x" * 4_000, subject="s" * 97))) != []


def test_a_bigger_tier_may_send_bigger_mail() -> None:
    big = request(body=Body("x" * (1 << 20) + "y"))
    assert ("body", "too_large") not in errors(big, tenant=tenant(tier="business"))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"timeout_ms": 0}, "timeout"),
        ({"timeout_ms": 73 * 3_600_000}, "timeout"),
        ({"max_retries": -1}, "max_retries"),
        ({"backoff": Backoff(base_ms=0)}, "retry_backoff.base"),
        ({"backoff": Backoff(base_ms=9, max_ms=8)}, "retry_backoff.max"),
        ({"backoff": Backoff("linear", increment_ms=-1)}, "retry_backoff.increment"),
        ({"window": DeliveryWindow(1440, 60)}, "delivery_window.start"),
        ({"window": DeliveryWindow(0, 1441)}, "delivery_window.end"),
        ({"window": DeliveryWindow(0, 60, days=())}, "delivery_window.days"),
        ({"window": DeliveryWindow(0, 60, days=(8,))}, "delivery_window.days"),
        ({"window": DeliveryWindow(0, 60, "America")}, "delivery_window.timezone"),
    ],
)
def test_a_steps_settings(changes: dict[str, Any], path: str) -> None:
    assert [p for p, _ in errors(with_step(**changes))] == [f"routing.channels.0.{path}"]


def test_a_rules_steps_are_named_as_the_rules() -> None:
    bad = request(steps=(Step("sms", timeout_ms=0),), rule_id="r1")
    assert errors(bad) == [("routing.cascade_rule.steps.0.timeout", "out_of_range")]


def test_the_number_of_steps_and_the_duration() -> None:
    assert errors(request(steps=())) == [("routing.channels", "out_of_range")]
    assert errors(request(steps=(Step("sms"),) * 11)) == [("routing.channels", "out_of_range")]
    assert errors(request(max_duration_ms=0)) == [("routing.max_cascade_duration", "out_of_range")]


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({f"k{n}": "" for n in range(51)}, "too_many"),
        ({"k" * 65: ""}, "too_long"),
        ({"": ""}, "too_long"),
        ({"k": "v" * 513}, "too_long"),
        ({"k\n": ""}, "invalid_characters"),
    ],
)
def test_metadata_is_bounded(metadata: dict[str, str], code: str) -> None:
    assert [c for _, c in errors(request(metadata=metadata))] == [code]


@pytest.mark.parametrize(
    ("ahead_ms", "codes"),
    [
        (-300_000, []),
        (-300_001, ["in_the_past"]),
        (35 * DAY, []),
        (35 * DAY + 1, ["too_far_ahead"]),
    ],
)
def test_the_time_of_sending(ahead_ms: int, codes: list[str]) -> None:
    assert [c for _, c in errors(request(send_at_ms=NOW + ahead_ms))] == codes


@pytest.mark.parametrize(
    ("sender", "codes"),
    [
        ("news@acme.example", []),
        ("news@mail.ACME.example", []),
        ("news@other.example", ["sender_not_allowed"]),
        ("news@evilacme.example", ["sender_not_allowed"]),
        ("not a@box", ["invalid_sender"]),
        ("ACME", []),
        ("+4520123456", []),
        ("ACME Parcels", ["invalid_sender"]),
        ("Ж", ["invalid_sender"]),
        ("1", ["invalid_sender"]),
        ("a\r\nb", ["invalid_sender"]),
    ],
)
def test_the_sender_is_the_tenants_own(sender: str, codes: list[str]) -> None:
    assert [c for _, c in errors(request(sender=sender))] == codes


def test_a_sender_is_of_a_channel_in_use() -> None:
    assert errors(request(sender="ACME", steps=(Step("email"),))) == [("sender", "invalid_sender")]
    assert errors(request(sender="a@acme.example", steps=(Step("sms"),))) == [("sender", "invalid_sender")]
    assert errors(request(sender="a@b.example"), tenant=tenant(from_domain="")) == [("sender", "sender_not_allowed")]


@given(st.builds(Body, st.text(), st.text(), st.text()), st.text(), st.text(), st.text(), st.text(), st.integers())
def test_no_request_makes_it_raise(body: Body, email: str, phone: str, sender: str, zone: str, at: int) -> None:
    to = Recipient("multi", email, phone, email, phone)
    check(submission(request(to=to, body=body, sender=sender, timezone=zone, send_at_ms=at)), facts())
