"""The handlers that tell about a message that was accepted, or stop it."""

import re
from dataclasses import dataclass

from aiohttp import web

from domain.cascade.states import Cascade
from domain.tenant import ApiKey
from ingress.http.auth import authorise
from ingress.http.problems import Json, Problem, RefusalError, json_response, refuse
from ingress.http.services import Services
from ingress.http.views import cascade_view, events_view

_MESSAGE_ID = re.compile(r"msg-[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Messages:
    """Answers from the live table, and from the archive when that has let go. Another tenant's message does not exist."""

    services: Services

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/messages/{id}: the state of the message."""
        key = await authorise(self.services, request, "read")
        return json_response(self._view(await self._find(key, _id_of(request))))

    async def events(self, request: web.Request) -> web.Response:
        """GET /v1/messages/{id}/events: its timeline."""
        key = await authorise(self.services, request, "read")
        cascade = await self._find(key, _id_of(request))
        return json_response(events_view(cascade, self.services.public_url))

    async def cancel(self, request: web.Request) -> web.Response:
        """POST /v1/messages/{id}/cancel: 200 with the state, 409 with the reason and the state when it is too late."""
        key = await authorise(self.services, request, "send")
        message_id = _id_of(request)
        told = await self.services.desk.cancel(key.tenant_id, message_id)
        if told.cascade is not None and told.cascade.tenant_id == key.tenant_id:
            cascade, done, reason = told.cascade, told.done, told.reason
        else:
            cascade = await self._archived(key, message_id)
            done, reason = cascade.state == "cancelled", f"the message is {cascade.state}"
        view = self._view(cascade)
        if not done:
            raise RefusalError(
                Problem("conflict", f"Too late to cancel: {reason}", (), {"reason": reason, "state": view})
            )
        return json_response(view)

    async def _find(self, key: ApiKey, message_id: str) -> Cascade:
        told = await self.services.desk.status(key.tenant_id, message_id)
        if told.cascade is not None and told.cascade.tenant_id == key.tenant_id:
            return told.cascade
        return await self._archived(key, message_id)

    async def _archived(self, key: ApiKey, message_id: str) -> Cascade:
        cascade = await self.services.archive.message(key.tenant_id, message_id)
        if cascade is None or cascade.tenant_id != key.tenant_id:
            raise _unknown()
        return cascade

    def _view(self, cascade: Cascade) -> Json:
        tenant = self.services.config.tenant(cascade.tenant_id)
        return cascade_view(cascade, self.services.public_url, tenant.currency if tenant else "")


def _id_of(request: web.Request) -> str:
    message_id = request.match_info["id"]
    if not _MESSAGE_ID.fullmatch(message_id):
        raise _unknown()
    return message_id


def _unknown() -> RefusalError:
    return refuse("not_found", "There is no such message")
