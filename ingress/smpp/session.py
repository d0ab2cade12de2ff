"""One bound (or not yet bound) ESME: the states of SMPP 3.4 section 2.2, its window, its receipts, its end."""

import asyncio
from typing import Final

import structlog

from ingress.smpp.caller import Caller
from ingress.smpp.connection import Connection
from ingress.smpp.goodbye import Goodbye
from ingress.smpp.outstanding import Outstanding
from ingress.smpp.receipt_pdu import receipt_pdu
from ingress.smpp.receipt_store import ReceiptDue
from ingress.smpp.requests import destinations_of
from ingress.smpp.shared import Shared
from ingress.smpp.states import BOUND, RECEIVING, SENDING, STATE_OF_BIND, State, takes
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.framing import MAX_PDU_OCTETS
from schemas.smpp.pdu import INTERFACE_VERSION, TLV_SC_INTERFACE_VERSION, Broken, Pdu, ShortMessage, Tlv

MAX_LOGGED_FAULTS: Final = 10

log = structlog.get_logger()


class Session:
    """Implements `binds.BoundSession` and `connection.ConnectionOwner`. Times are ms of the event loop's clock."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.connection = Connection(self, shared.settings)
        self._outstanding = Outstanding(shared.settings.receipt_window, shared.settings.receipt_timeout_ms)
        self._state: State = "open"
        self._in_flight = 0
        self._unbound_pdus = 0
        self._faults = 0
        self._goodbye: Goodbye | None = None
        self._counted = False
        self.caller: Caller | None = None

    @property
    def peer(self) -> str:
        """See BoundSession."""
        return self.connection.peer

    @property
    def is_alive(self) -> bool:
        """See BoundSession."""
        return not self.connection.is_closed

    @property
    def receipt_room(self) -> int:
        """See BoundSession."""
        usable = self._state in RECEIVING and self.is_alive and not self.connection.blocked_since_ms
        return self._outstanding.room if usable else 0

    # What the connection calls.

    @property
    def may_take(self) -> bool:
        """See ConnectionOwner: requests behind a bind wait for it, and the window bounds those at work."""
        if self._state == "binding":
            return False
        return self.caller is None or self._in_flight < self.caller.profile.window

    def opened(self, connection: Connection) -> bool:
        """See ConnectionOwner."""
        self._counted = self._shared.binds.connect(connection.peer)
        if self._counted:
            self._shared.joined(self)
        else:
            self.fault("connection_refused")
        return self._counted

    def lost(self, reason: str) -> None:
        """See ConnectionOwner."""
        self._state = "closed"
        if not self._counted:
            return
        self._shared.left(self)
        self._shared.pump.unanswered(self._outstanding.clear(), "lost")
        if self.caller is not None:
            log.info("smpp_unbound", tenant_id=self.caller.tenant_id, system_id=self.caller.system_id, reason=reason)

    def relieved(self) -> None:
        """See ConnectionOwner."""
        self._shared.pump.wake()

    def fault(self, what: str) -> None:
        """See ConnectionOwner: all are counted, the first few of a session are logged."""
        self._shared.meter.fault(what)
        self._faults += 1
        if self._faults <= MAX_LOGGED_FAULTS:
            log.info("smpp_fault", fault=what, peer=self.peer, system_id=self.caller.system_id if self.caller else "")

    def received(self, frame: bytes) -> None:
        """See ConnectionOwner."""
        if self.caller is None:
            self._unbound_pdus += 1
            if self._unbound_pdus > self._shared.settings.max_unbound_pdus:
                self.fault("talkative")
                self.connection.close()
                return
        pdu = codec.decode(frame)
        command_id = pdu.command_id
        if c.is_response(command_id):
            self._response(command_id, pdu.status, pdu.sequence)
        elif command_id == c.ENQUIRE_LINK:
            self._write(codec.header_only(c.ENQUIRE_LINK_RESP, s.ESME_ROK, pdu.sequence))
        elif isinstance(pdu, Broken) or command_id not in c.COMMANDS:
            self.fault(f"broken_{c.name_of(command_id)}")
            self._write(codec.fault_reply(pdu) or b"")
        elif isinstance(pdu, Pdu) and command_id in c.BINDS:
            self._begin_bind(pdu)
        elif command_id == c.UNBIND:
            self._peer_unbinds(pdu.sequence)
        elif command_id == c.OUTBIND:  # it is an SMSC's to send (4.1.7): whoever sends it to us is in the wrong place
            self.fault("outbind")
            self._write(codec.header_only(c.GENERIC_NACK, s.ESME_RINVBNDSTS, pdu.sequence))
            self.connection.close()
        elif isinstance(pdu, ShortMessage | Pdu) and self.caller is not None and takes(self._state, command_id):
            self._request(self.caller, pdu)
        else:
            self._write(codec.refusal(pdu, s.ESME_RINVBNDSTS) or b"")

    # Bind and unbind.

    def _begin_bind(self, pdu: Pdu) -> None:
        if self._state != "open":
            self._write(codec.refusal(pdu, s.ESME_RINVBNDSTS if self._goodbye else s.ESME_RALYBND) or b"")
            return
        self._state = "binding"
        self._shared.tasks.spawn(self._bind(pdu))

    async def _bind(self, pdu: Pdu) -> None:
        shared = self._shared
        judged = await shared.gatekeeper.judge(pdu, self.peer)
        if self._state != "binding":
            return  # the connection went while the password was checked
        if isinstance(judged, Caller) and shared.binds.is_full(judged):
            judged = s.ESME_RBINDFAIL
        shared.meter.bind(judged if isinstance(judged, int) else s.ESME_ROK)
        if isinstance(judged, int):
            self._refuse_bind(pdu, judged)
            return
        shared.binds.bind(self, judged)
        self.caller = judged
        self._state = STATE_OF_BIND[pdu.command_id]
        self.connection.allow(MAX_PDU_OCTETS)
        tlvs: tuple[Tlv, ...] = ((TLV_SC_INTERFACE_VERSION, bytes((INTERFACE_VERSION,))),)
        fields = {"system_id": shared.settings.system_id}
        known = tlvs if judged.interface_version >= INTERFACE_VERSION else ()
        self._write(codec.encode(Pdu(pdu.command_id | c.RESPONSE, s.ESME_ROK, pdu.sequence, fields, known)))
        shared.count()
        log.info("smpp_bound", tenant_id=judged.tenant_id, system_id=judged.system_id, peer=self.peer, mode=self._state)
        self.connection.drain()
        shared.pump.wake()

    def _refuse_bind(self, pdu: Pdu, status: int) -> None:
        """Say why, and close a moment later, so that the answer is read."""
        log.info("smpp_bind_refused", peer=self.peer, status=status)
        self._write(codec.refusal(pdu, status) or b"")
        self._state = "unbinding"
        asyncio.get_running_loop().call_later(self._shared.settings.refused_close_ms / 1000, self.connection.close)

    def unbind(self) -> None:
        """Take no more requests, answer those at work, say unbind, and close when the peer has answered."""
        if self._state not in BOUND:
            self.connection.close()
        elif self._goodbye is None:
            self._part_by(None)

    def _peer_unbinds(self, sequence: int) -> None:
        if self._state in BOUND:
            self._part_by(sequence)
        elif self._goodbye is not None:  # both at once
            self._write(codec.header_only(c.UNBIND_RESP, s.ESME_ROK, sequence))
            self.connection.close()
        else:
            self._write(codec.header_only(c.UNBIND_RESP, s.ESME_RINVBNDSTS, sequence))

    def _part_by(self, sequence: int | None) -> None:
        self._state = "unbinding"
        self._goodbye = Goodbye(self.connection.now_ms() + self._shared.settings.drain_ms, sequence)
        self._part()

    def _part(self) -> None:
        """Say goodbye once everything is answered, or when that takes too long."""
        goodbye = self._goodbye
        if goodbye is None:
            return
        busy, answer_ms = self._in_flight > 0, self._shared.settings.unbind_timeout_ms
        match goodbye.move(self.connection.now_ms(), busy, answer_ms):
            case "wait":
                pass
            case "answer":
                self._write(codec.header_only(c.UNBIND_RESP, s.ESME_ROK, goodbye.sequence or 0))
                self.connection.close()
            case "ask":
                self._write(codec.header_only(c.UNBIND, s.ESME_ROK, self._outstanding.next_sequence()))
            case "close":
                self.connection.close()

    # Requests.

    def _request(self, caller: Caller, pdu: ShortMessage | Pdu) -> None:
        shared, started_ms = self._shared, self.connection.now_ms()
        if pdu.command_id in SENDING and not shared.binds.may_submit(caller, max(1, len(destinations_of(pdu)))):
            self._answer(pdu.command_id, codec.refusal(pdu, s.ESME_RTHROTTLED) or b"", started_ms)
            return
        if shared.in_flight >= shared.settings.max_in_flight:
            self._answer(pdu.command_id, codec.refusal(pdu, s.ESME_RMSGQFUL) or b"", started_ms)
            return
        self._in_flight += 1
        shared.in_flight += 1
        shared.tasks.spawn(self._work(caller, pdu, started_ms))

    async def _work(self, caller: Caller, pdu: ShortMessage | Pdu, started_ms: int) -> None:
        try:
            response = await self._shared.requests.answer(caller, pdu)
        finally:
            self._in_flight -= 1
            self._shared.in_flight -= 1
        self._answer(pdu.command_id, response, started_ms)
        self.connection.drain()
        self._part()

    def _answer(self, command_id: int, response: bytes, started_ms: int) -> None:
        status = int.from_bytes(response[8:12], "big")
        self._shared.meter.answered(command_id, status, (self.connection.now_ms() - started_ms) / 1000)
        self._write(response)

    def _response(self, command_id: int, status: int, sequence: int) -> None:
        if command_id in (c.DELIVER_SM_RESP, c.GENERIC_NACK, c.DATA_SM_RESP):
            due = self._outstanding.answered(sequence)
            if due is not None:
                failed = s.ESME_RINVCMDID if command_id == c.GENERIC_NACK else s.ESME_ROK
                self._shared.pump.answered(due, status or failed)
        elif command_id == c.UNBIND_RESP and self._goodbye is not None:
            self.connection.close()

    # Receipts and time.

    def deliver(self, due: ReceiptDue) -> None:
        """See BoundSession."""
        version = self.caller.interface_version if self.caller is not None else 0
        sequence = self._outstanding.take(due, self.connection.now_ms())
        self._write(codec.encode(receipt_pdu(due, version)._replace(sequence=sequence)))

    def probe(self) -> None:
        """See BoundSession."""
        silent_ms = self.connection.now_ms() - self.connection.clocks.heard_ms
        if silent_ms >= self._shared.settings.probe_silence_ms:
            self._enquire()

    def abort_if_silent(self) -> None:
        """See BoundSession."""
        if self.connection.clocks.enquired_ms:
            self.fault("half_open")
            self.connection.abort()

    def tick(self, now_ms: int) -> None:
        """Do what is overdue."""
        connection, shared = self.connection, self._shared
        if connection.is_closed:
            return
        overdue = self._outstanding.overdue(now_ms)
        if overdue:
            shared.pump.unanswered(overdue, "overdue")
        if self._goodbye is not None:
            self._part()
            return
        if self.caller is not None and not shared.gatekeeper.is_alive(self.caller):
            log.info("smpp_key_ended", tenant_id=self.caller.tenant_id, key_id=self.caller.key.key_id)
            self.unbind()
            return
        bound, blocked_ms, paused = self._state in BOUND, connection.blocked_since_ms, connection.is_paused
        due = connection.clocks.due(now_ms, shared.settings, bound=bound, blocked_since_ms=blocked_ms, paused=paused)
        if due == "enquire":
            self._enquire()
        elif due != "nothing":
            self.fault(due)
            if due == "partial_pdu":
                self._write(codec.header_only(c.GENERIC_NACK, s.ESME_RINVCMDLEN, 0))
            end = connection.abort if due in ("half_open", "write_stall") else connection.close
            end()

    def _enquire(self) -> None:
        clocks = self.connection.clocks
        if self._state in BOUND and not clocks.enquired_ms:
            clocks.enquired_ms = self.connection.now_ms()
            self._write(codec.header_only(c.ENQUIRE_LINK, s.ESME_ROK, self._outstanding.next_sequence()))

    def _write(self, octets: bytes) -> None:
        if octets:
            self.connection.write(octets)
