"""Brings due receipts to bound receivers, and tells the store what became of each: at least once, and never lost.

A receipt that was sent and whose answer is not known is due again: its id and its text are the same each time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from domain.errors import TransientError
from ingress.smpp.binds import Binds
from ingress.smpp.meter import SmppMeter
from ingress.smpp.receipt_store import ReceiptDue, ReceiptKey, ReceiptStore
from ingress.smpp.settings import SmppServerSettings
from schemas.smpp import status as s

MIN_TURN_MS: Final = 10
"""Turns are no closer than this, so that one statement takes many receipts."""
EXPIRE_EVERY_MS: Final = 600_000
MAX_BATCH: Final = 1_000
LEASE_FACTOR: Final = 2
"""A lease outlasts the wait for an answer: another gateway must not send what is being answered."""
FINISH_TIMEOUT_MS: Final = 5_000

_TEMPORARY: Final = frozenset({s.ESME_RX_T_APPN, s.ESME_RMSGQFUL, s.ESME_RTHROTTLED, s.ESME_RSYSERR})

log = structlog.get_logger()


class ReceiptPump:
    """One for each server. `clock` is ms since 1970."""

    def __init__(
        self,
        store: ReceiptStore,
        binds: Binds,
        settings: SmppServerSettings,
        clock: Callable[[], int],
        meter: SmppMeter,
    ) -> None:
        self._store = store
        self._binds = binds
        self._settings = settings
        self._clock = clock
        self._meter = meter
        self._woken = asyncio.Event()
        self._stopping = False
        self._done: list[ReceiptKey] = []
        self._retries: list[tuple[ReceiptKey, int]] = []
        self._expire_at_ms = 0

    def wake(self) -> None:
        """Something may be due, or there is room."""
        self._woken.set()

    def answered(self, due: ReceiptDue, status: int) -> None:
        """A receiver answered: it has the receipt, wants it later, or does not want it at all."""
        settings = self._settings
        if status in _TEMPORARY:
            wait_ms = min(settings.receipt_retry_ms << min(due.attempts - 1, 16), settings.receipt_retry_max_ms)
            self._put_off(due, wait_ms, "put_off")
        else:
            self._done.append(due.wanted.key)
            self._meter.receipt("taken" if status == s.ESME_ROK else "refused")
            if status != s.ESME_ROK:
                key = due.wanted.key
                log.warning("receipt_refused", tenant_id=key.tenant_id, message_id=key.message_id, status=status)
        self.wake()

    def unanswered(self, receipts: Iterable[ReceiptDue], result: str) -> None:
        """Nobody knows whether these arrived: they are due again now."""
        for due in receipts:
            self._put_off(due, 0, result)
        self.wake()

    def _put_off(self, due: ReceiptDue, wait_ms: int, result: str) -> None:
        self._retries.append((due.wanted.key, self._clock() + wait_ms))
        self._meter.receipt(result)

    async def run(self) -> None:
        """Until `stop`; a store that is away is tried again. At the end the store is told what is known.

        What cannot be told is due again when its lease ends.
        """
        while not self._stopping:
            try:
                await self._turn()
            except TransientError as error:
                log.warning("receipt_store_away", reason=str(error))
                self._woken.clear()
                await self._wait(self._settings.receipt_poll_ms)
        try:
            async with asyncio.timeout(FINISH_TIMEOUT_MS / 1000):
                await self._tell()
        except (TransientError, TimeoutError) as error:
            log.warning("receipts_not_told", receipts=len(self._done) + len(self._retries), reason=type(error).__name__)

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping = True
        self.wake()

    async def _turn(self) -> None:
        self._woken.clear()
        await self._tell()
        now_ms = self._clock()
        if now_ms >= self._expire_at_ms:
            self._expire_at_ms = now_ms + EXPIRE_EVERY_MS
            expired = await self._store.expire(now_ms)
            if expired:
                log.info("receipts_expired", receipts=expired)
        rooms = self._binds.rooms()
        if rooms:
            lease_ms = LEASE_FACTOR * self._settings.receipt_timeout_ms
            for due in await self._store.claim(rooms, now_ms, lease_ms):
                self._send(due)
        await asyncio.sleep(MIN_TURN_MS / 1000)
        await self._wait(self._settings.receipt_poll_ms)

    def _send(self, due: ReceiptDue) -> None:
        receiver = self._binds.receiver(due)
        if receiver is None:
            self._put_off(due, 0, "lost")  # the receiver went while the store was asked
        else:
            receiver.deliver(due)

    async def _tell(self) -> None:
        """What was answered is gone, what was not is due; both stay in memory until the store has heard it."""
        while self._done:
            batch = self._done[:MAX_BATCH]
            await self._store.done(batch)
            del self._done[: len(batch)]
        while self._retries:
            batch_of: dict[int, list[ReceiptKey]] = defaultdict(list)
            told = self._retries[:MAX_BATCH]
            for key, due_at_ms in told:
                batch_of[due_at_ms].append(key)
            for due_at_ms, keys in batch_of.items():
                await self._store.retry(keys, due_at_ms)
            del self._retries[: len(told)]

    async def _wait(self, timeout_ms: int) -> None:
        """Until woken, but not longer than this."""
        timer = asyncio.get_running_loop().call_later(timeout_ms / 1000, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
