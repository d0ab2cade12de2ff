"""Look-ups of the mail way out against a name server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from domain.delivery import Failed
from egress.mta.config import MtaConfig, Timeouts
from egress.mta.dane import Tlsa
from egress.mta.lookup import Answer, DnsError, DnsPython
from egress.mta.mta import Mta
from tests.unit.egress.mta.attempts import attempt

ZONE = {
    ("b.test.", "MX"): ["20 MX2.b.test.", "10 mx1.b.test."],
    ("null.test.", "MX"): ["0 ."],
    ("mx1.b.test.", "A"): ["192.0.2.1"],
    ("mx1.b.test.", "AAAA"): ["2001:db8::1"],
    ("four.test.", "A"): ["192.0.2.4"],
    ("signed.test.", "MX"): ["10 mx.signed.test."],
    ("mx.signed.test.", "A"): ["192.0.2.5"],
    ("_25._tcp.mx.signed.test.", "TLSA"): ["3 1 1 " + "ab" * 32],
    ("_25._tcp.mx1.b.test.", "TLSA"): ["3 1 1 " + "ab" * 32],
    ("_mta-sts.b.test.", "TXT"): ['"v=STSv1; " "id=1;"', '"other"'],
}
PROVED = ("signed.test.",)
SERVER_FAILURES = ("broken.test.",)
SILENCE = ("silent.test.",)


class NameServer(asyncio.DatagramProtocol):
    """Answers from ZONE: NXDOMAIN for names that are not in it."""

    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # UDP
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        if name in SILENCE:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name.endswith(PROVED) and query.ednsflags & dns.flags.DO:
            response.flags |= dns.flags.AD
        if name in SERVER_FAILURES:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records := ZONE.get((name, kind)):
            response.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, *records))
        elif not any(known == name for known, _ in ZONE):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(response.to_wire(), addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[str]:
    """`address:port` of the name server."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(NameServer, ("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")
        yield f"{host}:{port}"
    finally:
        transport.close()


async def test_mx_and_addresses_are_looked_up() -> None:
    async with name_server() as server:
        found = DnsPython([server], 2_000)

        assert sorted((await found.mx("b.test")).records) == [(10, "mx1.b.test"), (20, "mx2.b.test")]
        assert (await found.mx("null.test")).records == ((0, "."),)
        assert await found.mx("mx1.b.test") == Answer((), 0)
        assert await found.mx("missing.test") == Answer((), 0, exists=False)
        assert await found.addresses("mx1.b.test") == Answer(((4, "192.0.2.1"), (6, "2001:db8::1")), 300)
        assert await found.addresses("four.test") == Answer(((4, "192.0.2.4"),), 300)
        assert await found.addresses("missing.test") == Answer((), 0, exists=False)


async def test_texts_are_joined_and_keys_count_only_when_a_validating_server_proves_them() -> None:
    async with name_server() as server:
        plain, validated = DnsPython([server], 2_000), DnsPython([server], 2_000, validated=True)

        assert sorted(await plain.txt("_mta-sts.b.test")) == [b"other", b"v=STSv1; id=1;"]
        assert await plain.txt("missing.test") == ()
        assert (await validated.mx("signed.test")).proved
        assert (await validated.addresses("mx.signed.test")).proved
        assert await validated.tlsa("mx.signed.test", 25) == (Tlsa(3, 1, 1, b"\xab" * 32),)
        assert not (await validated.mx("b.test")).proved
        assert await validated.tlsa("mx1.b.test", 25) is None
        assert await validated.tlsa("four.test", 25) is None
        assert not (await plain.mx("signed.test")).proved
        assert await plain.tlsa("mx.signed.test", 25) is None


@pytest.mark.parametrize("domain", ["broken.test", "silent.test"])
async def test_a_server_that_fails_or_says_nothing_is_an_error_for_now(domain: str) -> None:
    async with name_server() as server:
        found = DnsPython([server], 200)

        with pytest.raises(DnsError):
            await found.mx(domain)
        with pytest.raises(DnsError):
            await found.addresses(domain)
        with pytest.raises(DnsError):
            await found.txt(domain)


@pytest.mark.parametrize(
    ("domain", "code", "permanent"),
    [
        ("missing.test", "5.1.2", True),
        ("null.test", "5.1.10", True),
        ("broken.test", "4.4.3", False),
        ("b.test", "5.4.4", True),
    ],
    ids=["no domain", "null MX", "server failure", "documentation addresses only"],
)
async def test_what_dns_says_decides_the_outcome(domain: str, code: str, permanent: bool) -> None:
    async with name_server() as server:
        sender = Mta(MtaConfig("out.hermes.test", nameservers=(server,), timeouts=Timeouts(dns_ms=300)))
        result = await sender.send(attempt(address=f"x@{domain}"))
        await sender.close()

    assert isinstance(result, Failed)
    assert (result.code, result.permanent) == (code, permanent)
