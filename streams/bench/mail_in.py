"""The SMTP servers to compare: ours with a desk that accepts everything at once, and aiosmtpd with nothing behind it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope

from domain.billing.money import Account
from domain.cascade.commands import StatusTold
from domain.message import Submission
from domain.tenant import ApiKey, Tenant
from domain.verdict import Verdict
from ingress.ids import Uuid7
from ingress.smtp.server import SmtpServer
from ingress.smtp.services import Services
from ingress.smtp.settings import SmtpServerSettings
from streams.kafka import now_ms
from tables.config import ConfigTable, config_key

HOST: Final = "127.0.0.1"
USER: Final = "bench"
DOMAIN: Final = "bench.test"
STOP_MS: Final = 2_000
BACKLOG: Final = 1_024
TENANT: Final = Tenant("t-bench", "Bench", "enterprise", "active", rate_per_s=1_000_000, from_domain=DOMAIN)
KEY: Final = ApiKey("k-bench", TENANT.tenant_id, "bench", ("send",))


@dataclass(slots=True)
class YesDesk:
    """Accepts at once; see domain.ports.Desk."""

    slot: int = 0
    submitted: int = 0

    async def submit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """Every submission is accepted."""
        self.submitted += len(submissions)
        return [Verdict(s.message_id, s.message_id, s.tenant_id, s.received_at_ms) for s in submissions]

    async def status(self, tenant_id: str, message_id: str) -> StatusTold:  # noqa: ARG002 - the port's signature
        """Nothing is known."""
        return StatusTold(message_id, None)

    async def cancel(self, tenant_id: str, message_id: str) -> StatusTold:  # noqa: ARG002 - the port's signature
        """Nothing is known."""
        return StatusTold(message_id, None)

    async def account(self, tenant_id: str) -> Account:
        """Nothing is there."""
        return Account(tenant_id)


class SilentMeter:
    """Counts nothing; see ingress.smtp.services.Meter."""

    def session(self, outcome: str) -> None:
        """See Meter."""

    def login(self, outcome: str) -> None:
        """See Meter."""

    def message(self, code: int, octets: int, seconds: float) -> None:
        """See Meter."""

    def watch_connections(self, count: Callable[[], int]) -> None:
        """See Meter."""


async def ours(say: Callable[[int], None], stopped: asyncio.Event) -> int:
    """Its report is how many mails were accepted."""

    async def resolve(user: str, _password: str) -> ApiKey | None:
        return KEY if user == USER else None

    config, desk = ConfigTable(), YesDesk()
    config.apply(config_key(TENANT), TENANT, 1)
    config.apply(config_key(KEY), KEY, 2)
    services = Services(desk, resolve, config, now_ms, Uuid7(), SilentMeter())
    server = SmtpServer(SmtpServerSettings(port=0, hostname="in.bench.test"), services)
    say((await server.start())[0])
    await stopped.wait()
    await server.stop(STOP_MS)
    return desk.submitted


class Handler:
    """aiosmtpd's hook."""

    def __init__(self) -> None:
        self.mails = 0

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take the message."""
        self.mails += 1
        return "250 2.0.0 Ok"


async def bare(say: Callable[[int], None], stopped: asyncio.Event) -> int:
    """Its report is how many mails were accepted."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    loop = asyncio.get_running_loop()
    handler = Handler()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="in.bench.test", loop=loop), HOST, 0, backlog=BACKLOG
    )
    say(server.sockets[0].getsockname()[1])
    await stopped.wait()
    server.close()
    return handler.mails
