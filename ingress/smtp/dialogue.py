"""What is said in one session: the commands in their order, and the reply to each (RFC 5321 section 4, RFC 6409)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from domain.tenant import ApiKey
from ingress.smtp import replies
from ingress.smtp.channel import BadLineError, Channel
from ingress.smtp.login import MECHANISMS, WELCOME, LoginError
from ingress.smtp.shared import Shared
from ingress.smtp.transaction import SENDER_OK, Transaction, begin

COUNTED_ERRORS: Final = frozenset({"500", "501", "502", "503", "504", "530", "535", "538", "555"})
"""Replies after which a client has shown that it does not know what it does, or that it tries its luck."""
NAME_CHARS: Final = 255
COMMAND_OCTETS: Final = 510
"""RFC 5321 section 4.5.3.1.4, without the line end."""
LONGER_OCTETS: Final = {"MAIL": 26 + 17 + 10 + 500, "RCPT": 500, "AUTH": 12_288 - COMMAND_OCTETS}
"""What extensions add: SIZE, 8BITMIME, SMTPUTF8 and AUTH (RFC 1870, 6152, 6531, 4954)."""

_log = structlog.get_logger("ingress.smtp")


@dataclass(slots=True)
class Dialogue:
    """The state of a session. `encrypt` makes the handshake of STARTTLS; `idle` while it waits for a command."""

    shared: Shared
    channel: Channel
    client: str
    encrypted: bool
    encrypt: Callable[[], Awaitable[None]]
    began_s: float
    now_s: Callable[[], float]
    idle: bool = False
    leaving: bool = False
    _helo: str = ""
    _key: ApiKey | None = None
    _open: Transaction | None = None
    _errors: int = 0
    _login_failures: int = 0
    _messages: int = 0

    async def run(self) -> str:
        """Answer commands until the session ends; how it ended, for the meter. Raises what `Channel` raises."""
        settings, channel = self.shared.settings, self.channel
        channel.say(f"220 {settings.hostname} ESMTP Hermes")
        for _ in range(settings.max_commands):
            if self.leaving:
                channel.say(replies.SHUT_DOWN)
                return "closed"
            reply = await self._next()
            channel.say(reply)
            if reply.startswith(("221", "421")):
                return "closed"
            if self._errors >= settings.max_errors:
                channel.say(replies.TOO_MANY_ERRORS)
                return "too_many_errors"
            await channel.make_room()
        channel.say("421 4.7.0 Too many commands")
        return "refused"

    async def _next(self) -> str:
        """The reply to the next command."""
        try:
            self.idle = True
            line = await self.channel.line(self._wait_ms())
        except BadLineError as error:
            self._errors += 1
            return self._bad_line(error)
        finally:
            self.idle = False
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            self._errors += 1
            return "500 5.5.2 A command is UTF-8"
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        if len(line) > COMMAND_OCTETS + LONGER_OCTETS.get(verb, 0):
            self._errors += 1
            return "500 5.5.2 Line too long"
        reply = await self._obey(verb, argument.strip())
        # of many recipients sent in one go each may fail for the same reason; a stranger's are guesses
        self._errors += self._key is None and reply.startswith("550") if verb == "RCPT" else reply[:3] in COUNTED_ERRORS
        return reply

    def _bad_line(self, error: BadLineError) -> str:
        if not error.fatal:
            return error.reply
        _log.warning("smtp.bad_line", client=self.client)
        self.channel.say(error.reply)
        return "421 4.7.0 Lines cannot be told apart"

    async def _obey(self, verb: str, argument: str) -> str:
        match verb:
            case "MAIL":
                return self._mail(argument)
            case "RCPT":
                return await self._open.add(argument) if self._open else replies.SEQUENCE
            case "DATA":
                return await self._data(argument)
            case "EHLO" | "HELO" if argument:
                return self._hello(verb, argument)
            case "RSET" if not argument:
                self._open = None
                return "250 2.0.0 Ok"
            case "NOOP":
                return "250 2.0.0 Ok"
            case "QUIT" if not argument:
                return f"221 2.0.0 {self.shared.settings.hostname} closes"
            case "AUTH":
                return await self._auth(argument)
            case "STARTTLS" if not argument:
                return await self._starttls()
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
        settings = self.shared.settings
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

    async def _starttls(self) -> str:
        """The reply to the command behind the handshake. What was said before it counts no more (RFC 3207 section 4.2)."""
        settings = self.shared.settings
        if self.encrypted:
            return replies.SEQUENCE
        if settings.tls is None:
            return "502 5.5.1 TLS is not offered"
        self.channel.say("220 2.0.0 Go ahead")
        self.channel.forget_input()
        await self.channel.flush()
        async with asyncio.timeout(settings.handshake_ms / 1_000):
            await self.encrypt()
        self.channel.forget_input()
        self.encrypted = True
        self._helo, self._key, self._open = "", None, None
        return await self._next()

    async def _auth(self, argument: str) -> str:
        settings = self.shared.settings
        if not (self.encrypted or settings.plaintext_auth):
            return "538 5.7.11 Encryption is required"
        if not self._helo or self._key is not None or self._open is not None:
            return replies.SEQUENCE
        try:
            self._key = await self.shared.login.prove(argument, self.client, self._ask)
        except LoginError as error:
            self._login_failures += error.wrong
            if self._login_failures < settings.max_login_failures:
                return error.reply
            self.channel.say(error.reply)
            return "421 4.7.0 Too many wrong credentials"
        except BadLineError as error:
            return self._bad_line(error)
        return WELCOME

    async def _ask(self, challenge: str) -> bytes:
        self.channel.say(f"334 {challenge}")
        return await self.channel.line(self._wait_ms())

    def _mail(self, argument: str) -> str:
        if not self._helo or self._open is not None:
            return replies.SEQUENCE
        if self._messages >= self.shared.settings.max_messages:
            return "421 4.7.0 Too many messages in one session"
        begun = begin(argument, self._key, self.shared.services, self.shared.settings)
        if isinstance(begun, str):
            return begun
        self._open = begun
        return SENDER_OK

    async def _data(self, argument: str) -> str:
        transaction, settings = self._open, self.shared.settings
        if argument:
            return replies.SYNTAX
        if transaction is None or not transaction.recipients:
            return "554 5.5.1 No valid recipients" if transaction and transaction.refused else replies.SEQUENCE
        self.channel.say("354 End with CR LF . CR LF")
        await self.channel.flush()
        self._open = None
        self._messages += 1
        async with asyncio.timeout(settings.data_ms / 1_000):
            raw = await self.channel.message(settings.max_message, self.shared.room)
        read_s = self.now_s()
        if isinstance(raw, str):
            reply, octets = raw, 0
        else:
            reply, octets = await transaction.take(raw, self.client, self._helo), len(raw)
        self.shared.services.meter.message(int(reply[:3]), octets, self.now_s() - read_s)
        return reply

    def _wait_ms(self) -> int:
        """How long the client may take for its next line: less before it has authenticated."""
        settings = self.shared.settings
        if self._key is not None or self.shared.services.inbound is not None:
            return settings.idle_ms
        spent_ms = int((self.now_s() - self.began_s) * 1_000)
        return max(1, min(settings.idle_ms, settings.login_ms - spent_ms))
