"""Opens a session with a site: its hops in order of preference, each with the TLS that the policy asks for."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from egress.mta.config import MtaConfig, TlsPolicy
from egress.mta.errors import ConfigError, RouteError, TlsError, WireError
from egress.mta.site import Hop, Site
from egress.mta.smtp import NO_TLS, Connection, connect
from egress.mta.wire import BAD_TLS

MAX_HOPS = 5  # addresses tried for one mail
MAX_BROKEN_TLS = 10_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Dialer:
    """Makes connections; remembers which hops cannot do TLS, so that opportunistic mail goes plain there for a while."""

    config: MtaConfig
    clock_ms: Callable[[], int]
    _broken_tls: dict[Hop, int] = field(default_factory=dict)
    _turn: int = 0
    _unverified: ssl.SSLContext = field(init=False)
    _verified: ssl.SSLContext | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._unverified = unverified_context()
        if "verify" in self.config.tls.values():
            self._verified = verified_context(self.config.tls_ca_file)

    async def dial(self, site: Site) -> Connection:
        """A greeted connection to the first hop that gives one. Raises RouteError: permanent only when every hop said so."""
        failure: RouteError | None = None
        for hop in self._in_turn(site.hops)[:MAX_HOPS]:
            try:
                return await self._open(hop, site.tls)
            except RouteError as error:
                if failure is None or failure.permanent:
                    failure = error
        raise failure or RouteError("4.4.4", "no host to try", permanent=False)

    def _in_turn(self, hops: tuple[Hop, ...]) -> list[Hop]:
        """The hops by preference; equals take turns, which spreads load as a shuffle does (RFC 5321 section 5.1)."""
        self._turn += 1
        places = sorted(range(len(hops)), key=lambda at: (hops[at].preference, (at + self._turn) % len(hops)))
        return [hops[at] for at in places]

    async def _open(self, hop: Hop, policy: TlsPolicy) -> Connection:
        plain = policy == "none" or (policy == "opportunistic" and self._broken_tls.get(hop, 0) > self.clock_ms())
        try:
            return await self._attempt(hop, "none" if plain else policy)
        except TlsError as error:
            if policy != "opportunistic":
                raise RouteError(error.code, f"{hop}: {error.detail}", permanent=False) from error
            log.info("mta.tls_broken", host=hop.name, reason=error.detail)
            self._remember_broken(hop)
            return await self._attempt(hop, "none")

    async def _attempt(self, hop: Hop, policy: TlsPolicy) -> Connection:
        """A greeted connection under `policy`. Raises RouteError, and TlsError unless the policy is `none`."""
        connection = await connect(hop, self.config.timeouts, self.config.source_address)
        done = False
        try:
            await connection.greet(self.config.hostname)
            if policy != "none":
                await self._encrypt(connection, policy)
            done = True
        except WireError as error:
            raise RouteError(error.code, f"{hop}: {error.detail}", permanent=False) from error
        finally:
            if not done:
                connection.abort()
        return connection

    async def _encrypt(self, connection: Connection, policy: TlsPolicy) -> None:
        must = policy in ("encrypt", "verify")
        if not connection.offers("STARTTLS"):
            if must:
                raise TlsError(NO_TLS, "STARTTLS is required and not offered")
            return
        context = self._verified if policy == "verify" else self._unverified
        if context is None:
            raise ConfigError("a verifying policy without a trust store")
        try:
            await connection.start_tls(context, self.config.hostname)
        except WireError as error:
            raise TlsError(BAD_TLS, f"STARTTLS: {error.detail}") from error
        except TlsError as error:
            if must or error.code != NO_TLS:
                raise

    def _remember_broken(self, hop: Hop) -> None:
        while len(self._broken_tls) >= MAX_BROKEN_TLS:
            del self._broken_tls[next(iter(self._broken_tls))]
        self._broken_tls[hop] = self.clock_ms() + self.config.broken_tls_ms


def unverified_context() -> ssl.SSLContext:
    """TLS 1.2 or newer against eavesdroppers only: opportunistic TLS promises no more (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def verified_context(ca_file: str) -> ssl.SSLContext:
    """TLS 1.2 or newer with the chain and the name checked. Raises ConfigError for a bad `ca_file`."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ConfigError(f"trust store {ca_file!r} cannot be read") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
