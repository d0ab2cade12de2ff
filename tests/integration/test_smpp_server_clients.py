"""The SMPP server with other clients than the tests' own: smpplib, our carrier client, and TLS."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.gsm

from domain.delivery import Sent
from domain.errors import ConfigError
from ingress.smpp.settings import TlsSettings
from schemas.smpp import status as s
from tests.fakes.sms_attempts import sms
from tests.integration import smpp_peers
from tests.integration.peers import self_signed
from tests.integration.smpp_esme import PASSWORD, QUICK, Esme, gateway, text


class Library:
    """A client of smpplib; its calls block, so they run in a thread."""

    def __init__(self, port: int) -> None:
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=5, allow_unknown_opt_params=True)
        self.ids: list[bytes] = []
        self.receipts: list[Any] = []
        self.client.set_message_sent_handler(lambda pdu: self.ids.append(pdu.message_id))
        self.client.set_message_received_handler(self.keep)

    def keep(self, pdu: Any) -> None:
        self.receipts.append(pdu)

    def bind(self) -> None:
        self.client.connect()
        self.client.bind_transceiver(system_id="acme", password=PASSWORD)

    def send(self, message: str) -> int:
        """Send and read the answers; how many parts there were."""
        parts, coding, esm_class = smpplib.gsm.make_parts(message)
        for octets in parts:
            self.client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                source_addr="Acme",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                destination_addr="4512345678",
                short_message=octets,
                data_coding=coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
        for _ in parts:
            self.client.read_once()
        return len(parts)

    def read(self, count: int) -> None:
        while len(self.receipts) < count:
            self.client.read_once()

    def leave(self) -> None:
        self.client.unbind()
        self.client.disconnect()


@pytest.mark.parametrize(
    ("message", "count"), [("hello [world] €", 1), ("é" * 200 + "^" * 100, 3), ("日本語" * 40 + "😀", 2)]
)
async def test_smpplib_binds_sends_reads_its_receipts_and_unbinds(message: str, count: int) -> None:
    async with gateway() as gate:
        library = await asyncio.to_thread(Library, gate.port)
        await asyncio.to_thread(library.bind)
        assert await asyncio.to_thread(library.send, message) == count
        request = gate.desk.submitted[0].request
        assert request is not None
        assert request.body.text == message
        assert len(set(library.ids)) == count
        await gate.ended(gate.desk.submitted[0].message_id)
        await asyncio.to_thread(library.read, count)
        assert {pdu.receipted_message_id.rstrip(b"\0") for pdu in library.receipts} == set(library.ids)
        await asyncio.to_thread(library.leave)


@pytest.mark.parametrize("way", ["udh8", "udh16", "sar", "payload"])
async def test_our_own_carrier_client_binds_and_sends_long_texts_in_every_way_and_gets_receipts(way: str) -> None:
    message = "long [text] " * 20
    async with gateway() as gate:
        config = smpp_peers.config(gate.port, system_id="acme", password=PASSWORD, long_messages=way)
        async with smpp_peers.bound(config) as client:
            outcome = await client.carrier.submit(sms(text=message))
            assert isinstance(outcome, Sent)
            request = gate.desk.submitted[0].request
            assert request is not None
            assert request.body.text == message
            await gate.ended(gate.desk.submitted[0].message_id)
            await client.until(lambda: len(client.receipts) == len(outcome.provider_ids))
            assert {receipt.provider_id for receipt in client.receipts} == set(outcome.provider_ids)
            assert {receipt.status for receipt in client.receipts} == {"delivered"}


async def test_a_session_over_tls_is_like_any_other_and_old_versions_are_refused(tmp_path: Path) -> None:
    _, certificate = self_signed(tmp_path)
    tls = TlsSettings(str(certificate), str(certificate.with_name("key.pem")), 0, "1.3")
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.check_hostname = False
    old = ssl.create_default_context(cafile=str(certificate))
    old.check_hostname = False
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with gateway(replace(QUICK, tls=tls)) as gate:
        async with Esme(gate.tls_port, trusting) as esme:
            assert (await esme.bind()).status == s.ESME_ROK
            assert (await esme.ask(text())).status == s.ESME_ROK
            assert (await esme.bind()).status == s.ESME_RALYBND
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with Esme(gate.tls_port, old):
                pass


async def test_a_certificate_that_is_not_there_is_an_error_of_configuration(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    with pytest.raises(ConfigError, match="SMPP TLS"):
        async with gateway(replace(QUICK, tls=TlsSettings(missing, missing, 0))):
            pass
