"""The tenants' credentials: made once, kept with the state in a private file, shown in the ready file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingress.seed_values import Planted, Seed, SeedEndpoint, SeedKey, SeedLogin
from streams.private import read_json, write_json
from streams.settings.identity import login_name, tenant_id
from streams.settings.model import Settings
from streams.settings.resolve import routes, tenant, tenant_settings
from streams.settings.tenants import TenantSettings

SOURCE = "settings"
LIVE, TEST = "live", "test"
ENDPOINT = "default"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The file `credentials.json` of a state directory, by tenant id."""

    path: Path

    @classmethod
    def of(cls, state: Path) -> "Credentials":
        """Those of a state directory."""
        return cls(state / "credentials.json")

    def read(self) -> dict[str, dict[str, Any]]:
        """All that is kept; ConfigError for a damaged file, which is not replaced."""
        return read_json(self.path)

    def keep(self, found: dict[str, dict[str, Any]]) -> None:
        """Keep these, next to those of tenants that are not named any more."""
        write_json(self.path, {**self.read(), **found})

    def shown(self, settings: Settings) -> list[dict[str, Any]]:
        """What the ready file lists: the tenants of the settings, in their order."""
        kept = self.read()
        ids = [tenant_id(wanted.name) for wanted in tenant_settings(settings)]
        return [kept[one] for one in ids if one in kept]


def seed_of(settings: Settings, kept: dict[str, dict[str, Any]]) -> Seed:
    """What is to be planted: tenants with a live and a test key, one SMPP and one SMTP log-in each, and the routes."""
    keys: list[SeedKey] = []
    logins: list[SeedLogin] = []
    endpoints: list[SeedEndpoint] = []
    wanted = tenant_settings(settings)
    for one in wanted:
        who = tenant_id(one.name)
        known = kept.get(who, {})
        keys.append(SeedKey(who, LIVE, secret=known.get("api_key", "")))
        keys.append(SeedKey(who, TEST, test=True, secret=known.get("test_api_key", "")))
        user = login_name(one.name)
        logins.append(SeedLogin("smpp", who, user, LIVE, known.get("smpp", {}).get("password", "")))
        logins.append(SeedLogin("smtp", who, user, LIVE, known.get("smtp", {}).get("password", "")))
        if one.webhook_url:
            secret = known.get("webhook", {}).get("secret", "")
            endpoints.append(SeedEndpoint(who, ENDPOINT, one.webhook_url, secret))
    return Seed(SOURCE, tuple(map(tenant, wanted)), tuple(keys), tuple(logins), tuple(endpoints), routes(settings))


def credentials_of(tenants: Sequence[TenantSettings], planted: Planted) -> dict[str, dict[str, Any]]:
    """What to keep and to show of each tenant, by id."""
    found: dict[str, dict[str, Any]] = {}
    for one in tenants:
        who, user = tenant_id(one.name), login_name(one.name)
        entry: dict[str, Any] = {
            "name": one.name,
            "tier": one.tier,
            "tenant_id": who,
            "api_key": planted.key_secrets[who, LIVE],
            "test_api_key": planted.key_secrets[who, TEST],
            "smpp": {"system_id": user, "password": planted.login_secrets["smpp", user]},
            "smtp": {"user": user, "password": planted.login_secrets["smtp", user]},
        }
        if one.webhook_url:
            entry["webhook"] = {"url": one.webhook_url, "secret": planted.endpoint_secrets[who, ENDPOINT]}
        found[who] = entry
    return found
