"""The requests of a bound ESME: each begins here and ends in the octets of its response."""

from dataclasses import dataclass
from typing import Any, Final

from ingress.smpp.caller import Caller
from ingress.smpp.ids import client_id
from ingress.smpp.joining import Joiner
from ingress.smpp.outcome import VERSION_5
from ingress.smpp.queries import Queries
from ingress.smpp.submit import Outcome, Submitter
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.pdu import Destination, Failure, FieldValue, Pdu, ShortMessage, Tlv
from schemas.smpp.submit_check import MAX_DESTINATIONS

TLV_ADDITIONAL_STATUS: Final = 0x001D
MAX_STATUS_TEXT: Final = 255
"""additional_status_info_text (5.3.2.11), its NUL not counted."""

_SUBMISSION: Final = ("service_type", "source_addr_ton", "source_addr_npi", "source_addr", "esm_class", "protocol_id",
                      "priority_flag", "schedule_delivery_time", "validity_period", "registered_delivery",
                      "replace_if_present_flag", "data_coding", "sm_default_msg_id", "short_message")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Requests:
    """What a session hands its requests to."""

    submitter: Submitter
    joiner: Joiner
    queries: Queries

    async def answer(self, caller: Caller, pdu: ShortMessage | Pdu) -> bytes:
        """The response of a request that the session's state allows."""
        match pdu:
            case ShortMessage():
                return await self._submit(caller, pdu)
            case Pdu(command_id=c.DATA_SM):
                return await self._submit(caller, as_submit(pdu))
            case Pdu(command_id=c.SUBMIT_MULTI):
                return await self._multi(caller, pdu)
            case Pdu(command_id=c.QUERY_SM):
                return await self.queries.query(caller, pdu)
            case Pdu(command_id=c.CANCEL_SM):
                return await self.queries.cancel(caller, pdu)
            case Pdu(command_id=c.REPLACE_SM):
                return await self.queries.replace(caller, pdu)
            case _:
                return codec.refusal(pdu, s.ESME_RINVCMDID) or b""

    async def _submit(self, caller: Caller, message: ShortMessage) -> bytes:
        part = self.submitter.judge(caller, message)
        outcome = Outcome(part) if isinstance(part, int) else await self.joiner.submit(caller, part)
        return _response(caller, message, outcome)

    async def _multi(self, caller: Caller, pdu: Pdu) -> bytes:
        """submit_multi_resp (4.5.2): one id for all; those that were refused are listed with their statuses."""
        response, entries = c.SUBMIT_MULTI_RESP, destinations_of(pdu)
        if not 1 <= len(entries) <= MAX_DESTINATIONS:
            return codec.header_only(response, s.ESME_RINVNUMDESTS, pdu.sequence)
        if any(entry.dl_name for entry in entries):
            return codec.header_only(response, s.ESME_RINVDLNAME, pdu.sequence)
        messages = [_one_of(pdu, entry) for entry in entries]
        outcomes = await self.submitter.send_multi(caller, messages)
        refused = [(m, o.status) for m, o in zip(messages, outcomes, strict=True) if o.status != s.ESME_ROK]
        if len(refused) == len(messages):
            return codec.header_only(response, refused[0][1], pdu.sequence)
        failures = tuple(Failure(m.dest_addr_ton, m.dest_addr_npi, m.destination_addr, status) for m, status in refused)
        first_id = next(outcome.message_id for outcome in outcomes if outcome.message_id)
        fields: dict[str, FieldValue] = {"message_id": client_id(first_id), "unsuccess_sme": failures}
        return codec.encode(Pdu(response, s.ESME_ROK, pdu.sequence, fields))


def as_submit(pdu: Pdu) -> ShortMessage:
    """A data_sm in the shape of a submit_sm: its text is in message_payload (4.7.1)."""
    return ShortMessage(
        command_id=c.DATA_SM,
        sequence=pdu.sequence,
        service_type=pdu.text("service_type"),
        source_addr_ton=pdu.number("source_addr_ton"),
        source_addr_npi=pdu.number("source_addr_npi"),
        source_addr=pdu.text("source_addr"),
        dest_addr_ton=pdu.number("dest_addr_ton"),
        dest_addr_npi=pdu.number("dest_addr_npi"),
        destination_addr=pdu.text("destination_addr"),
        esm_class=pdu.number("esm_class"),
        registered_delivery=pdu.number("registered_delivery"),
        data_coding=pdu.number("data_coding"),
        tlvs=pdu.tlvs,
    )


def destinations_of(pdu: ShortMessage | Pdu) -> tuple[Destination, ...]:
    """The destinations of a submit_multi; none for anything else."""
    found = pdu.fields.get("dest_address", ()) if isinstance(pdu, Pdu) else ()
    return tuple(e for e in found if isinstance(e, Destination)) if isinstance(found, tuple) else ()


def _one_of(pdu: Pdu, entry: Destination) -> ShortMessage:
    fields: dict[str, Any] = {name: pdu.fields[name] for name in _SUBMISSION}
    return ShortMessage(
        **fields,
        sequence=pdu.sequence,
        dest_addr_ton=entry.dest_addr_ton,
        dest_addr_npi=entry.dest_addr_npi,
        destination_addr=entry.destination_addr,
        tlvs=pdu.tlvs,
    )


def _response(caller: Caller, message: ShortMessage, outcome: Outcome) -> bytes:
    """submit_sm_resp or data_sm_resp; a refusal is a header alone, with its reason for clients of version 5."""
    response = message.command_id | c.RESPONSE
    if outcome.status == s.ESME_ROK:
        fields = {"message_id": client_id(outcome.message_id, outcome.part)}
        return codec.encode(Pdu(response, s.ESME_ROK, message.sequence, fields))
    if caller.interface_version < VERSION_5 or not outcome.detail:
        return codec.header_only(response, outcome.status, message.sequence)
    text = outcome.detail.encode("ascii", "replace").replace(b"\0", b"?")[:MAX_STATUS_TEXT]
    tlvs: tuple[Tlv, ...] = ((TLV_ADDITIONAL_STATUS, text + b"\0"),)
    return codec.encode(Pdu(response, outcome.status, message.sequence, {"message_id": ""}, tlvs))
