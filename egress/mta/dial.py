"""Opens a session with a site: its hops in order of preference, each with the TLS that is asked for there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ssl import SSLContext

import structlog

from egress.mta.config import MtaConfig
from egress.mta.dane import proves
from egress.mta.errors import RouteError, TlsError, WireError
from egress.mta.posture import Demand, demand_of
from egress.mta.site import Hop, Site
from egress.mta.smtp import NO_TLS, Connection, connect
from egress.mta.tls import unverified_context, verified_context
from egress.mta.tls_report import Failure, Policy, TlsReport
from egress.mta.wire import BAD_TLS

MAX_HOPS = 5  # addresses tried for one mail
MAX_BROKEN_TLS = 10_000
NO_REQUIRETLS = "5.7.30"  # RFC 8689 section 7

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Dialer:
    """Makes connections; remembers which hops cannot do TLS, so that opportunistic mail goes plain there for a while.

    `chance` orders hosts of equal preference.
    """

    config: MtaConfig
    clock_ms: Callable[[], int]
    chance: Callable[[], float]
    report: TlsReport
    _broken_tls: dict[Hop, int] = field(default_factory=dict)
    _unverified: SSLContext = field(init=False)
    _verified: SSLContext | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._unverified = unverified_context()
        if "verify" in self.config.tls.values():
            self._verified = verified_context(self.config.tls_ca_file)

    async def dial(self, site: Site) -> Connection:
        """A greeted connection to the first hop that gives one. Raises RouteError: permanent only when every hop said so."""
        failure: RouteError | None = None
        for hop in self._in_turn(site)[:MAX_HOPS]:
            try:
                return await self._open(hop, site)
            except RouteError as error:
                if failure is None or failure.permanent:
                    failure = error
        raise failure or RouteError("4.4.4", "no host has an address of the source's family", permanent=False)

    def _in_turn(self, site: Site) -> list[Hop]:
        """The hops by preference, equals in random order (RFC 5321 section 5.1), of the family that the source is bound to."""
        hops = site.route.hops
        if len(hops) == 1:
            return list(hops)
        family = site.source.family
        fitting = [hop for hop in hops if not family or (":" in hop.address) == (family == 6)]
        return sorted(fitting, key=lambda hop: (hop.preference, self.chance()))

    async def _open(self, hop: Hop, site: Site) -> Connection:
        demand = demand_of(hop.name, hop.tlsa, site.posture)
        provider = site.route.provider
        if demand == "opportunistic" and provider is not None and provider.needs_tls and not site.posture.told:
            demand = "encrypt"
        if demand == "refuse":
            self._failed(hop, site, TlsError(BAD_TLS, "not listed by the domain's MTA-STS policy"))
            raise RouteError(BAD_TLS, f"{hop}: not listed by the domain's MTA-STS policy", permanent=False)
        if demand == "testing":
            try:
                return await self._counted(hop, "verify", site)
            except TlsError as error:
                self._failed(hop, site, error)
            demand = "opportunistic"
        if demand == "opportunistic" and self._broken_tls.get(hop, 0) > self.clock_ms():
            demand = "none"
        try:
            return await self._counted(hop, demand, site)
        except TlsError as error:
            self._failed(hop, site, error)
            if demand != "opportunistic":
                raise RouteError(error.code, f"{hop}: {error.detail}", permanent=False) from error
            log.info("mta.tls_broken", host=hop.name, reason=error.detail)
            self._remember_broken(hop)
            return await self._attempt(hop, "none", site)

    async def _counted(self, hop: Hop, demand: Demand, site: Site) -> Connection:
        connection = await self._attempt(hop, demand, site)
        if connection.encrypted and not site.posture.told and not site.route.fixed:
            self.report.succeeded(site.domain, _policy(hop, site))
        return connection

    async def _attempt(self, hop: Hop, demand: Demand, site: Site) -> Connection:
        """A greeted connection under `demand`. Raises RouteError, and TlsError unless it is `none`."""
        connection = await connect(hop, self.config.timeouts, site.source.address)
        done = False
        try:
            await connection.greet(site.source.ehlo)
            if demand != "none":
                await self._encrypt(connection, demand)
            if connection.encrypted:
                await connection.hello(site.source.ehlo)
            if site.posture.require and not connection.offers("REQUIRETLS"):
                raise RouteError(NO_REQUIRETLS, f"{hop}: REQUIRETLS is not offered", permanent=True)
            done = True
        except WireError as error:
            raise RouteError(error.code, f"{hop}: {error.detail}", permanent=False) from error
        finally:
            if not done:
                connection.abort()
        return connection

    async def _encrypt(self, connection: Connection, demand: Demand) -> None:
        if not connection.offers("STARTTLS"):
            if demand != "opportunistic":
                raise TlsError(NO_TLS, "STARTTLS is required and not offered", "starttls-not-supported")
            return
        try:
            await connection.start_tls(self._trusting() if demand == "verify" else self._unverified)
        except WireError as error:
            raise TlsError(BAD_TLS, f"STARTTLS: {error.detail}") from error
        except TlsError as error:
            if demand != "opportunistic" or error.code != NO_TLS:
                raise
        hop = connection.hop
        if demand == "dane":
            now = datetime.fromtimestamp(self.clock_ms() / 1_000, UTC)
            if not proves(hop.tlsa or (), connection.chain, hop.name, now):
                raise TlsError(BAD_TLS, "the certificate is not that of the TLSA records")

    def _trusting(self) -> SSLContext:
        if self._verified is None:
            self._verified = verified_context(self.config.tls_ca_file)
        return self._verified

    def _failed(self, hop: Hop, site: Site, error: TlsError) -> None:
        if not site.posture.told and not site.route.fixed:
            failure = Failure(error.result, hop.name, site.source.address, hop.address)
            self.report.failed(site.domain, _policy(hop, site), failure)

    def _remember_broken(self, hop: Hop) -> None:
        while len(self._broken_tls) >= MAX_BROKEN_TLS:
            del self._broken_tls[next(iter(self._broken_tls))]
        self._broken_tls[hop] = self.clock_ms() + self.config.broken_tls_ms


def _policy(hop: Hop, site: Site) -> Policy:
    """The policy that a session with `hop` is held to, as a report tells it."""
    if hop.tlsa is not None:
        return Policy("tlsa", hop.name, tuple(record.text for record in hop.tlsa))
    sts = site.posture.sts
    if sts is None:
        return Policy("no-policy-found", site.domain)
    return Policy("sts", site.domain, sts.lines, sts.hosts)
