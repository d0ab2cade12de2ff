"""A tenant's ESME, a transceiver that comes back when it was cut off; each submit_sm has its key in Hermes' own TLV."""

import asyncio
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ingress.smpp.ids import message_id_of
from ingress.smpp.settings import VENDOR_IDEMPOTENCY_TAG
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.framing import Splitter
from schemas.smpp.pdu import (
    INTERFACE_VERSION,
    TLV_RECEIPTED_MESSAGE_ID,
    FieldValue,
    MessageAck,
    Pdu,
    ShortMessage,
    tlv,
)
from streams.crash.history import History
from streams.crash.items import SMPP_VALIDITY, Item
from streams.demo.protocols import Account

RETRY_S: Final = 0.4
ANSWER_TIMEOUT_S: Final = 12.0
"""The server answers within ten seconds, with an error when it has to."""
CONNECT_TIMEOUT_S: Final = 5.0
SILENCE_S: Final = 45.0
"""The server asks by enquire_link after thirty."""
READ_OCTETS: Final = 65_536
ALL_RECEIPTS: Final = 1
AGAIN: Final = frozenset({s.ESME_RSYSERR, s.ESME_RMSGQFUL, s.ESME_RTHROTTLED, s.ESME_RX_T_APPN})
_STAT = re.compile(rb"\bstat:([A-Z]+)")
"""Appendix B of SMPP 3.4."""


@dataclass(slots=True)
class Esme:
    """One bind; `account` says where the gateway is now."""

    account: Callable[[], Account]
    history: History
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _bound: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: asyncio.StreamWriter | None = None
    _waiting: "dict[int, asyncio.Future[MessageAck]]" = field(default_factory=dict)

    async def run(self) -> None:
        """Be bound for ever."""
        while True:
            try:
                await self._session()
            except (OSError, EOFError, TimeoutError):  # the gateway is away
                await asyncio.sleep(RETRY_S)
            finally:
                self._bound.clear()
                for answer in self._waiting.values():
                    answer.cancel()
                self._waiting.clear()
                if self._writer is not None:
                    self._writer.transport.abort()
                    self._writer = None

    async def send(self, item: Item) -> None:
        """Submit until it is accepted or refused."""
        while True:
            ack = await self._submit(submit_of(item))
            message_id = message_id_of(ack.message_id) if ack is not None and ack.status == s.ESME_ROK else None
            if message_id:
                self.history.accepted(item, message_id)
                return
            if ack is not None and ack.status not in AGAIN:
                self.history.refused(item, s.status_name(ack.status))
                return
            self.history.repeats += 1
            await asyncio.sleep(RETRY_S)

    async def _submit(self, message: ShortMessage) -> MessageAck | None:
        """The response, None when the connection went or nothing came."""
        await self._bound.wait()
        writer, number = self._writer, next(self._numbers)
        if writer is None or writer.transport.is_closing():
            return None
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        writer.write(codec.encode(message._replace(sequence=number)))
        try:
            done, _ = await asyncio.wait((answer,), timeout=ANSWER_TIMEOUT_S)
        finally:
            self._waiting.pop(number, None)
        return answer.result() if done and not answer.cancelled() else None

    async def _session(self) -> None:
        account = self.account()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, self._writer = await asyncio.open_connection(account.host, account.port)
        fields: dict[str, FieldValue] = {
            "system_id": account.user,
            "password": account.password,
            "interface_version": INTERFACE_VERSION,
        }
        self._writer.write(codec.encode(Pdu(c.BIND_TRANSCEIVER, 0, next(self._numbers), fields)))
        splitter = Splitter()
        while True:
            async with asyncio.timeout(SILENCE_S):
                octets = await reader.read(READ_OCTETS)
            if not octets or splitter.broken:
                raise EOFError
            for frame in splitter.feed(octets):
                self._take(frame, self._writer)

    def _take(self, frame: bytes, writer: asyncio.StreamWriter) -> None:
        match codec.decode(frame):
            case MessageAck(command_id=c.SUBMIT_SM_RESP) as ack:
                if (answer := self._waiting.get(ack.sequence)) is not None and not answer.done():
                    answer.set_result(ack)
            case ShortMessage(command_id=c.DELIVER_SM) as receipt:
                self._note(receipt)
                writer.write(codec.encode(MessageAck(c.DELIVER_SM_RESP, s.ESME_ROK, receipt.sequence)))
            case Pdu(command_id=c.ENQUIRE_LINK, sequence=number):
                writer.write(codec.header_only(c.ENQUIRE_LINK_RESP, s.ESME_ROK, number))
            case Pdu(command_id=c.BIND_TRANSCEIVER_RESP, status=s.ESME_ROK):
                self._bound.set()
            case Pdu(command_id=c.BIND_TRANSCEIVER_RESP | c.UNBIND):
                raise EOFError

    def _note(self, receipt: ShortMessage) -> None:
        told = (tlv(receipt.tlvs, TLV_RECEIPTED_MESSAGE_ID) or b"").rstrip(b"\0").decode("latin-1")
        stat = _STAT.search(receipt.short_message)
        self.history.receipts[message_id_of(told) or told][stat[1].decode("ascii") if stat else ""] += 1


def submit_of(item: Item) -> ShortMessage:
    """The submit_sm of a message, with its receipt asked for."""
    return ShortMessage(
        source_addr_ton=5, source_addr="Crash", dest_addr_ton=1, dest_addr_npi=1,
        destination_addr=item.phone.removeprefix("+"), validity_period=SMPP_VALIDITY, registered_delivery=ALL_RECEIPTS,
        short_message=item.tag.encode("ascii"), tlvs=((VENDOR_IDEMPOTENCY_TAG, item.tag.encode("ascii")),),
    )  # fmt: skip
