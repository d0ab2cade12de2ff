"""What the sessions of one server share: settings, services, budgets, and the list of themselves."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ingress.smtp.login import Login
from ingress.smtp.room import Doors, Room, network_of
from ingress.smtp.services import Services
from ingress.smtp.settings import SmtpServerSettings


class Leaving(Protocol):
    """A session as the server sees it."""

    @property
    def task(self) -> "asyncio.Task[None]":
        """What serves the client."""
        ...

    def leave(self, *, at_once: bool) -> None:
        """End, in good order or `at_once`."""
        ...


@dataclass(slots=True)
class Shared:
    """One for each server; `room` is for octets of messages being read."""

    settings: SmtpServerSettings
    services: Services
    login: Login
    room: Room
    doors: Doors
    _sessions: set[Leaving] = field(default_factory=set)

    def enter(self, session: Leaving, client: str) -> bool:
        """Whether the session may be served; it is in the list then, until it has `left`."""
        if not self.doors.enter(network_of(client)):
            return False
        self._sessions.add(session)
        return True

    def left(self, session: Leaving, client: str) -> None:
        """The session is over."""
        self._sessions.discard(session)
        self.doors.leave(network_of(client))

    def sessions(self) -> Iterator[Leaving]:
        """Those that are served now."""
        return iter(tuple(self._sessions))
