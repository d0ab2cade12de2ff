"""Who is connected: limits of connections and binds, buckets of the tenants, and the sessions that take receipts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Final, Protocol

from ingress.bucket import Bucket
from ingress.expiring import Expiring
from ingress.smpp.caller import Caller
from ingress.smpp.receipt_store import ReceiptDue, Room
from ingress.smpp.settings import SmppServerSettings

MIN_BURST: Final = 255
"""Submissions that a full bucket always holds: the largest long message (5.3.2.23)."""
MAX_REMEMBERED: Final = 10_000


class BoundSession(Protocol):
    """What is asked of a session from outside."""

    @property
    def caller(self) -> Caller | None:
        """Who is bound, None before the bind."""
        ...

    @property
    def peer(self) -> str:
        """The peer's address."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether the connection has not been given up."""
        ...

    @property
    def receipt_room(self) -> int:
        """How many receipts may be sent now; zero for a transmitter."""
        ...

    def deliver(self, due: ReceiptDue) -> None:
        """Send a receipt; there must be room."""
        ...

    def probe(self) -> None:
        """Ask whether the peer is there if it has been silent."""
        ...

    def abort_if_silent(self) -> None:
        """Hang up on a peer that has not answered a probe."""
        ...


class Binds:
    """Every connection of a server, by tenant once it is bound. `now_ms` is monotonic."""

    def __init__(self, settings: SmppServerSettings, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._networks = tuple(ip_network(text) for text in settings.networks)
        self._unbound: Counter[str] = Counter()
        self._tenants: dict[str, list[BoundSession]] = {}
        self._bound = 0
        self._failed: Expiring[str, int] = Expiring(MAX_REMEMBERED, settings.failed_binds_ms, now_ms)
        self._buckets: dict[str, Bucket] = {}

    @property
    def bound(self) -> int:
        """Sessions that are bound."""
        return self._bound

    @property
    def unbound(self) -> int:
        """Connections without a bind."""
        return self._unbound.total()

    def connect(self, peer: str) -> bool:
        """Whether this address may connect; it is counted until `bind` or `disconnect`."""
        settings = self._settings
        if self._networks and not _is_in(peer, self._networks):
            return False
        if self.bound + self.unbound >= settings.max_sessions or self._unbound[peer] >= settings.max_unbound_per_ip:
            return False
        if (self._failed.get(peer) or 0) >= settings.max_failed_binds_per_ip:
            return False
        self._unbound[peer] += 1
        return True

    def disconnect(self, session: BoundSession) -> None:
        """A connection that was counted is gone."""
        caller = session.caller
        if caller is None:
            self._unbound[session.peer] -= 1
            if self._unbound[session.peer] <= 0:
                del self._unbound[session.peer]
            return
        sessions = self._tenants.get(caller.tenant_id, [])
        if session in sessions:
            sessions.remove(session)
            self._bound -= 1
        if not sessions:
            self._tenants.pop(caller.tenant_id, None)
            self._buckets.pop(caller.tenant_id, None)

    def failed(self, peer: str) -> None:
        """A bind with a wrong system_id or password."""
        self._failed.put(peer, (self._failed.get(peer) or 0) + 1)

    def is_full(self, caller: Caller) -> bool:
        """Whether the tenant has as many binds as it may have."""
        alive = sum(session.is_alive for session in self._tenants.get(caller.tenant_id, ()))
        return alive >= caller.profile.max_binds

    async def make_room(self, caller: Caller) -> None:
        """Count only the living: peers of the tenant that have been silent are asked, and cut off if they do not answer."""
        for session in tuple(self._tenants.get(caller.tenant_id, ())):
            session.probe()
        await asyncio.sleep(self._settings.probe_ms / 1000)
        for session in tuple(self._tenants.get(caller.tenant_id, ())):
            session.abort_if_silent()

    def bind(self, session: BoundSession, caller: Caller) -> None:
        """The connection is a session of this caller now; `session.caller` is still None."""
        self._unbound[session.peer] -= 1
        if self._unbound[session.peer] <= 0:
            del self._unbound[session.peer]
        self._tenants.setdefault(caller.tenant_id, []).append(session)
        self._bound += 1
        rate = caller.profile.submits_per_s
        if rate and caller.tenant_id not in self._buckets:
            self._buckets[caller.tenant_id] = Bucket(rate, max(rate, MIN_BURST), self._now_ms)

    def may_submit(self, caller: Caller, count: int) -> bool:
        """Take tokens of the tenant's bucket, all or none; always so without a limit."""
        bucket = self._buckets.get(caller.tenant_id)
        if bucket is None:
            return True
        taken = 0
        while taken < count and bucket.take():
            taken += 1
        if taken == count:
            return True
        for _ in range(taken):
            bucket.give_back()
        return False

    def rooms(self) -> list[Room]:
        """How many receipts the receivers can take."""
        counts: Counter[tuple[str, str]] = Counter()
        by_system = self._settings.receipts_to == "system_id"
        for tenant_id, sessions in self._tenants.items():
            for session in sessions:
                if session.caller is not None and session.receipt_room:
                    counts[tenant_id, session.caller.system_id if by_system else ""] += session.receipt_room
        return [Room(tenant_id, system_id, count) for (tenant_id, system_id), count in counts.items()]

    def receiver(self, due: ReceiptDue) -> BoundSession | None:
        """The session with the most room, one of the message's own system_id before any other; None for none."""
        wanted = due.wanted
        found = [
            session
            for session in self._tenants.get(wanted.key.tenant_id, ())
            if session.receipt_room and session.caller is not None
        ]
        own = [session for session in found if session.caller and session.caller.system_id == wanted.system_id]
        if not own and self._settings.receipts_to == "system_id":
            return None
        return max(own or found, key=lambda session: session.receipt_room, default=None)


def is_allowed(peer: str, networks: Iterable[str]) -> bool:
    """Whether the address lies in one of the networks (CIDR); any does when there are none."""
    known = tuple(ip_network(text) for text in networks)
    return not known or _is_in(peer, known)


def _is_in(peer: str, networks: Iterable[object]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in networks)  # type: ignore[operator]  # both kinds of network have `in`
