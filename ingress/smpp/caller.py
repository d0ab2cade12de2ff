"""Who is bound: what the handlers of requests know of a session."""

from dataclasses import dataclass

from domain.tenant import ApiKey
from ingress.smpp.settings import AccountProfile


@dataclass(frozen=True, slots=True)
class Caller:
    """A bound ESME; `interface_version` is what it said in its bind."""

    key: ApiKey
    system_id: str
    interface_version: int
    profile: AccountProfile

    @property
    def tenant_id(self) -> str:
        """Whose messages these are."""
        return self.key.tenant_id
