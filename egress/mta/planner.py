"""How a mail goes: by which route, from which source, with how much TLS, within which limits."""

from dataclasses import dataclass, replace

from egress.mta.config import MtaConfig
from egress.mta.errors import RouteError
from egress.mta.mx import MxResolver
from egress.mta.posture import Posture
from egress.mta.shaper import Shaper
from egress.mta.site import Route, Site
from egress.mta.sources import Source, preferred
from egress.mta.sts_cache import StsPolicies

NEEDS_ENCRYPTION = "5.7.10"


@dataclass(slots=True)
class Planner:
    """Asks DNS, the domain's policies and the shaper; without `sts` no domain is asked for its MTA-STS policy."""

    config: MtaConfig
    resolver: MxResolver
    shaper: Shaper
    sts: StsPolicies | None

    async def site(self, domain: str, key: str, *, require_tls: bool = False, tls_optional: bool = False) -> Site:
        """The site for a mail to `domain` (A-labels); `key` names the message, whose retries leave from the same source.

        `require_tls` as in RFC 8689 section 4.2.1; `tls_optional` when the sender would rather have it arrive than encrypted
        (section 5). Raises RouteError.
        """
        route = await self.resolver.route(domain)
        posture = self.config.posture(domain)
        if not posture.told and not route.fixed:
            posture = await self._asked(domain, tls_optional=tls_optional)
        if require_tls:
            posture = replace(posture, require=True)
            proved = route.secure or route.fixed or (posture.sts is not None and posture.sts.mode == "enforce")
            if not proved:
                raise RouteError(
                    NEEDS_ENCRYPTION,
                    "REQUIRETLS, and nothing proves which hosts take the domain's mail",
                    permanent=True,
                )
        limits = self.config.limits(route.provider, fixed=route.fixed)
        return Site(route, self._source(route, key), posture, limits, domain)

    async def _asked(self, domain: str, *, tls_optional: bool) -> Posture:
        if tls_optional:
            return Posture(told=True)
        return Posture(sts=await self.sts.policy(domain) if self.sts is not None else None)

    def _source(self, route: Route, key: str) -> Source:
        """The message's own source, or the next that is not suspended there."""
        sources = self.config.own_sources
        if len(sources) == 1:
            return sources[0]
        order = preferred(sources, key)
        return next((one for one in order if not self.shaper.is_suspended((one.name, route.group))), order[0])
