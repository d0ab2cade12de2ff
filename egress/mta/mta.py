"""The mail way out: an attempt that is due becomes a signed mail at its recipient's host, and its outcome comes back."""

import asyncio
import time
from collections.abc import Callable

from domain.delivery import AttemptDue, Failed, Outcome
from egress.mta.config import MtaConfig
from egress.mta.dial import Dialer
from egress.mta.dkim import DkimSigner
from egress.mta.errors import ConfigError, RouteError, StaleError
from egress.mta.lookup import DnsPython
from egress.mta.mailbox import BAD_SENDER, AddressError, Mailbox, ascii_domain_of, parse_mailbox
from egress.mta.mime import Mail, MimeError, build
from egress.mta.mx import MxResolver
from egress.mta.pool import CLOSING, Pool
from egress.mta.site import Site

BAD_CONTENT = "5.6.0"

_EXPIRED = Failed(permanent=True, code="5.4.7", detail="expired before it could be sent")


class Mta:
    """Sends mail straight to the recipients' hosts; `send` never raises for what a peer does.

    `return_path` gives the envelope's sender for an attempt (VERP); without it the sender itself is used.
    """

    def __init__(
        self,
        config: MtaConfig,
        *,
        resolver: MxResolver | None = None,
        return_path: Callable[[AttemptDue], str] | None = None,
        clock_ms: Callable[[], int] | None = None,
    ) -> None:
        _check(config)
        self._clock_ms = clock_ms or _wall_clock_ms
        self._config = config
        self._return_path = return_path
        self._signer = DkimSigner(config.dkim_keys)
        self._resolver = resolver or MxResolver(
            config.mx_overrides,
            DnsPython(config.nameservers, config.timeouts.dns_ms),
            self._clock_ms,
            own_name=config.hostname,
        )
        self._pool = Pool(config, Dialer(config, self._clock_ms).dial, self._clock_ms)
        self._in_flight = asyncio.Semaphore(config.max_in_flight)
        self._sending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closed = False

    async def send(self, attempt: AttemptDue) -> Outcome:
        """Hand `attempt` to its recipient's host and tell what became of it.

        Sent (delivered, the peer's queue id or our Message-ID) after the peer took the message; Failed with an enhanced
        status code, or the reply code where the peer gave none; Unknown when the whole message was written and the
        verdict did not come.
        """
        if self._closed:
            return Failed(permanent=False, code=CLOSING, detail="shutting down")
        self._sending += 1
        self._quiet.clear()
        try:
            async with self._in_flight:
                return await self._send(attempt)
        finally:
            self._sending -= 1
            if not self._sending:
                self._quiet.set()

    async def close(self) -> None:
        """Take no more, let what is under way end within `close_grace_ms`, cut what is not, close every connection."""
        self._closed = True
        self._pool.close_idle()
        try:
            async with asyncio.timeout(self._config.close_grace_ms / 1_000):
                await self._quiet.wait()
        except TimeoutError:
            self._pool.abort_lent()
        self._pool.close_idle()

    async def _send(self, attempt: AttemptDue) -> Outcome:
        if self._clock_ms() >= attempt.expires_at_ms:
            return _EXPIRED
        try:
            mail = build(attempt, now_ms=self._clock_ms())
            envelope_sender = mail.sender
            if self._return_path is not None:
                envelope_sender = parse_mailbox(self._return_path(attempt), BAD_SENDER)
        except AddressError as error:
            return Failed(permanent=True, code=error.code, detail=error.detail)
        except MimeError as error:
            return Failed(permanent=True, code=BAD_CONTENT, detail=str(error))
        try:
            domain = mail.recipient.domain
            site = Site(await self._resolver.hops(domain), self._config.tls_policy(domain))
            return await self._hand_over(attempt, mail, envelope_sender, site)
        except RouteError as error:
            return Failed(error.permanent, error.code, error.detail, retry_after_ms=error.retry_after_ms)

    async def _hand_over(self, attempt: AttemptDue, mail: Mail, envelope_sender: Mailbox, site: Site) -> Outcome:
        for fresh in (False, True):
            async with self._pool.lease(site, fresh=fresh) as connection:
                if self._clock_ms() >= attempt.expires_at_ms:
                    return _EXPIRED
                try:
                    message = self._signed(mail)
                    return await connection.deliver(envelope_sender, mail.recipient, mail.message_id, message)
                except StaleError:
                    continue
        return Failed(permanent=False, code="4.4.2", detail="connections are closed before they answer")

    def _signed(self, mail: Mail) -> bytes:
        now_s = self._clock_ms() // 1_000
        return mail.message(self._signer.sign(mail.fields, mail.body, mail.sender.domain, now_s=now_s))


def _check(config: MtaConfig) -> None:
    """Raises ConfigError for what could not work."""
    try:
        ascii_domain_of(config.hostname)
    except AddressError as error:
        raise ConfigError(f"host name {config.hostname!r}: {error.detail}") from error
    if min(config.connections_per_host, config.max_messages_per_connection, config.max_in_flight) < 1:
        raise ConfigError("the limits of connections and messages must be positive")


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000
