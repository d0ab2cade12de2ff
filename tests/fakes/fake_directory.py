"""A directory in memory: what is written can be read at once."""

from dataclasses import dataclass, field, replace

from domain.cascade.rule import CascadeRule
from domain.ports import NewKey
from domain.tenant import ApiKey, Scope


@dataclass(slots=True)
class FakeDirectory:
    """Keys by their secret, rules by tenant and id; `asked` counts the questions about rules."""

    secrets: dict[str, ApiKey] = field(default_factory=dict)
    saved: dict[tuple[str, str], CascadeRule] = field(default_factory=dict)
    error: Exception | None = None
    asked: int = 0

    async def resolve(self, secret: str) -> ApiKey | None:
        """The key with this secret."""
        if self.error is not None:
            raise self.error
        return self.secrets.get(secret)

    async def create_key(
        self, tenant_id: str, label: str, scopes: tuple[Scope, ...], *, test: bool, expires_at_ms: int
    ) -> NewKey:
        """A key whose secret can be told from its number."""
        number = len(self.secrets) + 1
        key = ApiKey(f"key-{number}", tenant_id, label, scopes, test, expires_at_ms=expires_at_ms)
        secret = f"hk_{'test' if test else 'live'}_{number}"
        self.secrets[secret] = key
        return NewKey(key, secret)

    async def revoke_key(self, tenant_id: str, key_id: str) -> bool:
        """Marks the key."""
        for secret, key in self.secrets.items():
            if (key.tenant_id, key.key_id) == (tenant_id, key_id):
                self.secrets[secret] = replace(key, revoked=True)
                return True
        return False

    async def keys(self, tenant_id: str) -> tuple[ApiKey, ...]:
        """Newest first."""
        return tuple(key for key in reversed(self.secrets.values()) if key.tenant_id == tenant_id)

    async def save_rule(self, rule: CascadeRule) -> None:
        """Insert or replace."""
        self.saved[rule.tenant_id, rule.rule_id] = rule

    async def rules(self, tenant_id: str) -> tuple[CascadeRule, ...]:
        """By name."""
        self.asked += 1
        own = (rule for (owner, _), rule in self.saved.items() if owner == tenant_id)
        return tuple(sorted(own, key=lambda rule: rule.name))

    async def rule(self, tenant_id: str, rule_id: str) -> CascadeRule | None:
        """One."""
        self.asked += 1
        return self.saved.get((tenant_id, rule_id))
