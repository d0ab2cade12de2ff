"""Bodies, addresses and times become the values behind the gateway."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.message import SendRequest
from ingress.addresses import normalise_email, parse_phone
from ingress.bodies import SendBody
from ingress.normalise import fingerprint_of, normalise
from ingress.times import (
    format_duration,
    format_rfc3339,
    format_time_of_day,
    is_timezone,
    parse_duration,
    parse_rfc3339,
    parse_time_of_day,
)


def read(to: dict[str, Any], routing: dict[str, Any] | None = None, **rest: Any) -> SendBody:
    """A body with a recipient, by SMS unless said otherwise."""
    routing = routing or {"type": "direct", "direct_channel": "sms"}
    return SendBody.model_validate({"to": to, "body": {"text": "Hi"}, "routing": routing, **rest})


def errors(body: SendBody) -> list[tuple[str, str]]:
    """Path and code of each error."""
    answer = normalise(body, None)
    return [] if isinstance(answer, SendRequest) else [(e.path, e.code) for e in answer]


@pytest.mark.parametrize(
    ("text", "e164", "zone"),
    [
        ("+14155551234", "+14155551234", "America/Los_Angeles"),
        (" +45 20-12.34 56 ", "+4520123456", "Europe/Copenhagen"),
        ("+4599000001", "+4599000001", "UTC"),
    ],
)
def test_a_number_becomes_e164_with_its_zone(text: str, e164: str, zone: str) -> None:
    phone = parse_phone(text)
    assert phone is not None
    assert (phone.e164, phone.timezone) == (e164, zone)


@pytest.mark.parametrize(
    "text", ["", "4520123456", "004520123456", "+45", "+999123456789", "+45201234567890123", "+४५२०१२३४५६"]
)
def test_what_is_no_international_number_is_none(text: str) -> None:
    assert parse_phone(text) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read_text in (parse_phone, normalise_email, parse_duration, parse_rfc3339, parse_time_of_day, is_timezone):
        read_text(text)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" A.b@Example.COM ", "A.b@example.com"),
        ("x@bücher.example", "x@xn--bcher-kva.example"),
        ('"a@b"@c.de', '"a@b"@c.de'),
    ],
)
def test_a_mailbox_keeps_its_local_part_and_gets_an_ascii_domain(text: str, email: str) -> None:
    assert normalise_email(text) == email


@pytest.mark.parametrize("text", ["", "a", "@b", "a@", "a\r\n@b.de", "a@b\x00.de", "x" * 250 + "@b.de", "a@\u2028.de"])
def test_what_is_no_mailbox_is_none(text: str) -> None:
    assert normalise_email(text) is None


@given(st.integers(0, 10**9))
def test_a_duration_written_is_read_the_same(duration_ms: int) -> None:
    assert parse_duration(format_duration(duration_ms)) == duration_ms


@given(st.integers(0, 4_102_444_800_000))
def test_a_moment_written_is_read_the_same(at_ms: int) -> None:
    assert parse_rfc3339(format_rfc3339(at_ms)) == at_ms


@given(st.integers(0, 24 * 60))
def test_a_time_of_day_written_is_read_the_same(minute: int) -> None:
    assert parse_time_of_day(format_time_of_day(minute)) == minute


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01t01:00:01.5+01:00", 1_500),
        ("1970-01-01T00:00:00.123456789z", 123),
        ("1970-01-01T00:00:00", None),
        ("1970-01-01 00:00:00Z", None),
        ("1970-02-30T00:00:00Z", None),
        ("1970-01-01T00:00:60Z", None),
        ("1970-W01-1T00:00:00Z", None),
        ("1970-01-01T00:00:00+99:00", None),
    ],
)
def test_only_rfc3339_with_an_offset_is_a_moment(text: str, at_ms: int | None) -> None:
    assert parse_rfc3339(text) == at_ms


def test_the_recipient_type_and_its_addresses_must_agree() -> None:
    assert errors(read({"type": "phone", "phone": "+4520123456"})) == []
    assert errors(read({"type": "phone", "email": "a@b.de"})) == [("to.phone", "missing"), ("to.email", "not_allowed")]
    assert errors(read({"type": "multi"})) == [("to", "missing")]
    assert errors(read({"type": "user_id", "user_id": "u-1"})) == []
    assert errors(read({"type": "device_token"})) == [("to.device_token", "missing")]


def test_the_routing_type_and_its_fields_must_agree() -> None:
    to = {"type": "phone", "phone": "+4520123456"}
    assert errors(read(to, {"type": "channels"})) == [("routing.channels", "missing")]
    assert errors(read(to, {"type": "direct", "direct_channel": "sms", "channels": [{"channel": "sms"}]})) == [
        ("routing.channels", "not_allowed")
    ]
    assert errors(read(to, {"type": "cascade_rule"})) == [("routing.cascade_rule_id", "missing")]


def test_something_must_be_said() -> None:
    body = read({"type": "phone", "phone": "+4520123456"}).model_copy(
        update={"body": SendBody.model_fields["body"].annotation()}  # type: ignore[misc]  # the annotation is the model
    )
    assert errors(body) == [("body.text", "missing")]


def test_the_request_has_the_defaults_of_the_rules_and_what_was_said() -> None:
    routing = {"type": "channels", "channels": [{"channel": "sms", "max_retries": 0}], "confirmation_level": "read"}
    routing["max_cascade_duration"] = "2h"
    vars_ = {"body": {"template_id": "t", "template_vars": {"n": 1}}, "send_at": "1970-01-01T01:00:02+01:00"}
    request = normalise(read({"type": "phone", "phone": "+4520123456"}, routing, **vars_), None)
    assert isinstance(request, SendRequest)
    assert (request.confirmation, request.max_duration_ms, request.send_at_ms) == ("read", 7_200_000, 2_000)
    assert (request.steps[0].timeout_ms, request.steps[0].max_retries) == (60_000, 0)
    assert request.body.template_vars == '{"n":1}'
    assert request.timezone == "Europe/Copenhagen"


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@y.de", "a\x00b", "x" * 999])
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(ValidationError, match=r"body\.subject"):
        read({"type": "phone", "phone": "+4520123456"}, body={"text": "x", "subject": subject})


@given(st.dictionaries(st.text(max_size=5), st.integers(-(2**63), 2**64 - 1), max_size=5), st.text(max_size=5))
def test_a_fingerprint_depends_on_everything_but_the_order_and_the_key(value: dict[str, int], key: str) -> None:
    value.pop("idempotency_key", None)
    backwards: dict[str, Any] = dict(reversed(value.items()))
    assert fingerprint_of(value) == fingerprint_of({**backwards, "idempotency_key": key})
    assert fingerprint_of(value) != fingerprint_of({**value, "another": 1})
