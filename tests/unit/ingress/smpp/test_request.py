"""A submit_sm as a request."""

from dataclasses import replace

import pytest

from domain.cascade.rule import DEFAULT_MAX_DURATION_MS, MAX_DURATION_MS, MAX_STEP_TIMEOUT_MS
from ingress.addresses import Phone
from ingress.smpp.request import Times, fingerprint_of, idempotency_key_of, metadata_of, request_of, times_of
from ingress.smpp.settings import AccountProfile
from schemas.smpp import status as s
from schemas.smpp.content import content_of
from schemas.smpp.pdu import ShortMessage
from tests.unit.ingress.smpp.callers import CALLER, NOW_MS

HOUR_MS = 3_600_000
PLAIN = AccountProfile()
MESSAGE = ShortMessage(source_addr="Acme", destination_addr="4512345678", short_message=b"hello")


@pytest.mark.parametrize(
    ("schedule", "validity", "wanted"),
    [
        ("", "", Times(0, DEFAULT_MAX_DURATION_MS)),
        ("", "000000010000000R", Times(0, HOUR_MS)),
        ("260210140000000+", "260210150000000+", Times(NOW_MS + 2 * HOUR_MS, HOUR_MS)),
        ("260210140000004+", "", Times(NOW_MS + HOUR_MS, DEFAULT_MAX_DURATION_MS)),
        ("", "010000000000000R", Times(0, MAX_DURATION_MS)),
        ("", "260210110000000+", s.ESME_RINVEXPIRY),
        ("260210140000000+", "260210140000000+", s.ESME_RINVEXPIRY),
    ],
)
def test_times_are_a_moment_and_a_span(schedule: str, validity: str, wanted: Times | int) -> None:
    message = MESSAGE._replace(schedule_delivery_time=schedule, validity_period=validity)
    assert times_of(message, NOW_MS) == wanted


def test_a_request_has_one_step_that_waits_no_longer_than_a_step_may() -> None:
    content = content_of(MESSAGE)
    assert content is not None
    request = request_of(
        MESSAGE, [content], Phone("+4512345678", "Europe/Copenhagen"), "", Times(0, MAX_DURATION_MS), CALLER
    )
    assert request.steps[0].timeout_ms == MAX_STEP_TIMEOUT_MS
    assert request.max_duration_ms == MAX_DURATION_MS
    assert (request.body.text, request.timezone, request.sender) == ("hello", "Europe/Copenhagen", "")


def test_unknown_tlvs_are_kept_in_hex_but_not_without_limits() -> None:
    tlvs = ((0x0424, b"payload"), *((0x1400 + n, bytes((n,))) for n in range(40)))
    kept = metadata_of(MESSAGE._replace(tlvs=((0x3000, bytes(300)), *tlvs)), CALLER)
    assert kept["smpp.tlv.1401"] == "01"
    assert sum(name.startswith("smpp.tlv.") for name in kept) == 16
    assert "smpp.tlv.3000" not in kept
    assert all(len(value) <= 512 for value in kept.values())


@pytest.mark.parametrize(
    ("tlvs", "profile", "wanted"),
    [
        ((), PLAIN, ""),
        (((0x1401, b"order-7\0"),), PLAIN, "order-7"),
        (((0x1401, b"\xff\x01"),), PLAIN, "ff01"),
        (((0x1401, b""),), PLAIN, s.ESME_RINVOPTPARAMVAL),
        (((0x1401, b"x" * 256),), PLAIN, s.ESME_RINVOPTPARAMVAL),
        (((0x1500, b"mine"),), AccountProfile(idempotency_tag=0x1500), "mine"),
        (((0x0204, b"\0\7"),), PLAIN, ""),
        (((0x0204, b"\0\7"),), AccountProfile(reference_is_key=True), "umr:0007:41636d65:4512345678"),
        (((0x0204, b"\7"),), AccountProfile(reference_is_key=True), 0xC2),
    ],
)
def test_the_idempotency_key_is_in_the_tlv_that_the_account_uses(
    tlvs: tuple[tuple[int, bytes], ...], profile: AccountProfile, wanted: str | int
) -> None:
    assert idempotency_key_of(MESSAGE._replace(tlvs=tlvs), profile) == wanted


def test_a_fingerprint_is_of_what_is_said_to_whom_and_not_of_its_place_in_a_session() -> None:
    first = fingerprint_of(MESSAGE, "hello")
    assert fingerprint_of(MESSAGE._replace(sequence=9, tlvs=((1, b"x"),)), "hello") == first
    others = [
        fingerprint_of(MESSAGE, "hullo"),
        fingerprint_of(MESSAGE._replace(destination_addr="4512345679"), "hello"),
        fingerprint_of(MESSAGE._replace(validity_period="000000010000000R"), "hello"),
    ]
    assert first not in others


def test_a_caller_is_of_its_keys_tenant() -> None:
    assert replace(CALLER, system_id="other").tenant_id == "acme"
