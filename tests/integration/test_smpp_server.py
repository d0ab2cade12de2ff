"""The SMPP server over loopback: binds, submissions, receipts, queries, and its end."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import Code, TransientError
from domain.message import Submission
from domain.verdict import Reject, Verdict
from ingress.smpp.ids import client_id, message_id_of
from ingress.smpp.settings import AccountProfile
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.pdu import (
    ESM_RECEIPT,
    TLV_MESSAGE_STATE,
    TLV_RECEIPTED_MESSAGE_ID,
    TLV_SC_INTERFACE_VERSION,
    Decoded,
    MessageAck,
    Pdu,
    ShortMessage,
    tlv,
)
from tests.fakes.fake_desk import FakeDesk, accept
from tests.fakes.fake_receipts import FakeReceipts
from tests.integration.smpp_esme import AVRO, QUICK, Esme, Gateway, bound, cascade, ended, gateway, text, until


def id_of(answer: Decoded) -> str:
    """The message id of a response that says yes."""
    assert answer.status == s.ESME_ROK, answer
    return answer.message_id if isinstance(answer, MessageAck) else answer.text("message_id")  # type: ignore[union-attr]


def request_of(gate: Gateway, number: int = -1) -> Submission:
    return gate.desk.submitted[number]


@pytest.mark.parametrize("command", [c.BIND_TRANSMITTER, c.BIND_RECEIVER, c.BIND_TRANSCEIVER])
@pytest.mark.parametrize(("version", "told"), [(0x34, bytes((0x34,))), (0x50, bytes((0x34,))), (0x33, None)])
async def test_each_bind_is_answered_and_version_tlvs_go_only_to_clients_that_know_them(
    command: int, version: int, told: bytes | None
) -> None:
    async with gateway() as gate, Esme(gate.port) as esme:
        answer = await esme.bind(command, version=version)
        assert isinstance(answer, Pdu)
        assert (answer.command_id, answer.status, answer.text("system_id")) == (command | c.RESPONSE, 0, "hermes")
        assert tlv(answer.tlvs, TLV_SC_INTERFACE_VERSION) == told


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("acme", "wrong", s.ESME_RINVPASWD),
        ("nobody", "secret", s.ESME_RINVPASWD),
        ("", "secret", s.ESME_RINVSYSID),
        ("revoked", "secret", s.ESME_RBINDFAIL),
        ("reader", "secret", s.ESME_RBINDFAIL),
    ],
)
async def test_a_refused_bind_is_told_why_and_the_connection_closes(system_id: str, password: str, status: int) -> None:
    async with gateway() as gate, Esme(gate.port) as esme:
        assert (await esme.bind(system_id=system_id, password=password)).status == status
        assert await esme.wait_closed() == b""


async def test_a_receiver_needs_no_right_to_send_and_a_second_bind_is_refused() -> None:
    async with gateway() as gate, bound(gate.port, command=c.BIND_RECEIVER, system_id="reader") as esme:
        assert (await esme.bind()).status == s.ESME_RALYBND
        assert (await esme.ask(text())).status == s.ESME_RINVBNDSTS


async def test_a_tenant_at_its_limit_of_binds_loses_those_that_do_not_answer() -> None:
    settings = replace(QUICK, profile=AccountProfile(max_binds=1), probe_ms=50, probe_silence_ms=0)
    async with gateway(settings) as gate, Esme(gate.port) as first, Esme(gate.port) as second:
        assert (await first.bind()).status == s.ESME_ROK
        assert (await second.bind()).status == s.ESME_ROK  # nobody reads on the first one's side
        assert gate.server.bound == 1


async def test_a_live_session_keeps_its_place_when_the_tenant_is_full() -> None:
    settings = replace(QUICK, profile=AccountProfile(max_binds=1), probe_ms=50, probe_silence_ms=0)
    async with gateway(settings) as gate, bound(gate.port) as first, Esme(gate.port) as second:
        listening = asyncio.create_task(first.hear())
        assert (await second.bind()).status == s.ESME_RBINDFAIL
        async with bound(gate.port, system_id="other"):
            assert gate.server.bound == 2
        listening.cancel()


async def test_a_message_becomes_one_submission_and_its_answer_comes_after_the_verdict() -> None:
    hold = asyncio.Event()
    async with gateway(desk=FakeDesk(hold=hold)) as gate, bound(gate.port) as esme:
        esme.send(text("hi", registered_delivery=1, priority_flag=2, tlvs=((0x1403, b"\x07"),)))
        await gate.desk.arrivals.get()
        assert len(gate.store.waiting) == 1  # durable before the desk was asked
        hold.set()
        answer = await esme.hear()
        submission = request_of(gate)
        assert id_of(answer) == client_id(submission.message_id)
        assert message_id_of(id_of(answer)) == submission.message_id
        assert (submission.tenant_id, submission.key_id, submission.protocol) == ("acme", "key-1", "smpp")
        request = submission.request
        assert request is not None
        assert (request.to.phone, request.sender, request.confirmation) == ("+4512345678", "Acme", "delivered")
        assert [step.channel for step in request.steps] == ["sms"]
        assert request.metadata["smpp.priority"] == "2"
        assert request.metadata["smpp.tlv.1403"] == "07"


async def test_a_submission_pipelined_behind_the_bind_waits_for_it() -> None:
    async with gateway() as gate, Esme(gate.port) as esme:
        esme.send(Pdu(c.BIND_TRANSMITTER, 0, 0, {"system_id": "acme", "password": "secret", "interface_version": 0x34}))
        esme.send(text())
        assert [(await esme.hear()).command_id for _ in range(2)] == [c.BIND_TRANSMITTER_RESP, c.SUBMIT_SM_RESP]


REFUSALS: list[tuple[Code, int, int]] = [
    ("rate_limit_exceeded", s.ESME_RTHROTTLED, s.ESME_RTHROTTLED),
    ("insufficient_balance", s.ESME_RSUBMITFAIL, 0x0406),
    ("no_route", s.ESME_RINVDSTADR, s.ESME_RINVDSTADR),
    ("tenant_provisioning", s.ESME_RSYSERR, s.ESME_RSYSERR),
    ("content_violation", s.ESME_RSUBMITFAIL, 0x0408),
]


@pytest.mark.parametrize(("code", "standard", "vendor"), REFUSALS)
async def test_a_layers_refusal_has_its_status_and_the_receipt_is_forgotten(
    code: Code, standard: int, vendor: int
) -> None:
    def refuse(submission: Submission) -> Verdict:
        return replace(accept(submission), reject=Reject(4, code, "no"))

    settings = replace(QUICK, profiles={"other": AccountProfile(vendor_statuses=True)})
    async with gateway(settings, FakeDesk(decide=refuse)) as gate, bound(gate.port) as esme:
        assert (await esme.ask(text(registered_delivery=1))).status == standard
        async with bound(gate.port, system_id="other", version=0x50) as other:
            answer = await other.ask(text())
            assert answer.status == vendor
            assert tlv(answer.tlvs, 0x001D) == f"{code}: no\0".encode()  # type: ignore[union-attr]
        await until(lambda: not gate.store.waiting)


async def test_a_desk_or_a_store_that_is_away_is_a_temporary_error() -> None:
    away = TransientError("away", 1)
    async with gateway(desk=FakeDesk(error=away)) as gate, bound(gate.port) as esme:
        assert (await esme.ask(text())).status == s.ESME_RSYSERR
    async with gateway(store=FakeReceipts(error=away)) as gate, bound(gate.port) as esme:
        assert (await esme.ask(text(registered_delivery=1))).status == s.ESME_RSYSERR
        assert (await esme.ask(text())).status == s.ESME_ROK
        assert len(gate.desk.submitted) == 1


async def test_the_idempotency_key_travels_and_a_repetition_gets_the_first_id() -> None:
    first_id = "msg-01890a5d-ac96-774b-bcce-b302099a8057"

    def replay(submission: Submission) -> Verdict:
        return replace(accept(submission), message_id=first_id, replayed=True)

    async with gateway(desk=FakeDesk(decide=replay)) as gate, bound(gate.port) as esme:
        answer = await esme.ask(text(registered_delivery=1, tlvs=((0x1401, b"order-7\0"),)))
        assert id_of(answer) == client_id(first_id)
        assert request_of(gate).idempotency_key == "order-7"
        await until(lambda: not gate.store.waiting)


async def test_a_receipt_comes_to_the_sender_with_the_addresses_turned_round() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        message_id = id_of(await esme.ask(text("hello", registered_delivery=1)))
        await gate.ended(request_of(gate).message_id)
        receipt = await esme.hear_receipt()
        assert receipt.esm_class == ESM_RECEIPT
        assert (receipt.source_addr_ton, receipt.source_addr) == (1, "4512345678")
        assert (receipt.dest_addr_ton, receipt.destination_addr) == (5, "Acme")
        assert tlv(receipt.tlvs, TLV_RECEIPTED_MESSAGE_ID) == message_id.encode() + b"\0"
        assert tlv(receipt.tlvs, TLV_MESSAGE_STATE) == b"\2"
        assert receipt.short_message.startswith(f"id:{message_id} sub:001 dlvrd:001 submit date:".encode())
        assert receipt.short_message.endswith(b"stat:DELIVRD err:000 text:hello")
        await until(lambda: len(gate.store.taken) == 1)


@pytest.mark.parametrize(("wanted", "good", "bad"), [(0, 0, 0), (1, 1, 1), (2, 0, 1)])
async def test_registered_delivery_says_which_ends_are_told(wanted: int, good: int, bad: int) -> None:
    async with gateway() as gate, bound(gate.port, command=c.BIND_TRANSMITTER) as esme:
        await esme.ask(text(registered_delivery=wanted))
        await gate.ended(request_of(gate).message_id, "delivered")
        assert len(gate.store.due) == good
        await esme.ask(text(registered_delivery=wanted))
        await gate.ended(request_of(gate).message_id, "exhausted", "034")
        assert len(gate.store.due) == good + bad


async def test_receipts_wait_for_a_receiver_and_one_that_was_not_answered_comes_again() -> None:
    async with gateway() as gate, bound(gate.port, command=c.BIND_TRANSMITTER) as esme:
        message_id = id_of(await esme.ask(text(registered_delivery=1)))
        await gate.ended(request_of(gate).message_id, "exhausted", "034")
        async with bound(gate.port, system_id="other"):
            pass
        async with bound(gate.port, command=c.BIND_RECEIVER, system_id="acme2") as deaf:
            assert isinstance(await deaf.hear(), ShortMessage)  # and hangs up without an answer
        async with bound(gate.port, command=c.BIND_RECEIVER) as receiver:
            receipt = await receiver.hear_receipt(s.ESME_RX_T_APPN)
            assert tlv(receipt.tlvs, TLV_RECEIPTED_MESSAGE_ID) == message_id.encode() + b"\0"
            assert b"stat:UNDELIV err:034" in receipt.short_message


async def test_a_receipt_that_is_put_off_or_overdue_comes_again() -> None:
    settings = replace(QUICK, receipt_retry_ms=20, receipt_timeout_ms=100)
    async with gateway(settings) as gate, bound(gate.port) as esme:
        await esme.ask(text(registered_delivery=1))
        await gate.ended(request_of(gate).message_id)
        first = await esme.hear_receipt(s.ESME_RX_T_APPN)
        second = await esme.hear()
        third = await esme.hear_receipt()
        assert isinstance(second, ShortMessage)
        assert first.short_message == second.short_message == third.short_message
        await until(lambda: not gate.store.due)


async def test_no_more_receipts_are_sent_than_the_window_allows() -> None:
    async with gateway(replace(QUICK, receipt_window=2)) as gate, bound(gate.port) as esme:
        for _ in range(5):
            await esme.ask(text(registered_delivery=1))
        for submission in gate.desk.submitted:
            await gate.ended(submission.message_id)
        unanswered = [await esme.hear() for _ in range(2)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await esme.hear()
        for pdu in unanswered:
            esme.say(codec.header_only(c.DELIVER_SM_RESP, s.ESME_ROK, pdu.sequence))
        again = [await esme.hear() for _ in range(2)]
        assert {pdu.sequence for pdu in again}.isdisjoint(pdu.sequence for pdu in unanswered)


async def test_an_intermediate_notification_is_sent_when_the_message_is() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        await esme.ask(text(registered_delivery=0x11))
        message_id = request_of(gate).message_id
        state = cascade(message_id, "waiting_confirmation")
        await gate.server.receipts([replace(ended(message_id), event="sent", cascade=AVRO.encode(state), final=False)])
        assert (await esme.hear_receipt()).esm_class == 0x20
        await gate.ended(message_id)
        assert (await esme.hear_receipt()).esm_class == ESM_RECEIPT
