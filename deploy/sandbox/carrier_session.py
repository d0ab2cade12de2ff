"""One client's connection to the simulated carrier: bind, submit_sm, and receipts as deliver_sm."""

import asyncio
from typing import Final, Protocol, cast

from deploy.sandbox.carrier_book import SandboxConfig
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.framing import MAX_PDU_OCTETS, MAX_UNBOUND_PDU_OCTETS, Splitter
from schemas.smpp.pdu import (
    INTERFACE_VERSION,
    TLV_SC_INTERFACE_VERSION,
    Broken,
    Decoded,
    MessageAck,
    Pdu,
    ShortMessage,
)

SESSION_INIT_MS: Final = 30_000
REFUSED_CLOSE_MS: Final = 100
RECEIPT_WINDOW: Final = 500
MAX_SEQUENCE: Final = 0x7FFFFFFF


class Accounts(Protocol):
    """What a session asks the carrier."""

    def credentials_are_right(self, system_id: str, password: str) -> bool:
        """Compared in constant time."""

    def submit(self, session: "Session", message: ShortMessage) -> None:
        """Take a submit_sm; it is answered through `Session.respond`, now or later."""

    def bound(self, session: "Session") -> None:
        """A client bound; it may have receipts waiting."""

    def receipt_refused(self, session: "Session", receipt: ShortMessage) -> None:
        """The client could not take a receipt now."""

    def gone(self, session: "Session", unanswered: list[ShortMessage]) -> None:
        """The client is gone; these receipts were not acknowledged."""


class Session(asyncio.Protocol):
    """`system_id` is empty until the bind; a transmitter gets no receipts."""

    def __init__(self, accounts: Accounts, config: SandboxConfig) -> None:
        self._accounts = accounts
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._splitter = Splitter(MAX_UNBOUND_PDU_OCTETS)
        self._out: list[bytes] = []
        self._sequence = 0
        self._unanswered: dict[int, ShortMessage] = {}
        self._init_timer: asyncio.TimerHandle | None = None
        self.system_id = ""
        self.receives = False

    @property
    def has_room(self) -> bool:
        """Whether a receipt may be sent now."""
        return self.receives and len(self._unanswered) < RECEIPT_WINDOW

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._init_timer = self._loop.call_later(SESSION_INIT_MS / 1000, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """See asyncio.Protocol."""
        self.receives = False
        if self._init_timer is not None:
            self._init_timer.cancel()
        unanswered = list(self._unanswered.values())
        self._unanswered.clear()
        self._accounts.gone(self, unanswered)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        for frame in self._splitter.feed(data):
            self._received(codec.decode(frame))
        if self._splitter.broken is not None:
            self._write(codec.header_only(c.GENERIC_NACK, s.ESME_RINVCMDLEN, self._splitter.broken.sequence))
            self.close()

    def respond(self, message: ShortMessage, status: int, message_id: str) -> None:
        """Answer a submit_sm."""
        self._write(codec.encode(MessageAck(c.SUBMIT_SM_RESP, status, message.sequence, message_id)))

    def deliver(self, receipt: ShortMessage) -> None:
        """Send a receipt and remember it until it is acknowledged; there must be room."""
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        self._unanswered[self._sequence] = receipt
        self._write(codec.encode(receipt._replace(sequence=self._sequence)))

    def close(self) -> None:
        """Write what is waiting, then close."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, octets: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(octets)

    def _flush(self) -> None:
        if self._out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _received(self, pdu: Decoded) -> None:
        if isinstance(pdu, ShortMessage) and pdu.command_id == c.SUBMIT_SM and self.system_id:
            self._accounts.submit(self, pdu)
        elif isinstance(pdu, MessageAck) and pdu.command_id == c.DELIVER_SM_RESP:
            self._receipt_answered(pdu)
        elif isinstance(pdu, Broken) or pdu.command_id not in c.COMMANDS:
            self._write_if(codec.fault_reply(pdu))
        elif isinstance(pdu, Pdu) and pdu.command_id in c.BINDS:
            self._bind(pdu)
        elif pdu.command_id == c.ENQUIRE_LINK:
            self._write(codec.header_only(c.ENQUIRE_LINK_RESP, s.ESME_ROK, pdu.sequence))
        elif pdu.command_id == c.UNBIND:
            self._write(codec.header_only(c.UNBIND_RESP, s.ESME_ROK, pdu.sequence))
            self.close()
        else:
            self._write_if(codec.refusal(pdu, s.ESME_RINVCMDID if self.system_id else s.ESME_RINVBNDSTS))

    def _write_if(self, octets: bytes | None) -> None:
        if octets is not None:
            self._write(octets)

    def _bind(self, pdu: Pdu) -> None:
        if self.system_id:
            self._write_if(codec.refusal(pdu, s.ESME_RALYBND))
            return
        if not self._accounts.credentials_are_right(pdu.text("system_id"), pdu.text("password")):
            self._write_if(codec.refusal(pdu, s.ESME_RINVPASWD))
            self._loop.call_later(REFUSED_CLOSE_MS / 1000, self.close)
            return
        if self._init_timer is not None:
            self._init_timer.cancel()
        self._splitter.limit = MAX_PDU_OCTETS
        self.system_id = pdu.text("system_id")
        self.receives = pdu.command_id != c.BIND_TRANSMITTER
        tlvs = ((TLV_SC_INTERFACE_VERSION, bytes((INTERFACE_VERSION,))),)
        response = Pdu(pdu.command_id | c.RESPONSE, s.ESME_ROK, pdu.sequence, {"system_id": "sandbox"}, tlvs)
        self._write(codec.encode(response))
        self._accounts.bound(self)

    def _receipt_answered(self, ack: MessageAck) -> None:
        receipt = self._unanswered.pop(ack.sequence, None)
        if receipt is None:
            return
        if ack.status != s.ESME_ROK:
            self._accounts.receipt_refused(self, receipt)
        else:
            self._accounts.bound(self)  # there is room for one that waits
