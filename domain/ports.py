"""The ports: what the shell must offer to the ways in and out. An adapter is one file and inherits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.billing.money import Account
from domain.cascade.commands import StatusTold
from domain.cascade.rule import CascadeRule
from domain.cascade.states import Cascade
from domain.delivery import AttemptDue, Channel, Outcome
from domain.message import Submission
from domain.tenant import ApiKey, Route, Scope, Tenant
from domain.verdict import Verdict


class Desk(Protocol):
    """Where every way in hands its submissions over and gets answers from the pipeline.

    TransientError when no answer came in time: the client repeats with the same idempotency key and learns the truth.
    """

    @property
    def slot(self) -> int:
        """The verdict partition that answers are read from; each Submission carries it."""
        ...

    async def submit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """The verdicts, in the order of the submissions."""
        ...

    async def status(self, tenant_id: str, message_id: str) -> StatusTold:
        """The live state of a message; its `cascade` is None when the live table does not have it (any more)."""
        ...

    async def cancel(self, tenant_id: str, message_id: str) -> StatusTold:
        """Cancel a message; `done` False says that it is too late, with the reason."""
        ...

    async def account(self, tenant_id: str) -> Account:
        """The tenant's money now."""
        ...


class ConfigView(Protocol):
    """The configuration as far as this process has read it; `version` grows with every change."""

    @property
    def version(self) -> int:
        """How many changes have been read."""
        ...

    def tenant(self, tenant_id: str) -> Tenant | None:
        """A tenant."""
        ...

    def key(self, key_id: str) -> ApiKey | None:
        """An API key without its secret."""
        ...

    def rule(self, tenant_id: str, rule_id: str) -> CascadeRule | None:
        """A tenant's own rule."""
        ...

    def routes(self, channel: Channel, address: str, test: bool) -> tuple[Route, ...]:
        """The routes with the longest prefix of `address`; those for test keys when `test`."""
        ...


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `secret` is shown once and kept nowhere."""

    key: ApiKey
    secret: str


class Directory(Protocol):
    """Tenants, keys and rules, kept in PostgreSQL; each change is published to `hermes.config` through an outbox."""

    async def resolve(self, secret: str) -> ApiKey | None:
        """The key whose secret this is, revoked and expired ones included; None for no such key."""
        ...

    async def create_key(
        self, tenant_id: str, label: str, scopes: tuple[Scope, ...], *, test: bool, expires_at_ms: int
    ) -> NewKey:
        """Make a key; when this returns, the change is published."""
        ...

    async def revoke_key(self, tenant_id: str, key_id: str) -> bool:
        """Revoke a key of the tenant; False when there is none. Repeating it is fine."""
        ...

    async def keys(self, tenant_id: str) -> tuple[ApiKey, ...]:
        """The tenant's keys, newest first."""
        ...

    async def save_rule(self, rule: CascadeRule) -> None:
        """Insert or replace a rule; when this returns, the change is published."""
        ...

    async def rules(self, tenant_id: str) -> tuple[CascadeRule, ...]:
        """The tenant's rules, by name."""
        ...

    async def rule(self, tenant_id: str, rule_id: str) -> CascadeRule | None:
        """One rule of the tenant."""
        ...


class Archive(Protocol):
    """What became of messages that the live table no longer has."""

    async def message(self, tenant_id: str, message_id: str) -> Cascade | None:
        """The last state of a message."""
        ...


class Carrier(Protocol):
    """One way out: it takes attempts and tells what became of the hand-over. It never raises for what a peer does."""

    async def send(self, attempt: AttemptDue) -> Outcome:
        """Hand the attempt over, or say why not; not after `attempt.expires_at_ms`."""
        ...
