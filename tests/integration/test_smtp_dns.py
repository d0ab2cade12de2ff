"""The look-ups of SPF, DKIM and DMARC against a name server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from ingress.smtp.dns import DnsPython
from schemas.mail.dns import DnsError
from schemas.mail.spf import check_host

ZONE = {
    ("a.test.", "TXT"): ['"v=spf1 " "mx -all"', '"other"'],
    ("a.test.", "MX"): ["10 mx.a.test."],
    ("mx.a.test.", "A"): ["192.0.2.1"],
    ("1.2.0.192.in-addr.arpa.", "PTR"): ["mx.a.test."],
}
BROKEN = "broken.test."


class NameServer(asyncio.DatagramProtocol):
    """Answers from ZONE; SERVFAIL for BROKEN, NXDOMAIN for other names."""

    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # UDP
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name == BROKEN:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records := ZONE.get((name, kind)):
            response.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, *records))
        elif not any(known == name for known, _ in ZONE):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(response.to_wire(), addr)


@asynccontextmanager
async def resolver() -> AsyncIterator[DnsPython]:
    """A resolver that asks the name server."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(NameServer, ("127.0.0.1", 0))
    try:
        yield DnsPython([transport.get_extra_info("sockname")[:2]], timeout_ms=500)
    finally:
        transport.close()


async def test_each_kind_of_record_is_found() -> None:
    async with resolver() as found:
        assert sorted(await found.txt("a.test")) == [b"other", b"v=spf1 mx -all"]
        assert await found.mx("a.test") == ((10, "mx.a.test"),)
        assert await found.addresses("mx.a.test", "A") == ("192.0.2.1",)
        assert await found.ptr("1.2.0.192.in-addr.arpa") == ("mx.a.test",)


@pytest.mark.parametrize("name", ["none.test", "mx.a.test", "a..test", "a" * 64 + ".test", ".".join(["a" * 60] * 5)])
async def test_what_is_not_there_or_cannot_be_asked_is_nothing(name: str) -> None:
    async with resolver() as found:
        assert await found.txt(name) == ()


async def test_a_failing_server_is_for_now() -> None:
    async with resolver() as found:
        with pytest.raises(DnsError):
            await found.txt("broken.test")


async def test_spf_works_over_it() -> None:
    async with resolver() as found:
        assert (await check_host(found, "192.0.2.1", "x@a.test", "h.test")).result == "pass"
        assert (await check_host(found, "192.0.2.2", "x@a.test", "h.test")).result == "fail"
        assert (await check_host(found, "192.0.2.2", "x@broken.test", "h.test")).result == "temperror"
