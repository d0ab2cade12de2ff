"""AUTH: PLAIN and LOGIN against the tenants' credentials (RFC 4954, RFC 4616)."""

import asyncio
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from domain.errors import TransientError
from domain.tenant import ApiKey
from ingress.expiring import Expiring
from ingress.smtp.room import network_of
from ingress.smtp.services import Services
from ingress.smtp.settings import SmtpServerSettings

MECHANISMS: Final = ("LOGIN", "PLAIN")
GUESSING_TTL_MS: Final = 300_000
MAX_REMEMBERED_CLIENTS: Final = 20_000

WELCOME: Final = "235 2.7.0 Authenticated"
WRONG: Final = "535 5.7.8 Authentication failed"
LATER: Final = "454 4.7.0 Authentication is not possible now; try again"
_NO_BASE64: Final = "501 5.5.2 Not base64"
_CANCELLED: Final = "501 5.7.0 Authentication cancelled"

_log = structlog.get_logger("ingress.smtp")

Ask = Callable[[str], Awaitable[bytes]]
"""Sends `334` with a challenge in base64, and gives the line that answers it."""


class LoginError(Exception):
    """Nobody has authenticated; `reply` says why, `wrong` that a credential was."""

    def __init__(self, reply: str, *, wrong: bool = False) -> None:
        super().__init__(reply)
        self.reply = reply
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Login:
    """Proves credentials. `guesses` counts the wrong ones of each client's network."""

    services: Services
    settings: SmtpServerSettings
    guesses: Expiring[str, int]

    async def prove(self, argument: str, client: str, ask: Ask) -> ApiKey:
        """The key of whoever authenticates with `AUTH argument`. Raises LoginError, and what `ask` raises."""
        network = network_of(client)
        if (self.guesses.get(network) or 0) >= self.settings.max_client_failures:
            self.services.meter.login("deferred")
            raise LoginError(LATER)
        user, password = await _credential(argument, ask)
        key = await self._key(user, password)
        if key is None:
            self.guesses.put(network, (self.guesses.get(network) or 0) + 1)
            self.services.meter.login("refused")
            _log.info("smtp.login_refused", client=client)
            await asyncio.sleep(self.settings.failure_delay_ms / 1_000)
            raise LoginError(WRONG, wrong=True)
        self.services.meter.login("ok")
        return key

    async def _key(self, user: str, password: str) -> ApiKey | None:
        try:
            async with asyncio.timeout(self.settings.answer_ms / 1_000):
                key = await self.services.resolve(user, password)
        except (TransientError, TimeoutError):
            self.services.meter.login("deferred")
            raise LoginError(LATER) from None
        return key if key is not None and is_alive(key, self.services) else None


def is_alive(key: ApiKey, services: Services) -> bool:
    """Whether the key is neither revoked nor expired, as far as this process has read."""
    newest = services.config.key(key.key_id) or key
    expired = newest.expires_at_ms and newest.expires_at_ms <= services.clock()
    return not (newest.revoked or key.revoked or expired)


async def _credential(argument: str, ask: Ask) -> tuple[str, str]:
    mechanism, _, initial = argument.partition(" ")
    match mechanism.upper():
        case "PLAIN":
            return _plain(_octets(initial.encode()) if initial else _octets(await ask("")))
        case "LOGIN":
            user = _octets(initial.encode()) if initial else _octets(await ask("VXNlcm5hbWU6"))
            return _text(user), _text(_octets(await ask("UGFzc3dvcmQ6")))
        case "":
            raise LoginError("501 5.5.4 Syntax: AUTH mechanism")
        case _:
            raise LoginError("504 5.5.4 The mechanism is not known")


def _plain(octets: bytes) -> tuple[str, str]:
    """`authorisation NUL user NUL password`; nobody may act for another (RFC 4616 section 2)."""
    parts = octets.split(b"\0")
    if len(parts) != 3:
        raise LoginError("501 5.5.2 PLAIN is three texts parted by NUL")
    identity, user, password = map(_text, parts)
    if identity not in ("", user):
        raise LoginError(WRONG, wrong=True)
    return user, password


def _octets(line: bytes) -> bytes:
    if line == b"*":
        raise LoginError(_CANCELLED)
    if line == b"=":
        return b""
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error:
        raise LoginError(_NO_BASE64) from None


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise LoginError(WRONG, wrong=True) from None
