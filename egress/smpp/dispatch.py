"""Which segment goes over which bind, and when: the queue, the windows and the pace of one carrier account.

Nothing here awaits. Whoever changes something that may let a segment go (a new segment, an answer, a new bind, time) asks
for `pump`, which sends, once a turn of the event loop, all that may go to the least loaded bind.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from egress.smpp.config import CarrierConfig
from egress.smpp.events import CarrierEvents
from egress.smpp.inbound import Inbound
from egress.smpp.job import Answer, Job
from egress.smpp.link import Link
from egress.smpp.pacing import Pacer
from schemas.smpp.pdu import ShortMessage
from schemas.smpp.status import classify

SWEEP_MS: Final = 250  # how late an expired segment may be noticed
QUEUE_FULL_FIRST_MS: Final = 1_000  # ESME_RMSGQFUL is about one number: only its segment waits
QUEUE_FULL_MAX_MS: Final = 60_000


class Dispatcher:
    """The owner of a carrier's links (see owner.LinkOwner). `now_ms` is the wall clock that attempts expire by."""

    def __init__(
        self, config: CarrierConfig, inbound: Inbound, events: CarrierEvents, now_ms: Callable[[], int]
    ) -> None:
        self._config = config
        self._inbound = inbound
        self._events = events
        self._now_ms = now_ms
        self._loop = asyncio.get_running_loop()
        self._pacer = Pacer(config.tps)
        self._queue: deque[Job] = deque()
        self._waiting: dict[Job, asyncio.TimerHandle] = {}  # their number's queue was full
        self._settled = asyncio.Event()
        self._links: list[Link] = []
        self._pump_timer: asyncio.TimerHandle | None = None
        self._pump_asked = False
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._stopping = False

    @property
    def ready(self) -> bool:
        """Whether at least one bind takes segments."""
        return any(link.ready for link in self._links)

    @property
    def in_flight(self) -> int:
        """Segments written and not yet answered."""
        return sum(link.in_flight for link in self._links)

    @property
    def queued(self) -> int:
        """Segments not yet written."""
        return len(self._queue) + len(self._waiting) + sum(len(link.own) for link in self._links)

    def add(self, job: Job) -> None:
        """Take a segment; its future gets the answer, or the reason why there is none."""
        if self._stopping:
            job.resolve("draining")
        elif self.queued >= self._config.queue_limit:
            job.resolve("queue_full")
        else:
            self._requeue(job)
            self._pump_soon()

    def add_link(self, link: Link) -> None:
        """A bind came up."""
        self._links.append(link)
        self.pump()

    def stop(self) -> list[Link]:
        """Nothing more is sent; what was not written is given back. The answer is the binds to say goodbye to."""
        self._stopping = True
        for timer in self._waiting.values():
            timer.cancel()
        for job in [*self._take_queued(), *self._waiting]:
            job.resolve("draining")
        self._waiting.clear()
        self.pump()
        return list(self._links)

    async def settled(self) -> None:
        """Returns when, after `stop`, nothing written is unanswered."""
        await self._settled.wait()

    def pump(self) -> None:
        """Send all that may go now."""
        self._pump_asked = False
        if self._stopping:
            if not self.in_flight:
                self._settled.set()
            return
        now_ms = self._loop_ms()
        while True:
            link = self._pick_link()
            if link is None:
                break
            wait_ms = self._pacer.wait_ms(now_ms)
            if wait_ms:
                self._pump_later(wait_ms)
                break
            job = link.own.popleft() if link.own else self._queue.popleft()
            if job.future.done():
                continue
            if self._is_expired(job):
                job.resolve("expired")
                continue
            link.send(job)
            self._pacer.sent(now_ms)
        if self._sweep_timer is None and self.queued:
            self._sweep_timer = self._loop.call_later(SWEEP_MS / 1000, self._sweep)

    # LinkOwner.

    def answered(self, link: Link, job: Job, answer: Answer, rtt_ms: int) -> None:
        """See LinkOwner: what throttles is sent again from here, everything else is an answer."""
        self._events.answered(self._config.name, answer.status, rtt_ms)
        kind = classify(answer.status)
        if self._stopping and kind in ("throttled", "queue_full"):
            job.resolve("draining")
        elif kind == "throttled":
            job.throttled = True
            job.link = link
            link.own.appendleft(job)
            pause_ms = self._pacer.throttled(self._loop_ms())
            if pause_ms:
                self._events.throttled(self._config.name, pause_ms)
        elif kind == "queue_full":
            job.throttled = True
            job.link = link
            delay_ms = min(QUEUE_FULL_MAX_MS, QUEUE_FULL_FIRST_MS << min(job.queue_fulls, 6))
            job.queue_fulls += 1
            self._waiting[job] = self._loop.call_later(self._until_expiry_s(job, delay_ms), self._waited, job)
        else:
            self._pacer.accepted()
            if job.future.done():
                self.late(job, answer)
            job.resolve(answer)
            if kind == "session":
                link.close("session_lost")
        self._pump_soon()

    def overdue(self, job: Job) -> None:
        """See LinkOwner."""
        job.resolve("timeout")
        self.pump()

    def late(self, job: Job, answer: Answer) -> None:
        """See LinkOwner."""
        self._events.late(job.attempt, job.part, answer.status, answer.message_id)

    def inbound(self, link: Link, message: ShortMessage) -> None:
        """See LinkOwner."""
        self._inbound.put(link, message)

    def changed(self) -> None:
        """See LinkOwner."""
        self.pump()

    def lost(self, link: Link, written: list[Job], unwritten: list[Job]) -> None:
        """See LinkOwner: written segments are unknown, the others go by another bind, before all that waits."""
        if link in self._links:
            self._links.remove(link)
        for job in written:
            job.resolve("lost")
        for job in reversed(unwritten):
            job.link = None
            if self._stopping:
                job.resolve("draining")
            else:
                self._queue.appendleft(job)
        self.pump()

    def fault(self, what: str) -> None:
        """See LinkOwner."""
        self._events.peer_fault(self._config.name, what)

    # The queue.

    def _pick_link(self) -> Link | None:
        """The least loaded bind that has room and something to send."""
        best: Link | None = None
        for link in self._links:
            if link.has_room and (self._queue or link.own) and (best is None or link.in_flight < best.in_flight):
                best = link
        return best

    def _requeue(self, job: Job) -> None:
        if job.link is not None and job.link in self._links:
            job.link.own.append(job)
        else:
            self._queue.append(job)

    def _waited(self, job: Job) -> None:
        del self._waiting[job]
        self._requeue(job)
        self.pump()

    def _sweep(self) -> None:
        """Give back what expired while it waited."""
        self._sweep_timer = None
        for job in self._take_queued():
            if self._is_expired(job):
                job.resolve("expired")
            elif not job.future.done():
                self._requeue(job)
        self.pump()

    def _take_queued(self) -> list[Job]:
        jobs = [job for link in self._links for job in link.own] + list(self._queue)
        self._queue.clear()
        for link in self._links:
            link.own.clear()
        return jobs

    def _pump_soon(self) -> None:
        if not self._pump_asked:
            self._pump_asked = True
            self._loop.call_soon(self.pump)

    def _pump_later(self, wait_ms: int) -> None:
        if self._pump_timer is None:
            self._pump_timer = self._loop.call_later(wait_ms / 1000, self._pump_again)

    def _pump_again(self) -> None:
        self._pump_timer = None
        self.pump()

    def _is_expired(self, job: Job) -> bool:
        return job.attempt.expires_at_ms <= self._now_ms()

    def _until_expiry_s(self, job: Job, delay_ms: int) -> float:
        return max(0, min(delay_ms, job.attempt.expires_at_ms - self._now_ms())) / 1000

    def _loop_ms(self) -> int:
        return int(self._loop.time() * 1000)
