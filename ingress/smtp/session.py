"""One SMTP session on aiosmtpd's protocol, with a command loop of our own (RFC 5321, RFC 6409).

aiosmtpd gives the connection's life and STARTTLS. Its command loop and its DATA are replaced: they take bare LF as the end of
a command and keep bare CR and LF in a message, know no limits for recipients and errors, and read a message line by line.
"""

import asyncio
from collections import defaultdict
from typing import Final

import structlog
from aiosmtpd.smtp import SMTP, TLSSetupException

from domain.tenant import ApiKey
from ingress.smtp import replies
from ingress.smtp.channel import BadLineError, Channel, EndError
from ingress.smtp.login import MECHANISMS, WELCOME, LoginError
from ingress.smtp.shared import Shared
from ingress.smtp.transaction import Transaction, begin

COUNTED_ERRORS: Final = frozenset({"500", "501", "502", "503", "504", "530", "535", "538", "555"})
"""Replies after which a client has shown that it does not know what it does, or that it tries its luck."""
NAME_CHARS: Final = 255
COMMAND_OCTETS: Final = 510
"""RFC 5321 section 4.5.3.1.4, without the line end."""
LONGER_OCTETS: Final = {"MAIL": 26 + 17 + 10 + 500, "RCPT": 500, "AUTH": 12_288 - COMMAND_OCTETS}
"""What extensions add: SIZE, 8BITMIME, SMTPUTF8 and AUTH (RFC 1870, 6152, 6531, 4954)."""

_log = structlog.get_logger("ingress.smtp")


class SmtpSession(SMTP):  # type: ignore[misc] # aiosmtpd has no types
    """Serves one client until it leaves, errs too often or is asked to end."""

    line_length_limit = 64 * 1024  # of the stream: the loop below has its own for lines

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        settings = shared.settings
        self.command_size_limits: dict[str, int] = defaultdict(int)  # aiosmtpd's own is one for all sessions
        super().__init__(
            object(),
            hostname=settings.hostname,
            tls_context=settings.tls,
            timeout=settings.session_ms / 1_000,
            loop=loop,
        )
        self._shared = shared
        self._client = ""
        self._helo = ""
        self._key: ApiKey | None = None
        self._open: Transaction | None = None
        self._errors = 0
        self._login_failures = 0
        self._messages = 0
        self._began_s = 0.0
        self._idle = False
        self._leaving = False
        self._entered = False

    # The life of the connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or begin again encrypted: nothing that was said before counts then (RFC 3207 section 4.2)."""
        again = self.transport is not None
        super().connection_made(transport)
        self._helo, self._key, self._open = "", None, None
        if not again:
            peer = transport.get_extra_info("peername")
            self._client = str(peer[0]) if isinstance(peer, tuple) else ""
            self._began_s = self.loop.time()
            self._entered = self._shared.enter(self, self._client)
            self._handler_coroutine.add_done_callback(self._ended)

    def eof_received(self) -> bool | None:
        """The client sends no more: what it sent is answered before we close."""
        encrypted = self.session.ssl is not None
        result: bool | None = super(SMTP, self).eof_received()
        return False if encrypted else result

    def leave(self, *, at_once: bool) -> None:
        """End the session: when it waits for a command, and otherwise after the reply it owes, or `at_once`."""
        self._leaving = True
        if at_once and self.transport is not None:
            self.transport.abort()
        elif self._idle:
            self._handler_coroutine.cancel()

    @property
    def task(self) -> "asyncio.Task[None]":
        """What runs the session."""
        return self._handler_coroutine  # type: ignore[no-any-return] # aiosmtpd has no types

    @property
    def encrypted(self) -> bool:
        """Whether what is said now is encrypted."""
        return self._tls_protocol is not None or self.transport.get_extra_info("sslcontext") is not None

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._entered:
            self._shared.left(self, self._client)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._shared.services.meter.session("crashed")
            _log.error("smtp.session_crashed", client=self._client, error=type(error).__name__, exc_info=error)
        if self.transport is not None:
            self.transport.close()

    async def _handle_client(self) -> None:
        """Serve; aiosmtpd runs this in a task when the connection is made."""
        channel = Channel(self._reader, self._writer, self._shared.settings.write_ms)
        outcome = "closed"
        try:
            outcome = await self._serve(channel)
            await channel.flush()
        except (EndError, ConnectionError, TLSSetupException):
            outcome = "lost"
        except TimeoutError:
            outcome = "timed_out"
            self._writer.write(replies.TOO_SLOW.encode() + b"\r\n")
        except asyncio.CancelledError:
            if not (self._leaving and self.transport):
                raise
            self._writer.write(replies.SHUT_DOWN.encode() + b"\r\n")
        finally:
            self._shared.services.meter.session(outcome)
            self._writer.close()

    # The commands.

    async def _serve(self, channel: Channel) -> str:
        settings = self._shared.settings
        if not self._entered:
            channel.say("421 4.7.0 Too many connections")
            return "refused"
        channel.say(f"220 {settings.hostname} ESMTP Hermes")
        for _ in range(settings.max_commands):
            if self._leaving:
                channel.say(replies.SHUT_DOWN)
                return "closed"
            reply = await self._next(channel)
            channel.say(reply)
            if reply.startswith(("221", "421")):
                return "closed"
            self._errors += reply[:3] in COUNTED_ERRORS
            if self._errors >= settings.max_errors:
                channel.say(replies.TOO_MANY_ERRORS)
                return "too_many_errors"
            await channel.make_room()
        channel.say("421 4.7.0 Too many commands")
        return "refused"

    async def _next(self, channel: Channel) -> str:
        """The reply to the next command."""
        try:
            self._idle = True
            line = await channel.line(self._wait_ms())
        except BadLineError as error:
            if error.fatal:
                _log.warning("smtp.bad_line", client=self._client)
                channel.say(error.reply)
                return "421 4.7.0 Lines cannot be told apart"
            return error.reply
        finally:
            self._idle = False
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            return "500 5.5.2 A command is UTF-8"
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        if len(line) > COMMAND_OCTETS + LONGER_OCTETS.get(verb, 0):
            return "500 5.5.2 Line too long"
        return await self._obey(verb, argument.strip(), channel)

    async def _obey(self, verb: str, argument: str, channel: Channel) -> str:
        match verb:
            case "MAIL":
                return self._mail(argument)
            case "RCPT":
                return await self._open.add(argument) if self._open else replies.SEQUENCE
            case "DATA":
                return await self._data(argument, channel)
            case "EHLO" | "HELO" if argument:
                return self._hello(verb, argument)
            case "RSET" if not argument:
                self._open = None
                return "250 2.0.0 Ok"
            case "NOOP":
                return "250 2.0.0 Ok"
            case "QUIT" if not argument:
                return f"221 2.0.0 {self._shared.settings.hostname} closes"
            case "AUTH":
                return await self._auth(argument, channel)
            case "STARTTLS" if not argument:
                return await self._starttls(channel)
            case "VRFY" if argument:
                return "252 2.5.0 Send it and see"
            case "EHLO" | "HELO" | "RSET" | "QUIT" | "STARTTLS" | "VRFY":
                return replies.SYNTAX
            case "HELP":
                return "214 2.0.0 EHLO HELO STARTTLS AUTH MAIL RCPT DATA RSET NOOP QUIT VRFY"
            case "EXPN" | "BDAT" | "ETRN" | "TURN":
                return "502 5.5.1 Not implemented"
            case _:
                return "500 5.5.2 The command is not known"

    def _hello(self, verb: str, argument: str) -> str:
        settings = self._shared.settings
        self._open = None
        self._helo = argument[:NAME_CHARS] if argument.isprintable() else "?"
        if verb == "HELO":
            return f"250 {settings.hostname}"
        offers = ["PIPELINING", f"SIZE {settings.max_message}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if settings.tls is not None and not self.encrypted:
            offers.append("STARTTLS")
        if self._key is None and (self.encrypted or settings.plaintext_auth):
            offers.append("AUTH " + " ".join(MECHANISMS))
        return "\n".join([f"250-{settings.hostname}", *(f"250-{one}" for one in offers), "250 HELP"])

    async def _starttls(self, channel: Channel) -> str:
        """The reply to whatever comes after the handshake, or the refusal of one."""
        settings = self._shared.settings
        if self.encrypted:
            return replies.SEQUENCE
        if settings.tls is None:
            return "502 5.5.1 TLS is not offered"
        await channel.flush()
        channel.forget_input()
        async with asyncio.timeout(settings.handshake_ms / 1_000):
            await self.smtp_STARTTLS("")
        return await self._next(channel)

    async def _auth(self, argument: str, channel: Channel) -> str:
        settings = self._shared.settings
        if not (self.encrypted or settings.plaintext_auth):
            return "538 5.7.11 Encryption is required"
        if not self._helo or self._key is not None or self._open is not None:
            return replies.SEQUENCE

        async def ask(challenge: str) -> bytes:
            channel.say(f"334 {challenge}")
            return await channel.line(self._wait_ms())

        try:
            self._key = await self._shared.login.prove(argument, self._client, ask)
        except LoginError as error:
            self._login_failures += error.wrong
            if self._login_failures >= settings.max_login_failures:
                channel.say(error.reply)
                return "421 4.7.0 Too many wrong credentials"
            return error.reply
        except BadLineError as error:
            return error.reply
        return WELCOME

    def _mail(self, argument: str) -> str:
        if not self._helo or self._open is not None:
            return replies.SEQUENCE
        if self._messages >= self._shared.settings.max_messages:
            return "421 4.7.0 Too many messages in one session"
        begun = begin(argument, self._key, self._shared.services, self._shared.settings)
        if isinstance(begun, str):
            return begun
        self._open = begun
        return "250 2.1.0 Ok"

    async def _data(self, argument: str, channel: Channel) -> str:
        transaction = self._open
        if argument:
            return replies.SYNTAX
        if transaction is None or not transaction.recipients:
            return "554 5.5.1 No valid recipients" if transaction and transaction.refused else replies.SEQUENCE
        settings = self._shared.settings
        channel.say("354 End with CR LF . CR LF")
        await channel.flush()
        self._open = None
        self._messages += 1
        async with asyncio.timeout(settings.data_ms / 1_000):
            raw = await channel.message(settings.max_message, self._shared.room)
        read_s = self.loop.time()
        if raw is None:
            reply = f"552 5.3.4 A message has at most {settings.max_message} octets"
        else:
            reply = await transaction.take(raw, self._client, self._helo)
        octets = len(raw) if raw is not None else 0
        self._shared.services.meter.message(int(reply[:3]), octets, self.loop.time() - read_s)
        return reply

    def _wait_ms(self) -> int:
        """How long the client may take for its next line: less before it has authenticated."""
        settings = self._shared.settings
        if self._key is not None or self._shared.services.inbound is not None:
            return settings.idle_ms
        spent_ms = int((self.loop.time() - self._began_s) * 1_000)
        return max(1, min(settings.idle_ms, settings.login_ms - spent_ms))
