"""What a scenario sees of the stack that runs: one API a tenant, the peers' books, other evidence, its processes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.demo.api import Api
from streams.demo.books import Books
from streams.demo.evidence import Evidence
from streams.demo.patience import PATIENCE_MS

MAIN, SUSPENDED, SLOW, SMALL = "Demo", "Demo Suspended", "Demo Slow", "Demo Small"
"""The tenants of `demo.toml`."""

MAIL_DOMAIN = "sandbox.hermes.dev"
DELIVERED, UNDELIVERABLE, NO_RECEIPT, THROTTLED, LATE = (f"+459900000{n}" for n in range(1, 6))
"""The numbers that the simulated carrier treats in its own ways."""


class Machine(Protocol):
    """The processes of the stack."""

    def pid(self, name: str) -> int:
        """The process id that the ready file has for `name` now, 0 for none."""

    def kill(self, name: str) -> int:
        """Kill the process of that name by SIGKILL; the answer is its id."""


@dataclass(frozen=True, slots=True)
class World:
    """`run` is in every text and mailbox of this run, so that the books tell it from others.

    `document` is the ready file, `before` each tenant's balance at the start; `charged` grows by what the API says that each
    tenant's messages cost.
    """

    run: str
    document: Mapping[str, Any]
    apis: Mapping[str, Api]
    books: Books
    evidence: Evidence
    machine: Machine
    before: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    charged: Counter[str] = field(default_factory=Counter)
    patience_ms: int = PATIENCE_MS

    @property
    def api(self) -> Api:
        """The main tenant's."""
        return self.apis[MAIN]

    def tenant(self, name: str) -> Mapping[str, Any]:
        """A tenant as the ready file has it, credentials included."""
        found: Mapping[str, Any] = next(one for one in self.document["tenants"] if one["name"] == name)
        return found

    def text(self, about: str) -> str:
        """A text that no other message has."""
        return f"Hermes demo {self.run}: {about}"

    def mailbox(self, local: str, label: str) -> str:
        """A mailbox of the simulated mail host that no other message has; `local` says how it behaves."""
        return f"{local}+{self.run}-{label}@{MAIL_DOMAIN}"
