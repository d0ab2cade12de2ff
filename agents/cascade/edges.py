"""The fused edges behind the cascade, and what passes on them."""

from dataclasses import dataclass

from agents.context import Edge
from domain.accepted import Message
from domain.cascade.commands import Announce, SendAttempt
from domain.cascade.states import Cascade
from domain.evolve import quick

ROUTE_ATTEMPT = Edge("hermes.cascade.attempts", "message")
COUNT = Edge("hermes.cascade.counts", "message")
ANNOUNCE = Edge("hermes.cascade.announcements", "message")


@quick
@dataclass(frozen=True, slots=True)
class ToRoute:
    """An attempt that wants a carrier."""

    message: Message
    cascade: Cascade
    send: SendAttempt


@quick
@dataclass(frozen=True, slots=True)
class ToAnnounce:
    """A state that wants to be told."""

    cascade: Cascade
    announce: Announce


@quick
@dataclass(frozen=True, slots=True)
class ToCount:
    """A message that has come (`accepted`) or ended, to be counted under a channel."""

    tenant_id: str
    channel: str
    state: str
    at_ms: int
