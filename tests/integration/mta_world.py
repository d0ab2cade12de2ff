"""A mail way out that finds its hosts, on loopback, by a DNS and by policies that a test makes."""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from egress.mta.config import MtaConfig, Timeouts
from egress.mta.dane import Tlsa
from egress.mta.delivery import Delivery
from egress.mta.lookup import Answer
from egress.mta.mta import Mta
from egress.mta.providers import Provider
from egress.mta.sources import Source
from egress.mta.sts_cache import StsPolicies
from egress.mta.sts_fetch import FetchError
from egress.mta.tls_report import TlsReport
from tests.integration.peers import Peer, Talk
from tests.unit.egress.mta.certificates import Issued

MISSING = Answer((), 0, exists=False)


@dataclass
class Zone:
    """Names on loopback: domains with their hosts, all proved; hosts are at 127.0.0.1."""

    exchanges: Mapping[str, tuple[str, ...]]
    keys: Mapping[str, tuple[Tlsa, ...]] = field(default_factory=dict)
    texts: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)

    async def mx(self, domain: str) -> Answer:
        hosts = self.exchanges.get(domain)
        if hosts is None:
            return MISSING
        return Answer(tuple((10 * at, host) for at, host in enumerate(hosts, 1)), 600, proved=True)

    async def addresses(self, host: str) -> Answer:
        known = any(host in hosts for hosts in self.exchanges.values())
        return Answer(((4, "127.0.0.1"),), 600, proved=True) if known else MISSING

    async def txt(self, name: str) -> tuple[bytes, ...]:
        return self.texts.get(name, ())

    async def tlsa(self, host: str, port: int) -> tuple[Tlsa, ...] | None:
        return self.keys.get(host)

    async def fetch(self, domain: str) -> bytes:
        try:
            return self.documents[domain]
        except KeyError:
            raise FetchError("status 404") from None


@dataclass
class World:
    """The sender, and what it told of each hand-over."""

    mta: Mta
    told: list[Delivery]
    report: TlsReport


@asynccontextmanager
async def world(
    target: str,
    zone: Zone,
    *,
    ca_file: str = "",
    dane: bool = False,
    connections: int = 10,
    per_s: int = 100,
    sources: tuple[Source, ...] = (),
    providers: tuple[Provider, ...] = (),
    waiting: int = 250,
    in_flight: int = 1_000,
    clock_ms: Callable[[], int] | None = None,
    timeouts: Timeouts | None = None,
) -> AsyncIterator[World]:
    """A sender to `zone`, whose hosts all listen at the port of `target`."""
    config = MtaConfig(
        "out.hermes.test",
        allow_private=True,
        smtp_port=int(target.rpartition(":")[2]),
        tls_ca_file=ca_file,
        dane=dane,
        connections_per_host=connections,
        messages_per_s=per_s,
        sources=sources,
        providers=providers,
        max_waiting_per_site=waiting,
        max_in_flight=in_flight,
        mta_sts=False,
        timeouts=timeouts or Timeouts(),
    )
    told: list[Delivery] = []
    report = TlsReport()
    sts = StsPolicies(zone.txt, zone.fetch, clock_ms or (lambda: 0), report)
    sender = Mta(config, dns=zone, sts=sts, report=report, tell=told.append, clock_ms=clock_ms)
    try:
        yield World(sender, told, report)
    finally:
        await sender.close()


def server_tls(folder: Path, issued: Issued, *above: Issued) -> ssl.SSLContext:
    """A server's context with the certificate and those above it."""
    chain, key = issued.write(folder, *above)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


def taking(context: ssl.SSLContext | None, *extensions: str, seen: list[bytes] | None = None) -> Talk:
    """A host that takes every mail: over TLS with a `context`, otherwise plain; it offers `extensions` after that."""

    async def talk(server: Peer) -> None:
        if context is not None:
            await server.greet("STARTTLS")
            await server.answer("220 Go")
            await server.start_tls(context)
            await server.hear()
            await say_extensions(server, *extensions)
        else:
            await server.greet(*extensions)
        await take_mails(server, seen)

    return talk


async def say_extensions(server: Peer, *extensions: str) -> None:
    """The answer to EHLO."""
    lines = ["mx.test", *extensions]
    for line in lines[:-1]:
        await server.say(f"250-{line}")
    await server.say(f"250 {lines[-1]}")


async def take_mails(server: Peer, seen: list[bytes] | None = None) -> None:
    """Take mails until the client leaves; `seen` gets the lines of envelopes."""
    while line := await server.hear():
        if seen is not None:
            seen.append(line)
        if line.upper().startswith(b"DATA"):
            await server.say("354 Go")
            await server.hear_message()
            await server.say("250 2.0.0 Ok: queued as 1")
        elif line.upper().startswith(b"QUIT"):
            return
        else:
            await server.say("250 2.1.0 Ok")
