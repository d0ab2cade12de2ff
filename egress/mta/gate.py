"""A door that lets a limited number in at once; those who wait take turns by tenant, so that none holds up another."""

import asyncio
from collections import OrderedDict, deque


class Gate:
    """At most `limit` are inside. A lower limit drives nobody out; it holds as those inside leave."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self.inside = 0
        self.waiting = 0

    def set_limit(self, limit: int) -> None:
        """Let in as many as `limit` from now on."""
        if limit != self._limit:
            self._limit = limit
            self._let_in()

    async def enter(self, tenant: str) -> None:
        """Wait for the tenant's turn; whoever gets in must `leave`."""
        if self.inside < self._limit and not self.waiting:
            self.inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(tenant, deque()).append(turn)
        self.waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            else:
                self._withdraw(tenant, turn)
            raise

    def leave(self) -> None:
        """Make room for the next."""
        self.inside -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._queues and self.inside < self._limit:
            tenant, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            self.waiting -= 1
            if queue:
                self._queues[tenant] = queue  # to the end of the round
            if not turn.done():
                self.inside += 1
                turn.set_result(None)

    def _withdraw(self, tenant: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(tenant)
        if queue is not None and turn in queue:
            queue.remove(turn)
            self.waiting -= 1
            if not queue:
                del self._queues[tenant]
