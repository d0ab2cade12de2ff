"""An archive in memory."""

from dataclasses import dataclass, field

from domain.cascade.states import Cascade


@dataclass(slots=True)
class FakeArchive:
    """Holds what the test put in; each tenant sees its own messages."""

    cascades: dict[str, Cascade] = field(default_factory=dict)

    async def message(self, tenant_id: str, message_id: str) -> Cascade | None:
        """The last state of a message."""
        cascade = self.cascades.get(message_id)
        return cascade if cascade is not None and cascade.tenant_id == tenant_id else None
