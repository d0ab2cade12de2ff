"""The bind: from system_id and password to the caller, or the status that refuses it (SMPP 3.4 section 4.1)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.errors import TransientError
from domain.ports import ConfigView
from domain.tenant import ApiKey
from ingress.smpp.binds import Binds, is_allowed
from ingress.smpp.caller import Caller
from ingress.smpp.settings import MAX_SYSTEM_ID, SmppServerSettings
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.pdu import Pdu

Resolve = Callable[[str, str], Awaitable[ApiKey | None]]


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Judges binds. `resolve` compares in constant time and limits guesses; `clock` is ms since 1970."""

    settings: SmppServerSettings
    resolve: Resolve
    config: ConfigView
    binds: Binds
    clock: Callable[[], int]

    async def judge(self, pdu: Pdu, peer: str) -> Caller | int:
        """Who binds, or the status: one for a wrong system_id and a wrong password, so that neither can be probed."""
        system_id, password = pdu.text("system_id"), pdu.text("password")
        if not 0 < len(system_id) <= MAX_SYSTEM_ID:
            return s.ESME_RINVSYSID
        try:
            async with asyncio.timeout(self.settings.bind_timeout_ms / 1000):
                key = await self.resolve(system_id, password)
        except (TransientError, TimeoutError):
            return s.ESME_RSYSERR
        if key is None:
            self.binds.failed(peer)
            return s.ESME_RINVPASWD
        caller = Caller(key, system_id, pdu.number("interface_version"), self.settings.profile_of(key.tenant_id))
        status = self._refusal(caller, pdu.command_id, peer)
        if status != s.ESME_ROK:
            return status
        if self.binds.is_full(caller):
            await self.binds.make_room(caller)
        return caller

    def is_alive(self, caller: Caller) -> bool:
        """Whether the key is still in force and the tenant not turned off, as far as this process has read."""
        key = self.config.key(caller.key.key_id) or caller.key
        tenant = self.config.tenant(caller.tenant_id)
        expired = bool(key.expires_at_ms) and key.expires_at_ms <= self.clock()
        is_off = tenant is not None and tenant.status in ("suspended", "deactivated")
        return not (key.revoked or expired or is_off)

    def _refusal(self, caller: Caller, command_id: int, peer: str) -> int:
        tenant = self.config.tenant(caller.tenant_id)
        if tenant is not None and tenant.status == "provisioning":
            return s.ESME_RSYSERR
        may_send = "send" in caller.key.scopes or command_id == c.BIND_RECEIVER
        if not may_send or not self.is_alive(caller) or not is_allowed(peer, caller.profile.networks):
            return s.ESME_RBINDFAIL
        return s.ESME_ROK
