"""An Mta for the integration tests, and the questions they ask of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from deploy.sandbox.mx import Handler, Mode, start
from domain.delivery import AttemptDue, Failed, Outcome
from egress.mta.config import MtaConfig, Timeouts
from egress.mta.dkim import DkimKey
from egress.mta.mta import Mta
from egress.mta.posture import TlsPolicy
from tests.unit.egress.mta.attempts import attempt
from tests.unit.egress.mta.keys import rsa_pem

SHORT_MS = 150
QUICK = Timeouts(
    connect_ms=2_000,
    greeting_ms=SHORT_MS,
    hello_ms=SHORT_MS,
    tls_ms=2_000,
    mail_ms=SHORT_MS,
    rcpt_ms=SHORT_MS,
    data_ms=SHORT_MS,
    block_ms=SHORT_MS,
    dot_ms=SHORT_MS,
    reset_ms=SHORT_MS,
)
KEY = DkimKey.parse("acme.test", "s1", rsa_pem())


@asynccontextmanager
async def mta(
    target: str,
    *,
    timeouts: Timeouts | None = None,
    connections: int = 10,
    mails: int = 100,
    tls: Mapping[str, TlsPolicy] | None = None,
    ca_file: str = "",
    grace_ms: int = 10_000,
) -> AsyncIterator[Mta]:
    """An Mta that sends everything to `target`."""
    config = MtaConfig(
        "out.hermes.test",
        mx_overrides={"*": target},
        dkim_keys=(KEY,),
        connections_per_host=connections,
        max_messages_per_connection=mails,
        tls=tls or {},
        tls_ca_file=ca_file,
        timeouts=timeouts or Timeouts(),
        close_grace_ms=grace_ms,
    )
    sender = Mta(config)
    try:
        yield sender
    finally:
        await sender.close()


@asynccontextmanager
async def sandbox(handler: Handler, mode: Mode = "serve") -> AsyncIterator[str]:
    """`host:port` of a sandbox host."""
    server = await start(handler, mode=mode)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def outcome(target: str, due: AttemptDue | None = None, *, timeouts: Timeouts | None = None) -> Outcome:
    """What comes of one attempt."""
    async with mta(target, timeouts=timeouts) as sender:
        return await sender.send(due or attempt())


def failure(result: Outcome) -> tuple[str, bool]:
    """Code and permanence of a failure."""
    assert isinstance(result, Failed), result
    assert result.detail
    return result.code, result.permanent
