"""An SMPP carrier as the egress sees it: binds that are kept up, `submit`, and receipts that come back."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from domain.delivery import AttemptDue, Failed, Outcome, Sent
from egress.smpp import outcome
from egress.smpp.config import CarrierConfig
from egress.smpp.dispatch import Dispatcher
from egress.smpp.events import CarrierEvents, LogEvents
from egress.smpp.inbound import Inbound, OnMessage, OnReceipt
from egress.smpp.job import Answer, Job
from egress.smpp.link import Link
from egress.smpp.parts import plan
from schemas.smpp.status import ESME_ROK, classify

STAGGER_MS = 100  # between the first tries of an account's binds


@dataclass(frozen=True, slots=True)
class _End:
    """Why a session is over, how long it was bound, and the status if the bind was refused."""

    reason: str
    bound_ms: int = 0
    status: int = ESME_ROK


class SmppCarrier:
    """One account at one carrier. Make it inside the event loop, keep `run()` in a task group, then `submit`.

    `backoff` gives the wait in milliseconds before bind attempt number n after a failure; `now_ms` is the wall clock;
    `first_reference` starts the counter that marks long messages.
    """

    def __init__(
        self,
        config: CarrierConfig,
        on_receipt: OnReceipt,
        *,
        backoff: Callable[[int], int],
        now_ms: Callable[[], int],
        events: CarrierEvents | None = None,
        on_message: OnMessage | None = None,
        first_reference: int = 0,
    ) -> None:
        self._config = config
        self._backoff = backoff
        self._now_ms = now_ms
        self._events = LogEvents() if events is None else events
        self._loop = asyncio.get_running_loop()
        self._inbound = Inbound(config, on_receipt, on_message, self._events, now_ms)
        self._dispatcher = Dispatcher(config, self._inbound, self._events, now_ms)
        self._reference = first_reference
        self._draining = asyncio.Event()
        self._ssl = _ssl_context(config)

    @property
    def ready(self) -> bool:
        """Whether a bind is up and takes segments."""
        return self._dispatcher.ready

    @property
    def in_flight(self) -> int:
        """Segments written and not yet answered."""
        return self._dispatcher.in_flight

    @property
    def queued(self) -> int:
        """Segments that wait for a bind, a window or the pace."""
        return self._dispatcher.queued

    async def run(self) -> None:
        """Keep the binds up until cancelled or drained; what `on_receipt` raises beside NotStoredError comes out of here."""
        try:
            async with asyncio.TaskGroup() as group:
                inbound = group.create_task(self._inbound.run())
                async with asyncio.TaskGroup() as binds:
                    for number in range(self._config.binds):
                        binds.create_task(self._keep_bound(number))
                inbound.cancel()
        finally:
            self._dispatcher.stop()  # nobody would ever send what still waits

    async def submit(self, attempt: AttemptDue) -> Outcome:
        """Hand the attempt to the carrier, all its parts in order on one bind; never raises for what the peer does.

        Returns Failed `not_bound`, `throttled` or `expired` (temporary) when that lasts until `expires_at_ms`; Unknown when
        a part was written and its answer is lost. A part that is known not to have been written goes by another bind.
        """
        if attempt.expires_at_ms <= self._now_ms():
            return outcome.of_expired(attempt)
        self._reference += 1
        frames = plan(attempt, self._config, self._reference)
        if isinstance(frames, Failed):
            return frames
        provider_ids: list[str] = []
        link: Link | None = None
        for part, frame in enumerate(frames):
            job = Job(attempt, part, frame, self._loop.create_future(), link)
            self._dispatcher.add(job)
            answer = await job.future
            if not isinstance(answer, Answer):
                return outcome.of_silence(job, answer, len(frames), was_ready=self.ready)
            if answer.status != ESME_ROK:
                return outcome.of_refusal(answer, part, len(frames))
            provider_ids.append(answer.message_id)
            link = job.link
        return Sent(tuple(provider_ids))

    async def drain(self, timeout_ms: int) -> None:
        """Stop politely: give back what was not written, wait for answers and receipts under way, unbind, close."""
        self._draining.set()
        links = self._dispatcher.stop()
        deadline = self._loop.time() + timeout_ms / 1000
        try:
            async with asyncio.timeout_at(deadline):
                await self._dispatcher.settled()
                await self._inbound.settled()
        except TimeoutError:
            self._events.peer_fault(self._config.name, "unanswered_at_drain")
        async with asyncio.TaskGroup() as goodbyes:
            for link in links:
                goodbyes.create_task(self._unbind(link))

    async def _unbind(self, link: Link) -> None:
        try:
            async with asyncio.timeout(self._config.unbind_timeout_ms / 1000):
                await link.unbind()
        except TimeoutError:
            link.close("unbind_timeout")

    async def _keep_bound(self, number: int) -> None:
        """One bind, again and again, until drained."""
        failures = 0
        await self._wait(number * STAGGER_MS)
        while not self._draining.is_set():
            end = await self._session(number)
            if self._draining.is_set():
                return
            failures = 0 if end.bound_ms >= self._config.stable_after_ms else failures + 1
            wait_ms = self._retry_ms(end, failures)
            if end.status != ESME_ROK:
                self._events.bind_refused(self._config.name, number, end.status, wait_ms)
            else:
                self._events.unbound(self._config.name, number, end.reason, wait_ms)
            await self._wait(wait_ms)

    def _retry_ms(self, end: _End, failures: int) -> int:
        """Wrong credentials will not become right soon, and a stale session of ours takes its time to go."""
        wait_ms = self._backoff(failures)
        match classify(end.status):
            case "credentials":
                return max(wait_ms, self._config.credentials_retry_ms)
            case "session":
                return max(wait_ms, self._config.session_retry_ms)
            case _:
                return wait_ms

    async def _session(self, number: int) -> _End:
        """Connect, bind and stay until the connection is gone."""
        config = self._config
        try:
            async with asyncio.timeout(config.connect_timeout_ms / 1000):
                _, link = await self._loop.create_connection(
                    lambda: Link(self._dispatcher, config), config.host, config.port, ssl=self._ssl
                )
        except TimeoutError:
            return _End("connect_timeout")
        except OSError as error:
            return _End(f"connect_{type(error).__name__}")
        try:
            return await self._bound(link, number)
        finally:
            if not link.closed.done():
                link.abort("stopped")

    async def _bound(self, link: Link, number: int) -> _End:
        try:
            async with asyncio.timeout(self._config.bind_timeout_ms / 1000):
                status = await link.bind()
        except TimeoutError:
            return _End("bind_timeout")
        if status is None:
            return _End("closed_before_bind")
        if status != ESME_ROK:
            return _End("bind_refused", status=status)
        if link.closed.done():
            return _End(link.closed.result())
        since = self._loop.time()
        self._events.bound(self._config.name, number)
        self._dispatcher.add_link(link)
        reason = await asyncio.shield(link.closed)
        return _End(reason, bound_ms=int((self._loop.time() - since) * 1000))

    async def _wait(self, wait_ms: int) -> None:
        """Wait, or less if the carrier is drained."""
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await self._draining.wait()
        except TimeoutError:
            return


def _ssl_context(config: CarrierConfig) -> ssl.SSLContext | None:
    """TLS 1.2 or later with the peer's certificate and name verified."""
    if not config.tls:
        return None
    context = ssl.create_default_context(cafile=config.tls_ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
