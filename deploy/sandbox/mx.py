"""A mail host for tests and demos: answers by the local part, keeps a book of what it took, misbehaves on request."""

import argparse
import asyncio
import base64
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson
from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_MESSAGE_BYTES = 35 * 1024 * 1024
MAX_RECIPIENTS = 100
MAX_REMEMBERED = 100_000
IDLE_S = 300.0
BACKLOG = 1_024
TOO_MANY = "452 4.5.3 Too many recipients"

Mode = Literal["serve", "stall", "hangup-after-data"]

# What mail hosts say of a recipient, by the local part that asks for it.
_AT_RCPT = {
    "bounced": "550 5.1.1 The email account that you tried to reach does not exist",
    "full": "452 4.2.2 The recipient's mailbox is full",
    "quota": "552 5.2.2 This mailbox is over its quota and takes no mail",
    "disabled": "550 5.2.1 The mailbox is disabled and takes no messages",
    "moved": "551 5.1.6 The user has moved and left no other address",
    "unknown-old": "550 Requested action not taken: mailbox unavailable",
    "relay": "554 5.7.1 Relay access denied",
    "toofast": "450 4.2.1 This account is receiving mail at a rate that prevents more from being delivered",
    "blocked": "550-5.7.1 The connecting address has a poor reputation here.\r\n550 5.7.1 Mail from it is not accepted",
    "busy": "421 4.3.2 The server is busy, please try again later",
    "broken": "451 4.3.0 Internal server error",
}
# The same of a message, after all of it was read.
_AT_DATA = {
    "spam": "554-5.7.1 This message is likely unsolicited mail.\r\n554 5.7.1 It was not accepted",
    "unauthenticated": "550 5.7.26 The message fails the DMARC policy of its domain and is not accepted",
    "toobig": "552 5.3.4 The message is larger than what is accepted here",
    "virus": "552 5.7.0 The message has an attachment that is not accepted for security reasons",
    "later": "451 4.7.0 The message is deferred, try again in 2 minutes",
}


@dataclass(slots=True)
class Book:
    """JSON lines of accepted mail: recipient, message_id, from, size, at the end raw (base64) when `keep_raw`."""

    file: BinaryIO | None = None
    keep_raw: bool = False
    accepted: int = 0

    def write(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """Note one accepted message, a line for each recipient, written through to the file."""
        self.accepted += 1
        if self.file is None:
            return
        message_id = str(BytesHeaderParser().parsebytes(raw).get("Message-ID", "")).strip()
        for recipient in recipients:
            entry: dict[str, str | int] = {
                "recipient": recipient,
                "message_id": message_id,
                "from": sender,
                "size": len(raw),
            }
            if self.keep_raw:
                entry["raw"] = base64.b64encode(raw).decode("ascii")
            self.file.write(orjson.dumps(entry) + b"\n")
        self.file.flush()


@dataclass(slots=True)
class Handler:
    """aiosmtpd's hooks: the verdict for each recipient and message. `slow_ms` delays each answer to `slow@`."""

    book: Book
    slow_ms: int = 0
    hang_up: bool = False
    _greylisted: dict[str, None] = field(default_factory=dict)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer what aiosmtpd can do and does not say."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Any sender will do."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer by the local part without its label; after a 421 the connection is closed, as hosts do."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return TOO_MANY
        answer = await self._verdict(address)
        if answer.startswith("421"):
            server.loop.call_soon(server.transport.close)  # after the answer has been written
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer

    async def handle_DATA(self, server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take the message, refuse it as its first recipient asks, or vanish before saying so."""
        content = envelope.original_content
        if content is None:
            return "451 4.3.0 No message"
        if refusal := _AT_DATA.get(_wish(envelope.rcpt_tos[0])):
            return refusal
        self.book.write(envelope.mail_from or "", envelope.rcpt_tos, content)
        if self.hang_up:
            server.transport.abort()
        return f"250 2.0.0 Ok: queued as {self.book.accepted:08X}"

    async def _verdict(self, address: str) -> str:
        wish = _wish(address)
        if wish == "slow":
            await asyncio.sleep(self.slow_ms / 1_000)
            if address not in self._greylisted:
                while len(self._greylisted) >= MAX_REMEMBERED:
                    del self._greylisted[next(iter(self._greylisted))]
                self._greylisted[address] = None
                return "451 4.7.1 Greylisted, try again in 1 second"
        return _AT_RCPT.get(wish, "250 2.1.5 Ok")


def _wish(address: str) -> str:
    """The local part without its label, which says what is to happen."""
    return address.partition("@")[0].partition("+")[0].lower()


async def start(handler: Handler, *, host: str = "127.0.0.1", port: int = 0, mode: Mode = "serve") -> asyncio.Server:
    """A listening server on `host` and `port` (0 for any free one); `stall` accepts and says nothing."""
    loop = asyncio.get_running_loop()
    if mode == "stall":
        return await loop.create_server(asyncio.Protocol, host, port, backlog=BACKLOG)
    return await loop.create_server(
        lambda: SMTP(
            handler,
            hostname="mx.sandbox.hermes.dev",
            ident="Hermes sandbox",
            data_size_limit=MAX_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            timeout=IDLE_S,
            loop=loop,
        ),
        host,
        port,
        backlog=BACKLOG,
    )


async def run(options: argparse.Namespace, book: Book) -> None:
    """Serve until SIGTERM or SIGINT; one JSON line on standard output says where."""
    handler = Handler(book, slow_ms=options.slow_ms, hang_up=options.mode == "hangup-after-data")
    server = await start(handler, host=options.host, port=options.port, mode=options.mode)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    host, port = server.sockets[0].getsockname()[:2]
    sys.stdout.write(orjson.dumps({"listening": f"{host}:{port}"}).decode("ascii") + "\n")
    sys.stdout.flush()
    await stopping.wait()
    server.close()


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sandbox.mx", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--book", type=Path, help="append a JSON line for each accepted mail to this file")
    parser.add_argument("--keep-raw", action="store_true", help="with --book: the whole message too, in base64")
    parser.add_argument("--slow-ms", type=int, default=0, help="delay of each answer to slow@")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--stall", dest="mode", action="store_const", const="stall", help="accept, and say nothing")
    modes.add_argument(
        "--hangup-after-data",
        dest="mode",
        action="store_const",
        const="hangup-after-data",
        help="take each message and close without an answer",
    )
    parser.set_defaults(mode="serve")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the host in the foreground."""
    options = arguments(argv)
    with ExitStack() as stack:
        file = stack.enter_context(options.book.open("ab")) if options.book else None
        asyncio.run(run(options, Book(file, options.keep_raw)))


if __name__ == "__main__":
    main()
