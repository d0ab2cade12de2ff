"""The client's side of an SMTP session: greeting, STARTTLS, and many mails, one recipient each (RFC 5321, RFC 2920)."""

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass

from domain.delivery import Failed, Outcome, Sent, Unknown
from egress.mta.config import Timeouts
from egress.mta.errors import RouteError, StaleError, TlsError, WireError
from egress.mta.mailbox import Mailbox
from egress.mta.replies import Reply
from egress.mta.site import Hop
from egress.mta.verdicts import (
    GARBLED,
    HOST_TAKES_NO_MAIL,
    NEEDS_SMTPUTF8,
    SERVICE_CLOSING,
    TOO_BIG,
    refused,
    refused_service,
)
from egress.mta.wire import Wire

NO_ANSWER, NO_NAME, NO_TLS = "4.4.1", "4.4.3", "4.7.4"
MAX_EXTENSIONS = 100

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Command:
    """One line to send, the first digit that it hopes for, and how long the answer may take."""

    step: str
    line: bytes
    wanted: int
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whom a mail is from and for. `utf8` when it or its header needs SMTPUTF8 (RFC 6531), `require_tls` for RFC 8689."""

    sender: Mailbox
    recipient: Mailbox
    message_id: str
    utf8: bool = False
    require_tls: bool = False

    def mail(self, *, size: int, says_size: bool) -> bytes:
        """The MAIL command."""
        parameters = f" SIZE={size}" if says_size else ""
        if self.utf8:
            parameters += " BODY=8BITMIME SMTPUTF8"
        if self.require_tls:
            parameters += " REQUIRETLS"
        return f"MAIL FROM:<{self.sender}>{parameters}".encode()


class Connection:
    """A session with one hop; one caller at a time. `usable` turns false when no other mail may go over it.

    `refusal` is the reply that refused the last mail, with the step that it answered.
    """

    def __init__(self, wire: Wire, hop: Hop, timeouts: Timeouts) -> None:
        self.hop = hop
        self.usable = True
        self.encrypted = False
        self.mails = 0
        self.refusal: tuple[Reply, str] | None = None
        self._wire = wire
        self._timeouts = timeouts
        self._extensions: dict[str, str] = {}
        self._open_transaction = False

    @property
    def fresh_enough(self) -> bool:
        """Whether an idle connection can be tried again: up, and the peer did not speak meanwhile."""
        return self.usable and self._wire.quiet

    def offers(self, keyword: str) -> bool:
        """Whether the peer's EHLO answer had this extension."""
        return keyword in self._extensions

    async def greet(self, hostname: str) -> None:
        """Hear the greeting and say EHLO, or HELO where that is refused. Raises RouteError, WireError."""
        greeting = await self._wire.reply(self._timeouts.greeting_ms, "the connection")
        if greeting.kind != 2:
            raise refused_service(greeting)
        await self.hello(hostname)

    async def hello(self, hostname: str) -> None:
        """Say EHLO and note the extensions, forgetting earlier ones. Raises RouteError, WireError."""
        name = hostname.encode("ascii")
        self._extensions = {}
        reply = await self._ask(Command("EHLO", b"EHLO " + name, 2, self._timeouts.hello_ms))
        if reply.kind == 2:
            for line in reply.lines[1 : MAX_EXTENSIONS + 1]:
                keyword, _, parameters = line.partition(" ")
                self._extensions[keyword.upper()] = parameters.strip()
            return
        if reply.kind == 5 and reply.code != HOST_TAKES_NO_MAIL:
            reply = await self._ask(Command("HELO", b"HELO " + name, 2, self._timeouts.hello_ms))
        if reply.kind != 2:
            raise refused_service(reply)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Encrypt; `hello` is due then. Raises TlsError, after which only a 4.7.4 leaves the connection usable; RouteError."""
        reply = await self._ask(Command("STARTTLS", b"STARTTLS", 2, self._timeouts.hello_ms))
        if reply.code == SERVICE_CLOSING:
            raise refused_service(reply)
        if reply.code != 220:
            raise TlsError(NO_TLS, f"STARTTLS: {reply.detail}", "starttls-not-supported")
        await self._wire.start_tls(context, self.hop.name, self._timeouts.tls_ms)
        self.encrypted = True

    @property
    def chain(self) -> list[bytes]:
        """The peer's certificates in DER, its own first."""
        return self._wire.chain

    @property
    def local_ip(self) -> str:
        """The address that the connection leaves from."""
        return self._wire.local_ip

    async def deliver(self, envelope: Envelope, message: bytes) -> Outcome:
        """Hand over one mail and tell its outcome.

        `message` is CRLF lines without dot-stuffing. Unknown is the answer only when all of it was written and the peer's
        verdict did not arrive. Raises StaleError when a reused connection was gone before the peer answered anything.
        """
        self.refusal = None
        if envelope.utf8 and not self.offers("SMTPUTF8"):
            return Failed(
                permanent=True, code=NEEDS_SMTPUTF8, detail="the address needs SMTPUTF8, which is not offered"
            )
        limit = self._extensions.get("SIZE", "")
        if limit.isdigit() and 0 < int(limit) < len(message):
            return Failed(
                permanent=True, code=TOO_BIG, detail=f"{len(message)} bytes are more than the {limit} it takes"
            )
        self.mails += 1
        refusal = await self._envelope(envelope, len(message))
        return refusal or await self._content(envelope.message_id, message)

    def close(self) -> None:
        """Say QUIT and close; the answer is not waited for."""
        self._wire.close(b"QUIT\r\n")

    def abort(self) -> None:
        """Close at once: what waits on it fails."""
        self.usable = False
        self._wire.abort()

    async def _envelope(self, envelope: Envelope, size: int) -> Failed | None:
        """Send RSET where it is due, MAIL, RCPT and DATA, in one write when the peer allows; None when it wants the mail."""
        reused = self.mails > 1
        pipelining = self.offers("PIPELINING")
        answers = 0
        refusal: Failed | None = None
        if not self._wire.quiet:
            self.usable = False
            if reused:
                raise StaleError
            return Failed(permanent=False, code=GARBLED, detail="the peer spoke out of turn or closed")
        commands = self._commands(envelope, size)
        try:
            if pipelining:
                self._wire.write(b"".join([command.line + b"\r\n" for command in commands]))
            for command in commands:
                reply = await (self._answer(command) if pipelining else self._ask(command))
                if (reused and not answers and reply.code == SERVICE_CLOSING) or _reset_failed(command, reply):
                    self.usable = False
                    raise StaleError
                answers += 1
                if reply.kind not in (command.wanted, 4, 5):
                    self.usable = False
                if reply.kind != command.wanted:
                    refusal = refusal or self._refused(reply, command.step)
                elif refusal is not None and command.step == "DATA":
                    self.usable = False  # it waits for a message that has no recipient
                if reply.code == SERVICE_CLOSING or (refusal is not None and not pipelining):
                    break
        except WireError as error:
            self.usable = False
            if reused and not answers and error.lost:
                raise StaleError from error
            return refusal or Failed(permanent=False, code=error.code, detail=error.detail)
        self._open_transaction = refusal is not None
        return refusal

    def _refused(self, reply: Reply, step: str) -> Failed:
        if reply.kind in (4, 5):
            self.refusal = (reply, step)
        return refused(reply, step)

    def _commands(self, envelope: Envelope, size: int) -> list[Command]:
        times = self._timeouts
        commands = [
            Command("MAIL", envelope.mail(size=size, says_size=self.offers("SIZE")), 2, times.mail_ms),
            Command("RCPT", f"RCPT TO:<{envelope.recipient}>".encode(), 2, times.rcpt_ms),
            Command("DATA", b"DATA", 3, times.data_ms),
        ]
        if self._open_transaction:
            commands.insert(0, Command("RSET", b"RSET", 2, times.reset_ms))
        return commands

    async def _content(self, message_id: str, message: bytes) -> Outcome:
        try:
            complete = await self._wire.write_blocks(dot_stuffed(message), self._timeouts.block_ms)
        except WireError as error:
            self.usable = False
            return Failed(permanent=False, code=error.code, detail=f"{error.detail} before the end of the message")
        try:
            reply = await self._wire.reply(self._timeouts.dot_ms, "the message")
        except WireError as error:
            self.usable = False
            return Unknown(detail=f"{error.detail} after the end of the message")
        if reply.code == SERVICE_CLOSING or not complete:
            self.usable = False
        if reply.kind in (4, 5):
            return self._refused(reply, "the message")
        if reply.kind == 2 and complete:
            ids = (reply.queue_id or message_id,)
            return Sent(provider_ids=ids, level="delivered", code=reply.best_code, detail=reply.detail)
        self.usable = False
        if complete:
            return Unknown(detail=f"strange answer to the message: {reply.detail}")
        return Failed(permanent=False, code=GARBLED, detail="answer before the end of the message")

    async def _ask(self, command: Command) -> Reply:
        self._wire.write(command.line + b"\r\n")
        return await self._answer(command)

    async def _answer(self, command: Command) -> Reply:
        reply = await self._wire.reply(command.timeout_ms, command.step)
        if reply.code == SERVICE_CLOSING:
            self.usable = False
        return reply


async def connect(hop: Hop, timeouts: Timeouts, source_address: str = "") -> Connection:
    """A connection to `hop`, not yet greeted. Raises RouteError: 4.4.1 for no connection, 4.4.3 for no such name."""
    loop = asyncio.get_running_loop()
    local = (source_address, 0) if source_address else None
    try:
        async with asyncio.timeout(timeouts.connect_ms / 1_000):
            _, wire = await loop.create_connection(Wire, hop.address, hop.port, local_addr=local)
    except socket.gaierror as error:
        raise RouteError(NO_NAME, f"{hop.name}: no such host", permanent=False) from error
    except ConnectionRefusedError as error:
        raise RouteError(NO_ANSWER, f"{hop}: connection refused", permanent=False) from error
    except TimeoutError as error:
        raise RouteError(NO_ANSWER, f"{hop}: connection timed out", permanent=False) from error
    except OSError as error:
        reason = error.strerror or "connection failed"
        raise RouteError(NO_ANSWER, f"{hop}: {reason}", permanent=False) from error
    return Connection(wire, hop, timeouts)


def _reset_failed(command: Command, reply: Reply) -> bool:
    return command.step == "RSET" and reply.kind != command.wanted


def dot_stuffed(message: bytes) -> bytes:
    """`message` as DATA wants it: only CRLF line ends, dots doubled, and the line with the single dot (section 4.5.2)."""
    ends = message.count(b"\r\n")
    if message.count(b"\n") != ends or message.count(b"\r") != ends:
        message = _BARE_LINE_END.sub(b"\r\n", message)
    if b"\r\n." in message:
        message = message.replace(b"\r\n.", b"\r\n..")
    if message.startswith(b"."):
        message = b"." + message
    return message + (b".\r\n" if message.endswith(b"\r\n") or not message else b"\r\n.\r\n")
