"""Long text messages from recipients: their parts are kept until all are there, then the whole goes to its tenant."""

from dataclasses import dataclass
from typing import Final

from agents.context import Context
from domain.inbound import Received, ReceivedPart
from schemas.rows import PartsKept
from schemas.smpp.content import Content, text_of
from schemas.topics import INBOUND
from tables.catalogue import PARTS

WAIT_MS: Final = 3_600_000
"""How long a part waits for the others; what is not whole by then is dropped, and seen in the counts."""
REPEAT_MS: Final = 300_000
"""How long a whole message is known, so that a part that comes again begins no other."""


@dataclass(frozen=True, slots=True)
class JoinParts:
    """The one keeper of parts. A part that comes again changes nothing, and tells the whole again when it was whole."""

    def handle(self, part: ReceivedPart, ctx: Context) -> None:
        """Keep the part; with the last one tell the message.

        Another text under the same place and reference begins a new message.
        """
        key = f"{part.sender}/{part.recipient}/{part.kind}.{part.ref}.{part.total}"
        kept = ctx.get(PARTS, key)
        known = () if kept is None or kept.expires_at_ms <= part.at_ms else kept.parts
        if any(one.seq == part.seq and one.octets != part.octets for one in known):
            known = ()
        repeated = any(one.seq == part.seq for one in known)
        parts = known if repeated else tuple(sorted((*known, part), key=lambda one: one.seq))
        whole = len(parts) == part.total
        if not repeated:
            ctx.put(PARTS, key, PartsKept(parts, part.at_ms + (REPEAT_MS if whole else WAIT_MS)))
            ctx.count("hermes_inbound_parts_total", result="whole" if whole else "added" if known else "begun")
        if whole:
            _tell(parts, ctx)


def _tell(parts: tuple[ReceivedPart, ...], ctx: Context) -> None:
    text = text_of([Content(p.octets, p.data_coding, p.default_alphabet, p.locking, p.single) for p in parts])
    first, at_ms = parts[0], max(part.at_ms for part in parts)
    tenant = ctx.config.tenant_of_number(first.recipient, text)
    if tenant is None:
        ctx.count("hermes_inbound_parts_total", result="unroutable")
        return
    ctx.emit(INBOUND, tenant.tenant_id, Received(
        first.inbound_id, tenant.tenant_id, "sms", first.sender, first.recipient, "", text, first.carrier, at_ms,
    ))  # fmt: skip
