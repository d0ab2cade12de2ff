"""One TCP connection to a carrier: bind, the window of unanswered segments, enquire_link, unbind.

Writes of one turn of the event loop go out as one; a timer of its own looks for what is overdue, so a segment costs no timer.
Times here are milliseconds of the event loop's clock.
"""

import asyncio
from collections import deque
from typing import Final, cast

from egress.smpp.config import CarrierConfig
from egress.smpp.inbound import as_message
from egress.smpp.job import Answer, Job
from egress.smpp.outbox import Outbox
from egress.smpp.owner import LinkOwner
from egress.smpp.window import Window
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.framing import Splitter
from schemas.smpp.pdu import INTERFACE_VERSION, Broken, Decoded, FieldValue, MessageAck, Pdu, ShortMessage
from schemas.smpp.receipt import MAX_ID_CHARACTERS
from schemas.smpp.status import ESME_RINVCMDID, ESME_RINVCMDLEN, ESME_ROK

TICK_MS: Final = 250

_ACCEPTED_CLIPPED: Final = ("sm_length_beyond_pdu", "tlv_length_beyond_pdu", "truncated_tlv_header")


class Link(asyncio.Protocol):
    """State goes open, bound, closing, closed; only a bound link takes segments."""

    def __init__(self, owner: LinkOwner, config: CarrierConfig) -> None:
        self._owner = owner
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._outbox: Outbox | None = None
        self._window = Window(config.window, config.response_timeout_ms)
        self._splitter = Splitter()
        self._bound = False
        self._blocked = False
        self._heard_ms = self._now_ms()
        self._partial_since_ms = 0
        self._enquired_ms = 0
        self._unbind_sequence: int | None = None
        self._unbind_by_ms = 0
        self._bind_answer: asyncio.Future[int | None] = self._loop.create_future()
        self._tick: asyncio.TimerHandle | None = None
        self.own: deque[Job] = deque()  # segments that must follow an earlier one on this bind
        self.closed: asyncio.Future[str] = self._loop.create_future()  # its result says why

    @property
    def in_flight(self) -> int:
        """Segments that wait for their answer."""
        return len(self._window)

    @property
    def ready(self) -> bool:
        """Whether a segment may be sent now, its window aside."""
        return self._bound and not self._blocked

    @property
    def has_room(self) -> bool:
        """Whether a segment may be sent now."""
        return self._bound and not self._blocked and self._window.has_room

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._outbox = Outbox(self._loop, self._transport)
        self._tick = self._loop.call_later(self._tick_s(), self._on_tick)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._heard_ms = self._now_ms()
        self._enquired_ms = 0
        frames = self._splitter.feed(data)
        for frame in frames:
            self._received(codec.decode(frame))
        if self._splitter.broken is not None:
            self._owner.fault("bad_length")
            self._write(codec.header_only(c.GENERIC_NACK, ESME_RINVCMDLEN, self._splitter.broken.sequence))
            self.close("bad_length")
        elif not self._splitter.pending:
            self._partial_since_ms = 0
        elif frames or not self._partial_since_ms:
            self._partial_since_ms = self._heard_ms

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self._blocked = True

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._blocked = False
        self._owner.changed()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol: everything unanswered is handed back, told apart by whether it left this process."""
        self._bound = False
        if self._tick is not None:
            self._tick.cancel()
        unwritten = self._outbox.unwritten() if self._outbox is not None else []
        written = [job for job in self._window.clear() if job not in unwritten]
        unwritten += self.own
        self.own.clear()
        if not self._bind_answer.done():
            self._bind_answer.set_result(None)
        if not self.closed.done():
            self.closed.set_result(type(exc).__name__ if exc else "closed_by_peer")
        self._owner.lost(self, written, unwritten)

    # What the carrier client calls.

    async def bind(self) -> int | None:
        """Bind as transceiver; the answer is the peer's status, None if the connection went first."""
        config = self._config
        fields: dict[str, FieldValue] = {
            "system_id": config.system_id,
            "password": config.password,
            "system_type": config.system_type,
            "interface_version": INTERFACE_VERSION,
            "address_range": config.address_range,
        }
        self._write(codec.encode(Pdu(c.BIND_TRANSCEIVER, 0, self._window.next_sequence(), fields)))
        status = await self._bind_answer
        self._bound = status == ESME_ROK and not self.closed.done()
        return status

    def send(self, job: Job) -> None:
        """Send a segment; there must be room. Its place in the window is taken before it is written."""
        sequence = self._window.take(job, self._now_ms())
        frame = job.frame
        self._write(b"%b%b%b" % (frame[:12], sequence.to_bytes(4, "big"), frame[16:]), job)

    def answer_message(self, message: ShortMessage, status: int) -> None:
        """Answer a deliver_sm or data_sm; a closed link takes no answer and the peer will send the message again."""
        response = MessageAck(message.command_id | c.RESPONSE, status, message.sequence)
        self._write(codec.encode(response))

    async def unbind(self) -> None:
        """Say goodbye and close; the caller bounds the wait for the peer's answer and closes if it does not come."""
        self._bound = False
        self._write(codec.header_only(c.UNBIND, ESME_ROK, self._window.next_sequence()))
        await asyncio.shield(self.closed)

    def close(self, reason: str) -> None:
        """Write what is waiting, then close; no segment is taken from now on."""
        self._bound = False
        if not self.closed.done():
            self.closed.set_result(reason)
        if self._transport is not None and self._outbox is not None:
            self._outbox.flush()
            self._transport.close()
            self._loop.call_later(self._config.unbind_timeout_ms / 1000, self._transport.abort)  # a peer may not read

    def abort(self, reason: str) -> None:
        """Close at once: the peer is not there."""
        self._bound = False
        if not self.closed.done():
            self.closed.set_result(reason)
        if self._transport is not None:
            self._transport.abort()

    def _write(self, octets: bytes, job: Job | None = None) -> None:
        if self._outbox is not None:
            self._outbox.add(octets, job)

    # Reading.

    def _received(self, pdu: Decoded) -> None:
        command_id = pdu.command_id
        if command_id == c.SUBMIT_SM_RESP:
            message_id = pdu.message_id if isinstance(pdu, MessageAck) else ""
            self._response(pdu.sequence, Answer(pdu.status, message_id[:MAX_ID_CHARACTERS]))
        elif isinstance(pdu, ShortMessage) and command_id == c.DELIVER_SM:
            self._owner.inbound(self, pdu)
        elif isinstance(pdu, Broken):
            self._broken(pdu)
        elif isinstance(pdu, Pdu):
            self._other(pdu)
        elif not c.is_response(command_id):
            self._refuse(pdu)

    def _response(self, sequence: int, answer: Answer) -> None:
        job = self._window.answered(sequence)
        if job is not None:
            self._owner.answered(self, job, answer, self._now_ms() - job.sent_ms)
            if self._unbind_sequence is not None:
                self._finish_peer_unbind()
        elif (job := self._window.answered_late(sequence)) is not None:
            self._owner.late(job, answer)

    def _broken(self, pdu: Broken) -> None:
        self._owner.fault(pdu.label)
        message = as_message(pdu.clipped) if pdu.clipped is not None else None
        if message is not None and pdu.label.startswith(_ACCEPTED_CLIPPED):
            self._owner.inbound(self, message)
            return
        if pdu.command_id in (c.BIND_TRANSCEIVER_RESP, c.GENERIC_NACK):
            self._other(Pdu(pdu.command_id, pdu.status, pdu.sequence))
            return
        reply = codec.fault_reply(pdu)
        if reply is not None:
            self._write(reply)

    def _other(self, pdu: Pdu) -> None:
        match pdu.command_id:
            case c.ENQUIRE_LINK:
                self._write(codec.header_only(c.ENQUIRE_LINK_RESP, ESME_ROK, pdu.sequence))
            case c.DATA_SM if (message := as_message(pdu)) is not None:
                self._owner.inbound(self, message)
            case c.BIND_TRANSCEIVER_RESP:
                if not self._bind_answer.done():
                    self._bind_answer.set_result(pdu.status)
            case c.GENERIC_NACK:
                status = pdu.status or ESME_RINVCMDID
                if not self._bind_answer.done():
                    self._bind_answer.set_result(status)
                self._response(pdu.sequence, Answer(status, ""))
            case c.UNBIND:
                self._bound = False
                self._unbind_sequence = pdu.sequence
                self._unbind_by_ms = self._now_ms() + self._config.unbind_timeout_ms
                self._finish_peer_unbind()
            case c.UNBIND_RESP:
                self.close("unbound")
            case c.ENQUIRE_LINK_RESP | c.ALERT_NOTIFICATION | c.OUTBIND:
                pass  # hearing anything is the answer to enquire_link; the others ask nothing of a bound client
            case _:
                self._refuse(pdu)

    def _refuse(self, pdu: Pdu | ShortMessage | MessageAck) -> None:
        self._owner.fault(f"unexpected_{c.name_of(pdu.command_id)}")
        reply = codec.refusal(pdu, ESME_RINVCMDID)
        if reply is not None:
            self._write(reply)

    def _finish_peer_unbind(self) -> None:
        """Answer the peer's unbind once nothing is unanswered, or when it has waited long enough."""
        if self._unbind_sequence is None or (len(self._window) and self._now_ms() < self._unbind_by_ms):
            return
        self._write(codec.header_only(c.UNBIND_RESP, ESME_ROK, self._unbind_sequence))
        self._unbind_sequence = None
        self.close("unbound_by_peer")

    # What is overdue.

    def _tick_s(self) -> float:
        shortest = min(TICK_MS, self._config.response_timeout_ms // 4, self._config.enquire_link_timeout_ms // 4)
        return max(10, shortest) / 1000

    def _on_tick(self) -> None:
        self._tick = self._loop.call_later(self._tick_s(), self._on_tick)
        now_ms = self._now_ms()
        for job in self._window.expire(now_ms):
            self._owner.overdue(job)
        self._finish_peer_unbind()
        config = self._config
        if self._partial_since_ms and now_ms - self._partial_since_ms > config.partial_pdu_ms:
            self._owner.fault("partial_pdu")
            self._write(codec.header_only(c.GENERIC_NACK, ESME_RINVCMDLEN, 0))
            self.close("partial_pdu")
        elif self._enquired_ms and now_ms - self._enquired_ms > config.enquire_link_timeout_ms:
            self.abort("half_open")
        elif not self._enquired_ms and now_ms - self._heard_ms > config.enquire_link_ms:
            self._enquired_ms = now_ms
            self._write(codec.header_only(c.ENQUIRE_LINK, ESME_ROK, self._window.next_sequence()))
