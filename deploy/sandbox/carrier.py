"""A simulated SMS carrier: an SMPP server whose answers and receipts depend on the number, for tests and demonstrations.

+4599000001 is delivered, +4599000002 undeliverable, +4599000003 gets no receipt, +4599000004 is throttled once or twice and
then delivered, +4599000005 gets its receipt late; any other number is delivered.
"""

import argparse
import asyncio
import hmac
import json
import signal
import ssl
import sys
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop

from deploy.sandbox.carrier_book import Book, SandboxConfig, text_of
from deploy.sandbox.carrier_session import Session
from schemas.smpp import status as s
from schemas.smpp.commands import DELIVER_SM
from schemas.smpp.pdu import ESM_RECEIPT, ESM_UDHI, TLV_MESSAGE_STATE, TLV_RECEIPTED_MESSAGE_ID, ShortMessage
from schemas.smpp.receipt import STATES, build_text
from schemas.smpp.text import UCS2, encode_ucs2
from schemas.smpp.udh import concat8

HELD_LIMIT: Final = 500_000  # receipts kept while no client is bound
REFUSED_RETRY_MS: Final = 500
WHOLE_OCTETS: Final = 140
PART_OCTETS: Final = 134  # behind a header of six (3GPP TS 23.040 section 9.2.3.24.1)
TICK_MS: Final = 10  # receipts that are due within one leave together
_SUCCESS_AND_FAILURE: Final = 1  # registered_delivery, 5.2.17
_FAILURE_ONLY: Final = 2


class SandboxCarrier:
    """The carrier; its receipts outlive the connections of the client that they are for."""

    def __init__(self, config: SandboxConfig, book: Book) -> None:
        self.config = config
        self.book = book
        self._server: asyncio.Server | None = None
        self._sessions: list[Session] = []
        self._held: deque[ShortMessage] = deque()
        self._turn = 0
        self._reference = 0
        self._planned: dict[int, list[ShortMessage]] = {}  # by the tick in which they are due

    async def start(self, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the answer is the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Session(self, self.config), self.config.host, self.config.port, ssl=tls, backlog=1024
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        self.hang_up()
        self.book.close()
        await asyncio.sleep(0)

    def hang_up(self) -> None:
        """Drop every bound client as a network failure would."""
        for session in list(self._sessions):
            session.abort()

    def say(self, source: str, destination: str, text: str) -> None:
        """A handset writes to one of the client's numbers: one deliver_sm, or several for a long text (UCS-2)."""
        octets = encode_ucs2(text)
        cuts = range(0, len(octets), PART_OCTETS) if len(octets) > WHOLE_OCTETS else (0,)
        self._reference += 1
        for seq, at in enumerate(cuts, 1):
            header = concat8(self._reference, len(cuts), seq) if len(cuts) > 1 else b""
            self._deliver(ShortMessage(
                command_id=DELIVER_SM, source_addr_ton=1, source_addr=source.removeprefix("+"),
                destination_addr=destination.removeprefix("+"), esm_class=ESM_UDHI if header else 0,
                data_coding=UCS2, short_message=header + octets[at : at + PART_OCTETS] if header else octets,
            ))  # fmt: skip

    # Accounts, as a session sees them.

    def credentials_are_right(self, system_id: str, password: str) -> bool:
        """Both are compared, in constant time, and one answer is given for either."""
        right_id = hmac.compare_digest(system_id.encode(), self.config.system_id.encode())
        right_password = hmac.compare_digest(password.encode(), self.config.password.encode())
        return right_id and right_password

    def submit(self, session: Session, message: ShortMessage) -> None:
        """Decide, enter into the book, answer after the configured delay, and plan the receipt."""
        status, message_id = self._decide(message)
        if self.config.delay_ms:
            loop = asyncio.get_running_loop()
            loop.call_later(self.config.delay_ms / 1000, session.respond, message, status, message_id)
        else:
            session.respond(message, status, message_id)

    def _decide(self, message: ShortMessage) -> tuple[int, str]:
        digits = message.destination_addr.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            self.book.counts["refused"] += 1
            return s.ESME_RINVDSTADR, ""
        behaviour = self.book.behaviour(message.destination_addr)
        if behaviour == "throttled_first" and self.book.throttles(message):
            return s.ESME_RTHROTTLED, ""
        message_id = self.book.accept(message)
        stat = "UNDELIV" if behaviour == "undeliverable" else "DELIVRD"
        wanted = message.registered_delivery & 3
        if behaviour != "no_receipt" and (
            wanted == _SUCCESS_AND_FAILURE or (wanted == _FAILURE_ONLY and stat == "UNDELIV")
        ):
            receipt = _receipt(message, message_id, stat)
            wait_ms = self.config.late_ms if behaviour == "late_receipt" else self.config.receipt_delay_ms
            self._plan(receipt, wait_ms + self.config.delay_ms)
        return s.ESME_ROK, message_id

    def bound(self, session: Session) -> None:
        """Send what was held, as far as there is room."""
        if session not in self._sessions:
            self._sessions.append(session)
        while self._held and session.has_room:
            self.book.counts["receipts"] += 1
            session.deliver(self._held.popleft())

    def receipt_refused(self, session: Session, receipt: ShortMessage) -> None:  # noqa: ARG002 - any bind may take it next
        """Try again a little later."""
        self.book.counts["receipts_refused"] += 1
        self._plan(receipt, REFUSED_RETRY_MS)

    def gone(self, session: Session, unanswered: list[ShortMessage]) -> None:
        """Hold what the client did not acknowledge until the next bind."""
        if session in self._sessions:
            self._sessions.remove(session)
        for receipt in unanswered:
            self._deliver(receipt)

    def _plan(self, receipt: ShortMessage, wait_ms: int) -> None:
        loop = asyncio.get_running_loop()
        tick = (int(loop.time() * 1000) + wait_ms) // TICK_MS + 1
        if tick not in self._planned:
            self._planned[tick] = []
            loop.call_at(tick * TICK_MS / 1000, self._deliver_planned, tick)
        self._planned[tick].append(receipt)

    def _deliver_planned(self, tick: int) -> None:
        for receipt in self._planned.pop(tick):
            self._deliver(receipt)

    def _deliver(self, receipt: ShortMessage) -> None:
        """Send over the next bind in turn that has room, else hold it."""
        for _ in range(len(self._sessions)):
            self._turn = (self._turn + 1) % len(self._sessions)
            if self._sessions[self._turn].has_room:
                self.book.counts["receipts"] += 1
                self._sessions[self._turn].deliver(receipt)
                return
        if len(self._held) >= HELD_LIMIT:
            self.book.counts["receipts_dropped"] += 1
            self._held.popleft()
        self._held.append(receipt)


def _receipt(message: ShortMessage, message_id: str, stat: str) -> ShortMessage:
    now = datetime.now(UTC)
    delivered = stat == "DELIVRD"
    quoted, _ = text_of(message)
    text = build_text(
        message_id, stat, now, now, err="000" if delivered else "001", quoted=quoted, delivered=1 if delivered else 0
    )
    return ShortMessage(
        command_id=DELIVER_SM,
        source_addr_ton=message.dest_addr_ton,
        source_addr_npi=message.dest_addr_npi,
        source_addr=message.destination_addr,
        dest_addr_ton=message.source_addr_ton,
        dest_addr_npi=message.source_addr_npi,
        destination_addr=message.source_addr,
        esm_class=ESM_RECEIPT,
        short_message=text,
        tlvs=(
            (TLV_RECEIPTED_MESSAGE_ID, message_id.encode("ascii") + b"\0"),
            (TLV_MESSAGE_STATE, bytes((STATES[stat],))),
        ),
    )


async def serve(config: SandboxConfig, book_path: Path | None) -> None:
    """Listen until SIGTERM or SIGINT; the first line on standard output says where."""
    carrier = SandboxCarrier(config, Book(book_path))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    port = await carrier.start()
    sys.stdout.write(json.dumps({"listening": f"{config.host}:{port}"}) + "\n")
    sys.stdout.flush()
    await stopped.wait()
    counts = dict(carrier.book.counts)
    await carrier.stop()
    sys.stdout.write(json.dumps({"stopped": counts}) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of `python -m deploy.sandbox.carrier`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=int, default=0)
    parser.add_argument("--receipt-delay-ms", type=int, default=20)
    parser.add_argument("--late-ms", type=int, default=4_000)
    parser.add_argument("--system-id", default="hermes")
    parser.add_argument("--password", default=SandboxConfig().password)
    parser.add_argument("--book", type=Path)
    options = parser.parse_args(arguments)
    config = SandboxConfig(
        host=options.host,
        port=options.port,
        system_id=options.system_id,
        password=options.password,
        delay_ms=options.delay_ms,
        receipt_delay_ms=options.receipt_delay_ms,
        late_ms=options.late_ms,
    )
    uvloop.run(serve(config, options.book))


if __name__ == "__main__":
    main()
