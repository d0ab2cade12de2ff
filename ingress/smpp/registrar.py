"""Makes receipts durable before their message is handed over; those that come while one statement runs share the next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.errors import TransientError
from ingress.smpp.receipt_store import ReceiptKey, ReceiptStore, ReceiptWanted
from ingress.smpp.tasks import Tasks

MAX_BATCH: Final = 1_000
MAX_PENDING: Final = 20_000
RETRY_AFTER_MS: Final = 1_000


@dataclass(slots=True)
class _Pending:
    receipts: Sequence[ReceiptWanted]
    stored: "asyncio.Future[bool]"


@dataclass(slots=True)
class Registrar:
    """One statement at a time; `store` may be away, which the waiting submissions are told."""

    store: ReceiptStore
    tasks: Tasks
    _pending: list[_Pending] = field(default_factory=list)
    _forgotten: list[ReceiptKey] = field(default_factory=list)
    _working: bool = False

    async def add(self, receipts: Sequence[ReceiptWanted]) -> None:
        """The receipts are durable; TransientError when the store is away or too much waits for it."""
        if not receipts:
            return
        if len(self._pending) >= MAX_PENDING:
            raise TransientError("too many receipts wait to be stored", RETRY_AFTER_MS)
        pending = _Pending(receipts, asyncio.get_running_loop().create_future())
        self._pending.append(pending)
        self._work()
        if not await pending.stored:
            raise TransientError("the receipts could not be stored", RETRY_AFTER_MS)

    def forget(self, receipts: Sequence[ReceiptWanted]) -> None:
        """Soon they are gone; those of a store that is away stay until they expire and are due to nobody."""
        if receipts and len(self._forgotten) < MAX_PENDING:
            self._forgotten += [receipt.key for receipt in receipts]
            self._work()

    def _work(self) -> None:
        if not self._working:
            self._working = True
            self.tasks.spawn(self._run())

    async def _run(self) -> None:
        try:
            while self._pending or self._forgotten:
                await self._add_some()
                await self._forget_some()
        finally:
            self._working = False

    async def _add_some(self) -> None:
        batch: list[_Pending] = []
        size = 0
        while self._pending and size < MAX_BATCH:
            batch.append(self._pending.pop(0))
            size += len(batch[-1].receipts)
        if not batch:
            return
        stored = False
        try:
            await self.store.add([receipt for pending in batch for receipt in pending.receipts])
            stored = True
        except TransientError:
            stored = False  # each that waits is told, and its client tries again
        finally:
            for pending in batch:
                if not pending.stored.done():
                    pending.stored.set_result(stored)

    async def _forget_some(self) -> None:
        keys, self._forgotten = self._forgotten[:MAX_BATCH], self._forgotten[MAX_BATCH:]
        try:
            await self.store.forget(keys)
        except TransientError:
            self._forgotten.clear()
