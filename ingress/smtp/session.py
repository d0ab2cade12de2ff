"""One connection on aiosmtpd's protocol; what is said on it is a Dialogue of ours.

aiosmtpd gives the life of the connection, the streams and the handshake of STARTTLS. Its command loop and its DATA are not
used: they take a bare LF as the end of a command and keep bare CR and LF in a message, know no limits for recipients and
errors, and read a message line by line.
"""

import asyncio
from collections import defaultdict
from typing import Final, cast

import structlog
from aiosmtpd.smtp import SMTP, TLSSetupException

from ingress.smtp import replies
from ingress.smtp.channel import Channel, EndError
from ingress.smtp.dialogue import Dialogue
from ingress.smtp.shared import Shared

STREAM_OCTETS: Final = 64 * 1024

_log = structlog.get_logger("ingress.smtp")


class SmtpSession(SMTP):
    """Serves one client until it leaves, errs too often or is asked to end."""

    line_length_limit = STREAM_OCTETS  # how much a stream holds back; Channel has the limits for lines

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        settings = shared.settings
        self.command_size_limits = defaultdict(int)  # aiosmtpd's own is one for all sessions
        super().__init__(
            object(),
            hostname=settings.hostname,
            tls_context=settings.tls,
            timeout=settings.session_ms / 1_000,
            loop=loop,
        )
        self._shared = shared
        self._client = ""
        self._entered = False
        self._dialogue: Dialogue | None = None

    @property
    def task(self) -> "asyncio.Task[None]":
        """What serves the client; there is one from `connection_made` on."""
        return cast("asyncio.Task[None]", self._handler_coroutine)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve; after STARTTLS the same connection is made once more."""
        again = self.transport is not None
        super().connection_made(transport)
        if not again:
            peer = transport.get_extra_info("peername")
            self._client = str(peer[0]) if isinstance(peer, tuple) else ""
            self._entered = self._shared.enter(self, self._client)
            self.task.add_done_callback(self._ended)

    def eof_received(self) -> bool | None:
        """The client sends no more: what it sent is answered before we close."""
        keep_open: bool | None = super(SMTP, self).eof_received()
        return keep_open and self._tls_protocol is None

    def leave(self, *, at_once: bool) -> None:
        """End: when a command is waited for, otherwise after the reply that is owed, or `at_once`."""
        if self._dialogue is not None:
            self._dialogue.leaving = True
        if at_once and self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()
        elif self._dialogue is not None and self._dialogue.idle:
            self.task.cancel()

    async def _handle_client(self) -> None:
        """Serve; aiosmtpd runs this in a task of the connection's."""
        channel = Channel(self._reader, self._writer, self._shared.settings.write_ms)
        outcome = "lost"
        try:
            outcome = await self._serve(channel)
            await channel.flush()
        except (EndError, ConnectionError, TLSSetupException):
            outcome = "lost"
        except TimeoutError:
            outcome = "timed_out"
            self._writer.write(replies.TOO_SLOW.encode() + b"\r\n")
        except asyncio.CancelledError:
            if self.transport is None or not (self._dialogue and self._dialogue.leaving):
                raise
            outcome = "closed"
            self._writer.write(replies.SHUT_DOWN.encode() + b"\r\n")
        finally:
            self._shared.services.meter.session(outcome)
            self._writer.close()

    async def _serve(self, channel: Channel) -> str:
        if not self._entered:
            channel.say("421 4.7.0 Too many connections")
            return "refused"
        encrypted = self._writer.get_extra_info("sslcontext") is not None
        now_s = self.loop.time
        self._dialogue = Dialogue(self._shared, channel, self._client, encrypted, self._encrypt, now_s(), now_s)
        return await self._dialogue.run()

    async def _encrypt(self) -> None:
        """Make the handshake; aiosmtpd forgets what was sent in plain text before it (RFC 3207 section 6)."""
        await self.smtp_STARTTLS("")

    async def push(self, status: str | bytes) -> None:
        """Aiosmtpd's own replies are not sent: the one to STARTTLS has been."""

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._entered:
            self._shared.left(self, self._client)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._shared.services.meter.session("crashed")
            _log.error("smtp.session_crashed", client=self._client, exc_info=error)
        if self.transport is not None:
            self.transport.close()
