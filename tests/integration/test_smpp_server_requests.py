"""The SMPP server over loopback: submissions, several destinations, queries, cancellations, and the other PDUs."""

import asyncio
from dataclasses import replace

import pytest

from domain.cascade.commands import StatusTold
from ingress.smpp.ids import client_id
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.pdu import (
    ESM_UDHI,
    TLV_MESSAGE_PAYLOAD,
    Destination,
    Failure,
    FieldValue,
    Pdu,
    ShortMessage,
)
from tests.fakes.fake_desk import FakeDesk
from tests.integration.smpp_esme import ACCOUNTS, Gateway, bound, cascade, gateway, text
from tests.integration.test_smpp_server import id_of


def said(gate: Gateway) -> str:
    """The text of the newest submission."""
    request = gate.desk.submitted[-1].request
    assert request is not None
    return request.body.text


def sms(**changes: object) -> ShortMessage:
    return text()._replace(**changes)  # type: ignore[arg-type]  # the names and types are ShortMessage's


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"data_coding": 4}, s.ESME_RSUBMITFAIL),
        ({"destination_addr": "nobody"}, s.ESME_RINVDSTADR),
        ({"destination_addr": "12", "dest_addr_ton": 2}, s.ESME_RINVDSTADR),
        ({"dest_addr_ton": 9}, 0x50),
        ({"dest_addr_npi": 7}, 0x51),
        ({"source_addr_ton": 9}, 0x48),
        ({"source_addr_npi": 7}, 0x49),
        ({"source_addr_ton": 1, "source_addr": "Acme"}, s.ESME_RINVSRCADR),
        ({"short_message": b""}, s.ESME_RINVMSGLEN),
        ({"priority_flag": 4}, s.ESME_RINVPRTFLG),
        ({"registered_delivery": 3}, s.ESME_RINVREGDLVFLG),
        ({"replace_if_present_flag": 2}, s.ESME_RINVREPFLAG),
        ({"sm_default_msg_id": 1}, s.ESME_RINVDFTMSGID),
        ({"schedule_delivery_time": "nonsense"}, s.ESME_RINVSCHED),
        ({"validity_period": "nonsense"}, s.ESME_RINVEXPIRY),
        ({"validity_period": "010101000000000+"}, s.ESME_RINVEXPIRY),
        ({"esm_class": ESM_UDHI, "short_message": b"\x09x"}, s.ESME_RINVESMCLASS),
        ({"esm_class": ESM_UDHI, "short_message": b"\x06\x05\x04\x0b\x84\x23\xf0hi"}, s.ESME_RSUBMITFAIL),
        ({"service_type": "TOOLONG"}, s.ESME_RINVSERTYP),
        ({"tlvs": ((0x1401, b""),)}, s.ESME_RINVOPTPARAMVAL),
    ],
)
async def test_what_is_wrong_with_a_submit_sm_has_its_status(changes: dict[str, object], status: int) -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        assert (await esme.ask(sms(**changes))).status == status
        assert not gate.desk.submitted


async def test_times_become_the_moment_to_send_and_the_life_of_the_step() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        await esme.ask(text(schedule_delivery_time="000001000000000R", validity_period="000002000000000R"))
        submission = gate.desk.submitted[-1]
        request = submission.request
        assert request is not None
        day_ms = 24 * 3600 * 1000
        assert abs(request.send_at_ms - submission.received_at_ms - day_ms) < 1_000
        assert abs(request.steps[0].timeout_ms - day_ms) < 1_000
        assert request.max_duration_ms == request.steps[0].timeout_ms


async def test_several_destinations_get_a_message_each_and_those_refused_are_listed() -> None:
    numbers = ("4511111111", "nobody", "4522222222")
    fields: dict[str, FieldValue] = {
        "source_addr": "Acme",
        "source_addr_ton": 5,
        "short_message": b"all",
        "dest_address": tuple(Destination(1, 1, 1, number) for number in numbers),
    }
    async with gateway() as gate, bound(gate.port) as esme:
        answer = await esme.ask(Pdu(c.SUBMIT_MULTI, 0, 0, {**fields, "registered_delivery": 1}))
        assert isinstance(answer, Pdu)
        assert answer.status == s.ESME_ROK
        assert answer.fields["unsuccess_sme"] == (Failure(1, 1, "nobody", s.ESME_RINVDSTADR),)
        assert len(gate.desk.submitted) == 2
        for submission in gate.desk.submitted:
            await gate.ended(submission.message_id)
        receipts = [await esme.hear_receipt() for _ in range(2)]
        assert {r.short_message[3:35].decode() for r in receipts} == {answer.text("message_id")}
        assert {r.source_addr for r in receipts} == {"4511111111", "4522222222"}
        assert (await esme.ask(Pdu(c.SUBMIT_MULTI, 0, 0, {**fields, "dest_address": ()}))).status == s.ESME_RINVNUMDESTS
        listed = (Destination(2, dl_name="friends"),)
        answer = await esme.ask(Pdu(c.SUBMIT_MULTI, 0, 0, {**fields, "dest_address": listed}))
        assert answer.status == s.ESME_RINVDLNAME


async def test_data_sm_is_a_submission_and_has_a_response_of_its_own() -> None:
    fields: dict[str, FieldValue] = {
        "source_addr": "Acme",
        "source_addr_ton": 5,
        "destination_addr": "4512345678",
        "dest_addr_ton": 1,
    }
    async with gateway() as gate, bound(gate.port, command=c.BIND_RECEIVER) as esme:
        answer = await esme.ask(Pdu(c.DATA_SM, 0, 0, fields, ((TLV_MESSAGE_PAYLOAD, b"hello"),)))
        assert answer.command_id == c.DATA_SM_RESP
        assert id_of(answer) == client_id(gate.desk.submitted[0].message_id)
        assert said(gate) == "hello"


async def test_a_message_can_be_queried_and_cancelled_by_its_id_and_by_its_own_tenant_only() -> None:
    async with gateway() as gate, bound(gate.port) as esme, bound(gate.port, system_id="other") as other:
        named = id_of(await esme.ask(text()))
        message_id = gate.desk.submitted[0].message_id
        gate.desk.cascades[message_id] = cascade(message_id, "exhausted", "034")
        query = Pdu(c.QUERY_SM, 0, 0, {"message_id": named})
        answer = await esme.ask(query)
        assert isinstance(answer, Pdu)
        assert (answer.text("message_id"), answer.number("message_state"), answer.number("error_code")) == (
            named,
            5,
            34,
        )
        assert len(answer.text("final_date")) == 16
        assert (await other.ask(query)).status == s.ESME_RINVMSGID
        assert (await esme.ask(Pdu(c.QUERY_SM, 0, 0, {"message_id": "1; drop"}))).status == s.ESME_RINVMSGID
        cancel = Pdu(c.CANCEL_SM, 0, 0, {"message_id": named})
        assert (await other.ask(cancel)).status == s.ESME_RINVMSGID
        assert (await esme.ask(cancel)).status == s.ESME_ROK
        gate.desk.cancel_answer = (False, "delivered")
        assert (await esme.ask(cancel)).status == 0x11
        assert (await esme.ask(Pdu(c.REPLACE_SM, 0, 0, {"message_id": named}))).status == 0x13
        assert (await esme.ask(Pdu(c.REPLACE_SM, 0, 0, {"message_id": "00"}))).status == s.ESME_RINVMSGID


async def test_messages_between_two_addresses_can_be_cancelled_without_an_id() -> None:
    addresses = {"source_addr": "Acme", "destination_addr": "4512345678"}
    async with gateway() as gate, bound(gate.port) as esme:
        cancel = Pdu(c.CANCEL_SM, 0, 0, {**addresses, "service_type": "OTP"})
        assert (await esme.ask(cancel)).status == 0x11
        await esme.ask(text(service_type="OTP"))
        message_id = gate.desk.submitted[0].message_id
        gate.desk.cascades[message_id] = cascade(message_id, "scheduled")
        assert (await esme.ask(cancel)).status == s.ESME_ROK


async def test_replace_if_present_cancels_the_newest_message_of_the_service_type_once_the_new_one_is_accepted() -> None:
    cancelled: list[str] = []

    class Watching(FakeDesk):
        async def cancel(self, tenant_id: str, message_id: str) -> StatusTold:
            cancelled.append(message_id)
            return StatusTold("ask", None)

    async with gateway(desk=Watching()) as gate, bound(gate.port) as esme:
        await esme.ask(text(service_type="A"))
        await esme.ask(text(service_type="B"))
        await esme.ask(text(service_type="A", replace_if_present_flag=1))
        assert cancelled == [gate.desk.submitted[0].message_id]


async def test_enquire_link_is_answered_in_every_state_and_nothing_is_said_to_a_response() -> None:
    async with gateway() as gate, bound(gate.port, command=c.BIND_TRANSMITTER) as esme:
        esme.say(codec.header_only(c.SUBMIT_SM_RESP, 0, 99))
        esme.say(codec.header_only(c.GENERIC_NACK, 3, 99))
        esme.say(codec.header_only(0x80001234, 0, 99))
        assert (await esme.ask(Pdu(c.ENQUIRE_LINK, 0, 0))).command_id == c.ENQUIRE_LINK_RESP


@pytest.mark.parametrize(
    ("command", "answer", "status"),
    [
        (0x00001234, c.GENERIC_NACK, s.ESME_RINVCMDID),
        (c.DELIVER_SM, c.DELIVER_SM_RESP, s.ESME_RINVBNDSTS),
        (c.UNBIND, c.UNBIND_RESP, s.ESME_ROK),
    ],
)
async def test_other_requests_get_the_answer_of_the_standard(command: int, answer: int, status: int) -> None:
    async with gateway() as gate, bound(gate.port, command=c.BIND_TRANSMITTER) as esme:
        heard = await esme.ask(ShortMessage(command) if command == c.DELIVER_SM else Pdu(command, 0, 0))
        assert (heard.command_id, heard.status) == (answer, status)


async def test_unbind_waits_for_what_is_at_work_and_takes_nothing_new() -> None:
    hold = asyncio.Event()
    async with gateway(desk=FakeDesk(hold=hold)) as gate, bound(gate.port) as esme:
        esme.send(text())
        esme.send(Pdu(c.UNBIND, 0, 0))
        esme.send(text())
        late = await esme.hear()
        assert (late.command_id, late.status) == (c.SUBMIT_SM_RESP, s.ESME_RINVBNDSTS)
        hold.set()
        assert [(await esme.hear()).command_id for _ in range(2)] == [c.SUBMIT_SM_RESP, c.UNBIND_RESP]
        assert await esme.wait_closed() == b""


async def test_a_server_that_stops_answers_what_is_at_work_and_unbinds() -> None:
    hold = asyncio.Event()
    async with gateway(desk=FakeDesk(hold=hold)) as gate, bound(gate.port) as esme:
        esme.send(text())
        await gate.desk.arrivals.get()
        stopping = asyncio.create_task(gate.server.stop(2_000))
        await asyncio.sleep(0)
        hold.set()
        assert (await esme.hear()).status == s.ESME_ROK
        unbind = await esme.hear()
        assert unbind.command_id == c.UNBIND
        esme.say(codec.header_only(c.UNBIND_RESP, 0, unbind.sequence))
        async with asyncio.timeout(1):
            await stopping


async def test_a_revoked_key_ends_its_sessions() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        gate.config.apply("key/key-1", replace(ACCOUNTS["acme"][1], revoked=True), 2)
        assert (await esme.hear()).command_id == c.UNBIND
