"""query_sm, cancel_sm and replace_sm: what has become of a message, and stopping it (SMPP 3.4 sections 4.8 to 4.10)."""

import asyncio
from dataclasses import dataclass
from typing import Final

from domain.cascade.states import Cascade
from domain.errors import TransientError
from domain.ports import Desk
from ingress.smpp.caller import Caller
from ingress.smpp.ids import message_id_of
from ingress.smpp.outcome import told_of
from ingress.smpp.recent import Recent
from ingress.smpp.refusals import ESME_RCANCELFAIL, ESME_RQUERYFAIL, ESME_RREPLACEFAIL
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.pdu import Pdu

CANCELLED_AT_ONCE: Final = 16
"""Messages that one cancel_sm without an id may stop."""


@dataclass(frozen=True, slots=True)
class Queries:
    """Each request is answered with the octets to send. Only messages of the caller's tenant exist for it."""

    desk: Desk
    recent: Recent
    timeout_ms: int

    async def query(self, caller: Caller, pdu: Pdu) -> bytes:
        """query_sm_resp: ESME_RINVMSGID for an id that is not known (any more), ESME_RQUERYFAIL when nobody answers."""
        message_id = message_id_of(pdu.text("message_id"))
        if message_id is None:
            return _header(pdu, s.ESME_RINVMSGID)
        try:
            cascade = await self._status(caller, message_id)
        except (TransientError, TimeoutError):
            return _header(pdu, ESME_RQUERYFAIL)
        if cascade is None:
            return _header(pdu, s.ESME_RINVMSGID)
        told = told_of(cascade, caller.interface_version)
        fields = {"message_id": pdu.text("message_id"), **told._asdict()}
        return codec.encode(Pdu(c.QUERY_SM_RESP, s.ESME_ROK, pdu.sequence, fields))

    async def cancel(self, caller: Caller, pdu: Pdu) -> bytes:
        """cancel_sm_resp: by id, or without one every recent message between the addresses (and of the service type)."""
        named = pdu.text("message_id")
        found: tuple[str, ...]
        if named:
            message_id = message_id_of(named)
            found = () if message_id is None else (message_id,)
        else:
            pair = (caller.tenant_id, pdu.text("source_addr"), pdu.text("destination_addr"))
            found = self.recent.all(pair, pdu.text("service_type"))[-CANCELLED_AT_ONCE:]
        if not found:
            return _header(pdu, s.ESME_RINVMSGID if named else ESME_RCANCELFAIL)
        try:
            statuses = [await self._cancel(caller, message_id) for message_id in found]
        except (TransientError, TimeoutError):
            return _header(pdu, s.ESME_RSYSERR)
        return _header(pdu, s.ESME_ROK if s.ESME_ROK in statuses else statuses[0])

    async def replace(self, caller: Caller, pdu: Pdu) -> bytes:
        """replace_sm_resp: a message that was accepted is judged, priced and chained, and never changed again."""
        message_id = message_id_of(pdu.text("message_id"))
        if message_id is None:
            return _header(pdu, s.ESME_RINVMSGID)
        try:
            cascade = await self._status(caller, message_id)
        except (TransientError, TimeoutError):
            return _header(pdu, s.ESME_RSYSERR)
        return _header(pdu, s.ESME_RINVMSGID if cascade is None else ESME_RREPLACEFAIL)

    async def _status(self, caller: Caller, message_id: str) -> Cascade | None:
        async with asyncio.timeout(self.timeout_ms / 1000):
            return (await self.desk.status(caller.tenant_id, message_id)).cascade

    async def _cancel(self, caller: Caller, message_id: str) -> int:
        async with asyncio.timeout(self.timeout_ms / 1000):
            told = await self.desk.cancel(caller.tenant_id, message_id)
        if told.cascade is None:
            return s.ESME_RINVMSGID
        return s.ESME_ROK if told.done else ESME_RCANCELFAIL


def _header(pdu: Pdu, status: int) -> bytes:
    return codec.header_only(pdu.command_id | c.RESPONSE, status, pdu.sequence)
