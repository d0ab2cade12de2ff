"""Refusals of a well-formed submit_sm."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.smpp.commands import SUBMIT_MULTI
from schemas.smpp.pdu import Destination, FieldValue, Pdu, ShortMessage
from schemas.smpp.submit_check import check, check_multi
from schemas.smpp.udh import concat8

NOW = datetime(2024, 6, 1, tzinfo=UTC)
GOOD = ShortMessage(source_addr="Hermes", destination_addr="4599000001", short_message=b"hi")
SAR = ((0x020C, b"\0\1"), (0x020E, b"\2"), (0x020F, b"\1"))


def test_a_good_message_is_not_refused() -> None:
    assert check(GOOD, NOW) == 0
    assert check(GOOD._replace(esm_class=0x40, short_message=concat8(1, 2, 1) + b"hi"), NOW) == 0
    assert check(GOOD._replace(short_message=b"", tlvs=((0x0424, b"hi"),)), NOW) == 0
    assert check(GOOD._replace(tlvs=SAR, validity_period="000001000000000R"), NOW) == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"service_type": "TOOLONG"}, 0x15),
        ({"source_addr": "1" * 70}, 0x0A),
        ({"destination_addr": ""}, 0x0B),
        ({"destination_addr": "bob"}, 0x0B),
        ({"dest_addr_ton": 5}, 0x0B),
        ({"priority_flag": 4}, 0x06),
        ({"registered_delivery": 3}, 0x07),
        ({"replace_if_present_flag": 2}, 0x54),
        ({"sm_default_msg_id": 1}, 0x63),
        ({"schedule_delivery_time": "x"}, 0x61),
        ({"validity_period": "12345"}, 0x62),
        ({"schedule_delivery_time": "000003000000000R", "validity_period": "000002000000000R"}, 0x62),
        ({"esm_class": 0x3C}, 0x43),
        ({"esm_class": 0x40, "short_message": b""}, 0x43),
        ({"esm_class": 0x40, "short_message": b"\x09ab"}, 0x43),
        ({"esm_class": 0x40, "short_message": concat8(1, 2, 1) + b"hi", "tlvs": SAR}, 0x43),
        ({"tlvs": SAR[:2]}, 0xC4),
        ({"tlvs": (*SAR[:2], (0x020F, b"\3"))}, 0xC4),
        ({"short_message": b""}, 0x01),
        ({"short_message": bytes(255)}, 0x01),
        ({"tlvs": ((0x0424, b"both"),)}, 0x01),
    ],
)
def test_each_refusal_has_its_status(changes: dict[str, Any], status: int) -> None:
    assert check(GOOD._replace(**changes), NOW) == status


@pytest.mark.parametrize(
    ("destinations", "status"),
    [
        ((Destination(1, 1, 1, "4599000001"), Destination(1, 1, 1, "4599000002")), 0),
        ((), 0x33),
        ((Destination(1, 1, 1, "4599000001"),) * 255, 0x33),
        ((Destination(2, dl_name="list"),), 0x34),
        ((Destination(1, 1, 1, "4599000001"), Destination(1, 1, 1, "bob")), 0x0B),
    ],
)
def test_every_destination_of_submit_multi_is_looked_at(destinations: tuple[Destination, ...], status: int) -> None:
    fields: dict[str, FieldValue] = {"source_addr": "Hermes", "dest_address": destinations, "short_message": b"hi"}
    assert check_multi(Pdu(SUBMIT_MULTI, 0, 1, fields), NOW) == status
