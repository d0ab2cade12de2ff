"""A cascade in the words of SMPP."""

from dataclasses import replace

import pytest

from domain.cascade.commands import StatusChanged
from domain.cascade.plan import Plan
from domain.cascade.states import Attempt, Cascade, StateName
from ingress.smpp.outcome import Told, err_of, settled_of, stat_of, told_of
from ingress.smpp.receipt_pdu import receipt_pdu
from ingress.smpp.receipt_store import ReceiptDue, ReceiptKey, ReceiptWanted, Settled
from schemas.catalogue import codec
from schemas.smpp import receipt
from schemas.smpp.pdu import ESM_INTERMEDIATE, TLV_NETWORK_ERROR_CODE, tlv
from tests.unit.ingress.smpp.callers import NOW, NOW_MS

AVRO = codec()
BASE = Cascade("msg-1", "acme", Plan((), "delivered", 1, "sent", 0, ""), 0, NOW_MS, NOW_MS, "", updated_at_ms=NOW_MS)
FAILED = Attempt(1, 0, "sms", "failed", 1, code="034")
WANTED = ReceiptWanted(
    ReceiptKey("acme", "msg-1", 0, "final"), "01ab", "acme", 5, 0, "Acme", 1, 1, "4512345678", False, "hi", NOW_MS, 0
)


@pytest.mark.parametrize(
    ("state", "attempts", "stat", "err"),
    [
        ("created", (), "ACCEPTD", "000"),
        ("scheduled", (), "SCHEDULED", "000"),
        ("attempting", (), "ENROUTE", "000"),
        ("waiting_confirmation", (), "ENROUTE", "000"),
        ("delivered", (FAILED,), "DELIVRD", "000"),
        ("expired", (), "EXPIRED", "001"),
        ("cancelled", (), "DELETED", "001"),
        ("exhausted", (), "REJECTD", "001"),
        ("exhausted", (FAILED,), "UNDELIV", "034"),
        ("exhausted", (replace(FAILED, code="7"),), "UNDELIV", "007"),
        ("exhausted", (replace(FAILED, code="invalid_address"),), "UNDELIV", "001"),
        ("exhausted", (replace(FAILED, code="rejected"),), "REJECTD", "001"),
        ("exhausted", (replace(FAILED, state="timed_out"),), "EXPIRED", "034"),
    ],
)
def test_each_state_has_its_word_and_code(state: StateName, attempts: tuple[Attempt, ...], stat: str, err: str) -> None:
    cascade = replace(BASE, state=state, attempts=attempts)
    assert (stat_of(cascade), err_of(cascade)) == (stat, err)


def test_a_query_is_told_the_final_date_and_old_clients_no_state_they_do_not_know() -> None:
    assert told_of(replace(BASE, state="delivered"), 0x34) == Told("260210120000000+", 2, 0)
    assert told_of(replace(BASE, state="scheduled"), 0x34) == Told("", 1, 0)
    assert told_of(replace(BASE, state="scheduled"), 0x50) == Told("", 0, 0)
    assert told_of(replace(BASE, state="exhausted", attempts=(replace(FAILED, code="999"),)), 0x34).error_code == 255


def test_the_end_settles_receipts_the_sending_intermediate_ones_and_nothing_else_does() -> None:
    final = StatusChanged(
        "msg-1", "acme", 3, "delivered", "", 1, True, "sms", 9, AVRO.encode(replace(BASE, state="delivered"))
    )
    sent = replace(final, event="sent", final=False, at_ms=8)
    assert settled_of([sent, sent, replace(sent, event="receipt"), final], AVRO) == [
        Settled("acme", "msg-1", "intermediate", "ENROUTE", "000", 8),
        Settled("acme", "msg-1", "final", "DELIVRD", "000", 9),
    ]
    assert settled_of([replace(final, cascade=b"?")], AVRO) == [Settled("acme", "msg-1", "final", "UNKNOWN", "001", 9)]


@pytest.mark.parametrize("version", [0x33, 0x34, 0x50])
def test_a_receipt_is_read_back_as_it_was_meant_with_and_without_tlvs(version: int) -> None:
    pdu = receipt_pdu(ReceiptDue(WANTED, "UNDELIV", "034", NOW_MS, 1), version)
    found = receipt.read(pdu, NOW)
    assert found == receipt.Receipt("01ab", 5, "34" if version >= 0x34 else "034")
    assert bool(pdu.tlvs) == (version >= 0x34)
    assert pdu.short_message.endswith(b"submit date:2602101200 done date:2602101200 stat:UNDELIV err:034 text:hi")


def test_an_intermediate_notification_has_its_own_type_and_an_odd_code_no_tlv() -> None:
    wanted = replace(WANTED, key=WANTED.key._replace(kind="intermediate"))
    pdu = receipt_pdu(ReceiptDue(wanted, "ENROUTE", "A1B", NOW_MS, 1), 0x34)
    assert pdu.esm_class == ESM_INTERMEDIATE
    assert tlv(pdu.tlvs, TLV_NETWORK_ERROR_CODE) is None
