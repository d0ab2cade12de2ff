"""A tenant's REST client that repeats what got no answer under the same key, as a good client does."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import aiohttp

from streams.crash.history import History
from streams.crash.items import Item
from streams.demo.api import Answer, Client, Json

RETRY_S: Final = 0.3
MAX_CANCELS: Final = 100
ACCEPTED, BATCH_ANSWERED, FINE, CONFLICT = 202, 200, 200, 409
AGAIN: Final = frozenset({"idempotency_in_progress", "rate_limit_exceeded", "overloaded", "internal_error"})
"""Refusals that are none: the same request under the same key learns the truth."""
AWAY: Final = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""The gateway is away, or went away in the middle of its answer."""


@dataclass(frozen=True, slots=True)
class Rest:
    """All tenants' access; `base` is where the gateway is now."""

    session: aiohttp.ClientSession
    base: Callable[[], str]
    keys: Sequence[str] = field(repr=False)
    history: History

    async def ask(self, tenant: int, method: str, path: str, body: Json | None = None) -> Answer | None:
        """One request; None when there is no answer or one that asks for a repetition."""
        client = Client(self.session, self.base(), self.keys[tenant])
        try:
            answer = await client.call(method, path, body)
        except AWAY:
            return None
        return None if answer.status >= 500 or answer.code in AGAIN else answer

    async def insist(self, tenant: int, method: str, path: str, body: Json | None = None) -> Answer:
        """The answer, however often it has to be asked for; who calls sets the time."""
        while (answer := await self.ask(tenant, method, path, body)) is None:
            self.history.repeats += 1
            await asyncio.sleep(RETRY_S)
        return answer

    async def send(self, item: Item, body: Json | None = None) -> str:
        """Hand one message in until it is answered; its id, empty when it was refused."""
        answer = await self.insist(item.tenant, "POST", "/v1/messages/send", body or item.body)
        return self._note(item, answer.status == ACCEPTED, answer.body, answer.code)

    async def batch(self, items: Sequence[Item]) -> None:
        """Hand messages of one tenant in together until each is answered."""
        left = list(items)
        while left:
            request = {"messages": [item.body for item in left]}
            answer = await self.insist(left[0].tenant, "POST", "/v1/messages/batch", request)
            if answer.status != BATCH_ANSWERED:
                for item in left:
                    self.history.refused(item, answer.code)
                return
            results = answer.body["results"]
            left = [item for item, result in zip(left, results, strict=True) if not self._noted(item, result)]
            if left:
                self.history.repeats += 1
                await asyncio.sleep(RETRY_S)

    async def cancel(self, item: Item, message_id: str) -> None:
        """Cancel until it is answered; one that is not known yet, for it was just accepted, is asked for a while."""
        for _ in range(MAX_CANCELS):
            answer = await self.insist(item.tenant, "POST", f"/v1/messages/{message_id}/cancel")
            if answer.status in (FINE, CONFLICT):
                self.history.begin(item).cancelled |= answer.status == FINE
                return
            await asyncio.sleep(RETRY_S)

    async def reuse(self, item: Item) -> None:
        """The key of an accepted message with another text has to be refused: noted as a message of its own."""
        other = replace(item, tag=f"{item.tag}-other", kind="no number")
        await self.send(other, {**item.body, "body": {"text": other.tag, "subject": other.tag}})

    def _noted(self, item: Item, result: Mapping[str, Any]) -> bool:
        code = str(result.get("error", {}).get("code", ""))
        if code not in AGAIN:
            self._note(item, result["status"] == "accepted", result, code)
        return code not in AGAIN

    def _note(self, item: Item, accepted: bool, body: Mapping[str, Any], code: str) -> str:
        if not accepted:
            self.history.refused(item, code or "no code")
            return ""
        message_id = str(body["message_id"])
        self.history.accepted(item, message_id)
        return message_id
