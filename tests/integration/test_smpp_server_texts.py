"""The SMPP server over loopback: texts in every alphabet, long messages in parts."""

from dataclasses import replace

import pytest

from domain.errors import TransientError
from domain.message import Submission
from domain.verdict import Reject, Verdict
from ingress.smpp.ids import client_id
from ingress.smpp.settings import AccountProfile
from schemas.smpp import status as s
from schemas.smpp import udh
from schemas.smpp.pdu import (
    ESM_UDHI,
    TLV_MESSAGE_PAYLOAD,
    TLV_SAR_MSG_REF_NUM,
    TLV_SAR_SEGMENT_SEQNUM,
    TLV_SAR_TOTAL_SEGMENTS,
    ShortMessage,
)
from schemas.smpp.text import encode_gsm7, encode_ucs2, pack
from tests.fakes.fake_desk import FakeDesk, accept
from tests.fakes.fake_parts import FakeParts
from tests.integration.smpp_esme import QUICK, bound, gateway, text, until
from tests.integration.test_smpp_server import id_of
from tests.integration.test_smpp_server_requests import said, sms


def part(seq: int, total: int, octets: bytes, **changes: object) -> ShortMessage:
    return sms(esm_class=ESM_UDHI, short_message=udh.concat8(7, total, seq) + octets, **changes)


def sar(seq: int, total: int, message: str) -> ShortMessage:
    tlvs = (
        (TLV_SAR_MSG_REF_NUM, b"\0\7"),
        (TLV_SAR_TOTAL_SEGMENTS, bytes((total,))),
        (TLV_SAR_SEGMENT_SEQNUM, bytes((seq,))),
    )
    return text(message, tlvs=tlvs)


async def test_each_part_is_answered_with_an_id_of_its_own_and_the_last_one_brings_the_message() -> None:
    async with gateway() as gate, bound(gate.port) as one, bound(gate.port, system_id="acme2") as two:
        third = id_of(await two.ask(part(3, 3, b"c", registered_delivery=0)))
        second = id_of(await one.ask(part(2, 3, b"b" * 153, registered_delivery=1)))
        assert not gate.desk.submitted
        first = id_of(await one.ask(part(1, 3, b"a" * 153, registered_delivery=1)))
        assert said(gate) == "a" * 153 + "b" * 153 + "c"
        message_id = gate.desk.submitted[0].message_id
        assert [first, second, third] == [client_id(message_id, n) for n in (1, 2, 3)]
        await gate.ended(message_id)
        told = {(await one.hear_receipt()).short_message[3:37].decode() for _ in range(2)}
        assert told == {first, second}


async def test_a_part_that_comes_again_has_its_first_id_and_a_whole_sent_again_its_first_message_id() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        first = id_of(await esme.ask(part(1, 2, b"A")))
        assert id_of(await esme.ask(part(1, 2, b"A"))) == first
        second = id_of(await esme.ask(part(2, 2, b"B")))
        assert id_of(await esme.ask(part(2, 2, b"B"))) == second
        assert len({submission.message_id for submission in gate.desk.submitted}) == 1


async def test_a_reference_that_is_used_again_begins_a_new_message_and_the_old_parts_are_told_rejected() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        lost = id_of(await esme.ask(part(1, 2, b"old", registered_delivery=1)))
        await esme.ask(part(1, 2, b"new "))
        await esme.ask(part(2, 2, b"text"))
        assert said(gate) == "new text"
        receipt = (await esme.hear_receipt()).short_message
        assert receipt.startswith(b"id:" + lost.encode())
        assert b"stat:REJECTD" in receipt


async def test_parts_of_a_message_that_stays_incomplete_are_told_expired() -> None:
    async with gateway(replace(QUICK, parts_timeout_ms=50)) as gate, bound(gate.port) as esme:
        lost = id_of(await esme.ask(part(1, 2, b"a", registered_delivery=2)))
        receipt = (await esme.hear_receipt()).short_message
        assert receipt.startswith(b"id:" + lost.encode())
        assert b"stat:EXPIRED" in receipt
        assert not gate.desk.submitted
        await until(lambda: not gate.parts.groups)


async def test_a_refused_whole_refuses_its_last_part_and_rejects_those_acknowledged_before() -> None:
    def refuse(submission: Submission) -> Verdict:
        return replace(accept(submission), reject=Reject(4, "insufficient_balance", "no"))

    async with gateway(desk=FakeDesk(decide=refuse)) as gate, bound(gate.port) as esme:
        lost = id_of(await esme.ask(part(1, 2, b"a", registered_delivery=1)))
        assert (await esme.ask(part(2, 2, b"b", registered_delivery=1))).status == s.ESME_RSUBMITFAIL
        receipt = (await esme.hear_receipt()).short_message
        assert receipt.startswith(b"id:" + lost.encode())
        assert b"stat:REJECTD" in receipt
        await until(lambda: not gate.parts.groups and not gate.store.due and not gate.store.waiting)


async def test_a_last_part_that_was_put_off_can_be_sent_again() -> None:
    async with gateway(desk=FakeDesk(error=TransientError("away", 1))) as gate, bound(gate.port) as esme:
        await esme.ask(part(1, 2, b"a"))
        assert (await esme.ask(part(2, 2, b"b"))).status == s.ESME_RSYSERR
        gate.desk.error = None
        assert (await esme.ask(part(2, 2, b"b"))).status == s.ESME_ROK
        assert said(gate) == "ab"


async def test_parts_that_cannot_be_kept_are_put_off_and_the_number_that_waits_is_bounded() -> None:
    away = TransientError("away", 1)
    async with gateway(parts=FakeParts(error=away)) as gate, bound(gate.port) as esme:
        assert (await esme.ask(part(1, 2, b"a"))).status == s.ESME_RSYSERR
        assert (await esme.ask(text())).status == s.ESME_ROK
    async with gateway(replace(QUICK, max_parts_per_tenant=1)) as gate, bound(gate.port) as esme:
        assert (await esme.ask(part(1, 3, b"a"))).status == s.ESME_ROK
        assert (await esme.ask(part(2, 3, b"b"))).status == s.ESME_RMSGQFUL


async def test_segments_by_sar_and_a_message_payload_are_texts_like_any_other() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        esme.send(sar(2, 2, "world"))
        esme.send(sar(1, 2, "hello "))
        assert {(await esme.hear()).status, (await esme.hear()).status} == {s.ESME_ROK}
        assert said(gate) == "hello world"
        await esme.ask(text("", tlvs=((TLV_MESSAGE_PAYLOAD, b"x" * 400),)))
        assert said(gate) == "x" * 400


@pytest.mark.parametrize(
    ("octets", "coding", "esm_class", "wanted"),
    [
        (encode_gsm7("[€] ñ"), 0, 0, "[€] ñ"),
        ("ñ é".encode("latin-1"), 3, 0, "ñ é"),
        (encode_ucs2("日本😀"), 8, 0, "日本😀"),
        (b"\3\x24\1\1" + b"\x1b\x63", 0, ESM_UDHI, "ç"),  # Turkish single shift
    ],
)
async def test_texts_are_read_by_their_data_coding(octets: bytes, coding: int, esm_class: int, wanted: str) -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        assert (await esme.ask(text(short_message=octets, data_coding=coding, esm_class=esm_class))).status == 0
        assert said(gate) == wanted


async def test_a_surrogate_pair_cut_between_two_parts_is_whole_again() -> None:
    octets = encode_ucs2("ab😀")
    async with gateway() as gate, bound(gate.port) as esme:
        esme.send(part(1, 2, octets[:6], data_coding=8))
        esme.send(part(2, 2, octets[6:], data_coding=8))
        assert (await esme.hear()).status == (await esme.hear()).status == s.ESME_ROK
        assert said(gate) == "ab😀"


async def test_a_tenants_own_alphabet_and_packing_are_kept() -> None:
    profiles = {
        "acme": AccountProfile(packed=True, country_code="45"),
        "other": AccountProfile(default_alphabet="latin1"),
    }
    async with gateway(replace(QUICK, profiles=profiles)) as gate, bound(gate.port) as esme:
        await esme.ask(text(short_message=pack(encode_gsm7("hello {x}")), dest_addr_ton=2, to="12345678"))
        assert said(gate) == "hello {x}"
        request = gate.desk.submitted[-1].request
        assert request is not None
        assert request.to.phone == "+4512345678"
        header = udh.concat8(1, 2, 1)
        esme.send(text(esm_class=ESM_UDHI, short_message=header + pack(encode_gsm7("one "), 1)))
        esme.send(text(esm_class=ESM_UDHI, short_message=udh.concat8(1, 2, 2) + pack(encode_gsm7("two"), 1)))
        await esme.hear()
        await esme.hear()
        assert said(gate) == "one two"
        async with bound(gate.port, system_id="other") as other:
            await other.ask(text(short_message="é".encode("latin-1")))
            assert said(gate) == "é"
