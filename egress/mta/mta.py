"""The mail way out: an attempt that is due becomes a signed mail at its recipient's host, and its outcome comes back."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace

from domain.delivery import AttemptDue, Failed, Outcome
from egress.mta import verp
from egress.mta.config import MtaConfig, check
from egress.mta.delivery import CONNECTING, Delivery, learned
from egress.mta.dial import Dialer
from egress.mta.dkim import DkimSigner
from egress.mta.errors import RouteError, StaleError
from egress.mta.extras import NOTHING, ExtrasOf
from egress.mta.lookup import Dns, DnsPython
from egress.mta.mailbox import BAD_SENDER, AddressError, Mailbox, parse_mailbox
from egress.mta.mime import Mail, MimeError, build
from egress.mta.mx import MxResolver
from egress.mta.planner import Planner
from egress.mta.pool import CLOSING, Pool
from egress.mta.shaper import BUSY, SUSPENDED, Shaper
from egress.mta.site import Site
from egress.mta.smtp import Envelope
from egress.mta.sts_cache import StsPolicies
from egress.mta.sts_fetch import fetch
from egress.mta.tls_report import TlsReport

BAD_CONTENT = "5.6.0"

_EXPIRED = Failed(permanent=True, code="5.4.7", detail="expired before it could be sent")


class Mta:
    """Sends mail straight to the recipients' hosts; `send` never raises for what a peer does.

    `return_path` gives the envelope's sender for an attempt; without it that is VERP when the configuration says so, else
    the sender itself. `extras` gives what a mail has besides its texts. `tell` hears of each hand-over. `signer` can be
    given so that its keys can be changed; `report` counts TLS by domain. `dns` and `sts` are asked in place of the real ones.
    """

    def __init__(
        self,
        config: MtaConfig,
        *,
        dns: Dns | None = None,
        sts: StsPolicies | None = None,
        signer: DkimSigner | None = None,
        report: TlsReport | None = None,
        return_path: Callable[[AttemptDue], str] | None = None,
        extras: ExtrasOf | None = None,
        tell: Callable[[Delivery], None] | None = None,
        clock_ms: Callable[[], int] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        check(config)
        self._clock_ms = clock_ms or _wall_clock_ms
        self._config = config
        self._return_path = return_path or _return_path(config)
        self._extras = extras
        self._tell = tell
        self._chance = chance
        self._signer = signer or DkimSigner(config.dkim_keys, config.platform_domain)
        self.report = report or TlsReport()
        self._shaper = Shaper(self._clock_ms)
        names = dns or DnsPython(config.nameservers, config.timeouts.dns_ms, validated=config.dane)
        resolver = MxResolver(
            config.mx_overrides, names, self._clock_ms, config.hostname,
            allow_private=config.allow_private, dane=config.dane, port=config.smtp_port,
            providers=config.providers,
        )  # fmt: skip
        if sts is None and config.mta_sts:
            sts = StsPolicies(names.txt, fetch, self._clock_ms, self.report)
        self._planner = Planner(config, resolver, self._shaper, sts)
        dialer = Dialer(config, self._clock_ms, chance, self.report)
        self._pool = Pool(config, dialer.dial, self._clock_ms, self._shaper)
        self._in_flight = asyncio.Semaphore(config.max_in_flight)
        self._sending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closing = asyncio.Event()

    async def send(self, attempt: AttemptDue) -> Outcome:
        """Hand `attempt` to its recipient's host and tell what became of it.

        Sent (delivered, the peer's queue id or our Message-ID) after the peer took the message; Failed with an enhanced
        status code, or the reply code where the peer gave none, and for a failure for now with the time to wait; Unknown
        when the whole message was written and the verdict did not come.
        """
        if self._closing.is_set():
            return Failed(permanent=False, code=CLOSING, detail="shutting down")
        self._sending += 1
        self._quiet.clear()
        try:
            async with self._in_flight:
                return self._told(await self._send(attempt))
        finally:
            self._sending -= 1
            if not self._sending:
                self._quiet.set()

    async def close(self) -> None:
        """Take no more, let what is under way end within `close_grace_ms`, cut what is not, close every connection."""
        self._closing.set()
        self._pool.close_idle()
        try:
            async with asyncio.timeout(self._config.close_grace_ms / 1_000):
                await self._quiet.wait()
        except TimeoutError:
            self._pool.abort_lent()
        self._pool.close_idle()

    def _told(self, done: Delivery) -> Outcome:
        """The outcome, with the time to wait where it is due."""
        outcome = done.outcome
        if isinstance(outcome, Failed) and not outcome.permanent and outcome.code != CLOSING:
            left_ms = done.attempt.expires_at_ms - self._clock_ms()
            wait_ms = self._config.retry.after(
                outcome, attempt=done.attempt.attempt, left_ms=left_ms, chance=self._chance()
            )
            outcome = replace(outcome, retry_after_ms=wait_ms)
        if self._tell is not None:
            self._tell(replace(done, outcome=outcome))
        return outcome

    async def _send(self, attempt: AttemptDue) -> Delivery:
        if self._clock_ms() >= attempt.expires_at_ms:
            return Delivery(attempt, _EXPIRED)
        extras = self._extras(attempt) if self._extras is not None else NOTHING
        try:
            mail = build(attempt, extras, now_ms=self._clock_ms())
            sender = mail.sender
            if self._return_path is not None:
                sender = parse_mailbox(self._return_path(attempt), BAD_SENDER)
        except AddressError as error:
            return Delivery(attempt, Failed(permanent=True, code=error.code, detail=error.detail))
        except MimeError as error:
            return Delivery(attempt, Failed(permanent=True, code=BAD_CONTENT, detail=str(error)))
        tls_optional = any(
            name.lower() == "tls-required" and value.strip().lower() == "no" for name, value in attempt.headers.items()
        )
        site: Site | None = None
        try:
            site = await self._planner.site(
                mail.recipient.domain, attempt.message_id, require_tls=extras.require_tls, tls_optional=tls_optional
            )
            return await self._hand_over(attempt, mail, self._envelope(mail, sender, site), site)
        except RouteError as error:
            held_back = error.reply is None and error.code in (BUSY, SUSPENDED)
            failed = Failed(error.permanent, error.code, error.detail, error.retry_after_ms, untried=held_back)
            refusal = (error.reply, CONNECTING) if error.reply is not None else None
            return learned(self._shaper, attempt, failed, site, refusal)

    async def _hand_over(self, attempt: AttemptDue, mail: Mail, envelope: Envelope, site: Site) -> Delivery:
        for fresh in (False, True):
            async with self._pool.lease(site, attempt.tenant_id, fresh=fresh) as connection:
                if self._clock_ms() >= attempt.expires_at_ms:
                    return Delivery(attempt, _EXPIRED)
                try:
                    outcome = await connection.deliver(envelope, self._signed(mail))
                except StaleError:
                    continue
                return learned(self._shaper, attempt, outcome, site, connection.refusal)
        stale = Failed(permanent=False, code="4.4.2", detail="connections are closed before they answer")
        return learned(self._shaper, attempt, stale, site, None)

    def _signed(self, mail: Mail) -> bytes:
        now_s = self._clock_ms() // 1_000
        return mail.message(self._signer.sign(mail.fields, mail.body, mail.sender.domain, now_s=now_s))

    def _envelope(self, mail: Mail, sender: Mailbox, site: Site) -> Envelope:
        utf8 = mail.needs_utf8 or sender.needs_utf8
        return Envelope(sender, mail.recipient, mail.message_id, utf8, site.posture.require)


def _return_path(config: MtaConfig) -> Callable[[AttemptDue], str] | None:
    """Envelope senders that name their attempt, when the configuration wants them."""
    domain, secret = config.return_path_domain, config.return_path_secret
    if not domain:
        return None

    def named(attempt: AttemptDue) -> str:
        if not verp.can_name(attempt.message_id, attempt.attempt):
            return attempt.sender
        return f"{verp.LOCAL_PREFIX}{verp.encode(attempt.message_id, attempt.attempt, secret)}@{domain}"

    return named


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000
