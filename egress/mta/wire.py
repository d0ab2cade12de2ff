"""One TCP connection that speaks SMTP lines: replies read in order, blocks written with back-pressure, TLS on request."""

import asyncio
import ssl
from collections import deque
from typing import cast

from egress.mta.errors import TlsError, WireError
from egress.mta.replies import Reply, ReplyError, ReplyParser
from egress.mta.tls_report import ResultType
from egress.mta.verdicts import GARBLED

BLOCK_BYTES = 64 * 1024
MAX_UNREAD_REPLIES = 16
CLOSE_WITHIN_S = 5.0
LOST, SLOW, BAD_TLS = "4.4.2", "4.4.2", "4.7.5"

_RESULTS: dict[int, ResultType] = {  # by OpenSSL's X509_V_ERR_*
    10: "certificate-expired", 62: "certificate-host-mismatch", 64: "certificate-host-mismatch",
}  # fmt: skip


class Wire(asyncio.Protocol):
    """The protocol of a connection; one caller at a time uses it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._error: WireError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writable = True

    @property
    def quiet(self) -> bool:
        """Whether the connection is up and the peer has said nothing that was not asked for."""
        return self._error is None and not self._replies and not self._parser.pending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Read replies; what is no reply ends the connection."""
        try:
            self._replies.extend(self._parser.feed(data))
        except ReplyError as error:
            self._fail(WireError(GARBLED, str(error)))
            self.abort()
            return
        if len(self._replies) > MAX_UNREAD_REPLIES:
            self._fail(WireError(GARBLED, "replies that nobody asked for"))
            self.abort()
            return
        self._wake()

    def eof_received(self) -> None:
        """Close our side too."""

    def connection_lost(self, _exc: Exception | None) -> None:
        """Whoever waits learns that the connection is gone."""
        self._fail(WireError(LOST, "connection lost", lost=True))

    def pause_writing(self) -> None:
        """The peer reads slower than we write."""
        self._writable = False

    def resume_writing(self) -> None:
        """The peer caught up."""
        self._writable = True
        self._wake()

    async def reply(self, timeout_ms: int, step: str) -> Reply:
        """The next reply. Raises WireError: lost, garbled, or slower than `timeout_ms`; `step` names what was asked."""
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                while not self._replies:
                    if self._error is not None:
                        raise self._error
                    await self._changed()
        except TimeoutError as error:
            raise WireError(SLOW, f"no answer to {step} in time") from error
        return self._replies.popleft()

    def write(self, data: bytes) -> None:
        """Queue `data` for the peer. Raises WireError when the connection is gone."""
        if self._error is not None or self._transport is None:
            raise self._error or WireError(LOST, "not connected", lost=True)
        self._transport.write(data)

    async def write_blocks(self, data: bytes, timeout_ms: int) -> bool:
        """Write `data` block by block, each within `timeout_ms`; the last block is only queued.

        False when the peer answered before the end and the rest was held back. Raises WireError, and then the last block was
        not written either.
        """
        for at in range(0, len(data), BLOCK_BYTES):
            if at and not self._replies:
                await self._drained(timeout_ms)
            if self._replies:
                return False
            self.write(data[at : at + BLOCK_BYTES])
        return True

    async def start_tls(self, context: ssl.SSLContext, server_name: str, timeout_ms: int) -> None:
        """Go on encrypted. Raises TlsError; a peer that sent plain text after its go-ahead gets no handshake (RFC 3207 6)."""
        if not self.quiet or self._transport is None:
            raise TlsError(BAD_TLS, "plain text after the answer to STARTTLS")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                transport = await loop.start_tls(self._transport, self, context, server_hostname=server_name)
        except (OSError, TimeoutError) as error:
            self.abort()
            if not isinstance(error, ssl.SSLCertVerificationError):
                raise TlsError(BAD_TLS, f"TLS handshake failed: {type(error).__name__}") from error
            result = _RESULTS.get(error.verify_code, "certificate-not-trusted")
            raise TlsError(BAD_TLS, f"TLS handshake failed: {error.verify_message}", result) from error
        if transport is None:
            raise TlsError(BAD_TLS, "TLS handshake failed: connection lost")
        self._transport = transport

    @property
    def chain(self) -> list[bytes]:
        """The peer's certificates in DER, its own first; empty without TLS."""
        tls = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        return chain_of(tls) if tls is not None else []

    @property
    def local_ip(self) -> str:
        """The address that the connection leaves from."""
        name = self._transport.get_extra_info("sockname") if self._transport is not None else None
        return str(name[0]) if name else ""

    def close(self, farewell: bytes = b"") -> None:
        """Close after what is queued and `farewell`; no answer is waited for."""
        if self._transport is not None and not self._transport.is_closing():
            if farewell:
                self._transport.write(farewell)
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self._transport.abort)

    def abort(self) -> None:
        """Close at once and forget what is queued."""
        if self._transport is not None:
            self._transport.abort()

    async def _drained(self, timeout_ms: int) -> None:
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                while not self._writable and not self._replies:
                    if self._error is not None:
                        raise self._error
                    await self._changed()
        except TimeoutError as error:
            raise WireError(SLOW, "the peer reads too slowly") from error

    async def _changed(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _fail(self, error: WireError) -> None:
        self._error = self._error or error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def chain_of(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates that the peer sent, unverified, in DER, its own first."""
    if public := getattr(tls, "get_unverified_chain", None):  # Python 3.13 has it
        return list(public() or ())
    private = getattr(getattr(tls, "_sslobj", None), "get_unverified_chain", None)
    if private is None:
        own = tls.getpeercert(binary_form=True)
        return [own] if own else []
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in private() or ()]
