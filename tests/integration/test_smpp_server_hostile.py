"""The SMPP server against strangers, slow peers and floods: limits hold, and everybody else is served."""

import asyncio
import random
from dataclasses import replace

import pytest

from ingress.smpp.settings import AccountProfile
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp import status as s
from schemas.smpp.framing import MAX_PDU_OCTETS
from schemas.smpp.pdu import Pdu
from tests.fakes.fake_desk import FakeDesk
from tests.integration.smpp_esme import QUICK, Esme, bound, gateway, text, until


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes.fromhex("16030100c8010000c40303") + bytes(200),
        (2_000).to_bytes(4, "big") + bytes(4),
        (15).to_bytes(4, "big"),
        bytes(4),
        b"\xff" * 12,
    ],
)
async def test_what_is_no_smpp_gets_one_generic_nack_and_the_connection_closes(octets: bytes) -> None:
    async with gateway() as gate, Esme(gate.port) as esme:
        esme.say(octets)
        sequence = int.from_bytes(octets[12:16], "big") if len(octets) >= 16 else 0
        assert await esme.wait_closed() == codec.header_only(c.GENERIC_NACK, s.ESME_RINVCMDLEN, sequence)


async def test_an_oversized_pdu_ends_a_bound_session_and_names_its_sequence_number() -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        esme.say((MAX_PDU_OCTETS + 1).to_bytes(4, "big") + bytes((0, 0, 0, 4)) + bytes(4) + bytes((0, 0, 0, 9)))
        assert await esme.wait_closed() == codec.header_only(c.GENERIC_NACK, s.ESME_RINVCMDLEN, 9)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", s.ESME_RINVSERTYP),
        (b"\0\1\1", s.ESME_RINVSRCADR),
        (codec.encode(text())[16:-3], s.ESME_RINVMSGLEN),
        (codec.encode(text())[16:] + b"\x04\x24\xff\xff", s.ESME_RINVOPTPARSTREAM),
        (codec.encode(text())[16:] + b"\1\2\3", s.ESME_RINVOPTPARSTREAM),
    ],
)
async def test_a_truncated_body_is_refused_with_its_fields_status_and_the_session_goes_on(
    body: bytes, status: int
) -> None:
    async with gateway() as gate, bound(gate.port) as esme:
        esme.say((16 + len(body)).to_bytes(4, "big") + bytes((0, 0, 0, 4)) + bytes(4) + bytes((0, 0, 0, 7)) + body)
        answer = await esme.hear()
        assert (answer.command_id, answer.status, answer.sequence) == (c.SUBMIT_SM_RESP, status, 7)
        assert (await esme.ask(text())).status == s.ESME_ROK


async def test_before_a_bind_requests_are_refused_and_enquire_link_is_answered() -> None:
    async with gateway() as gate, Esme(gate.port) as esme:
        assert (await esme.ask(text())).status == s.ESME_RINVBNDSTS
        assert (await esme.ask(Pdu(c.QUERY_SM, 0, 0, {"message_id": "1"}))).status == s.ESME_RINVBNDSTS
        assert (await esme.ask(Pdu(c.ENQUIRE_LINK, 0, 0))).status == s.ESME_ROK
        assert (await esme.ask(Pdu(c.UNBIND, 0, 0))).status == s.ESME_RINVBNDSTS
        assert (await esme.bind()).status == s.ESME_ROK


async def test_an_outbind_is_refused_and_the_connection_closes() -> None:
    async with gateway() as gate, Esme(gate.port) as esme:
        answer = await esme.ask(Pdu(c.OUTBIND, 0, 0, {"system_id": "acme", "password": "secret"}))
        assert (answer.command_id, answer.status) == (c.GENERIC_NACK, s.ESME_RINVBNDSTS)
        assert await esme.wait_closed() == b""


async def test_garbage_never_ends_the_server() -> None:
    chance = random.Random(7)  # noqa: S311 - a seed makes the test repeatable
    frame = codec.encode(text("hello" * 20))
    async with gateway(replace(QUICK, max_failed_binds_per_ip=10_000)) as gate:
        for _ in range(150):
            async with Esme(gate.port) as esme:
                if chance.random() < 0.5:
                    await esme.bind()
                octets = bytearray(frame)
                for _ in range(chance.randrange(1, 6)):
                    octets[chance.randrange(4, len(octets))] = chance.randrange(256)
                esme.say(bytes(octets))
                esme.say(chance.randbytes(chance.randrange(40)))
        async with bound(gate.port) as esme:
            assert (await esme.ask(text())).status == s.ESME_ROK
        await until(lambda: gate.server.bound == 0)


async def test_a_pdu_that_comes_in_drops_is_cut_off() -> None:
    async with gateway(replace(QUICK, partial_pdu_ms=60)) as gate, bound(gate.port) as esme:
        for octet in codec.encode(text())[:8]:
            esme.say(bytes((octet,)))
            await asyncio.sleep(0.005)
        assert await esme.wait_closed() == codec.header_only(c.GENERIC_NACK, s.ESME_RINVCMDLEN, 0)


async def test_who_talks_on_without_a_bind_is_cut_off() -> None:
    async with gateway() as gate, Esme(gate.port) as esme:
        esme.say(codec.header_only(c.ENQUIRE_LINK, 0, 1) * 101)
        assert len(await esme.wait_closed()) == 100 * 16


async def test_a_connection_that_never_binds_is_closed() -> None:
    async with gateway(replace(QUICK, session_init_ms=60)) as gate, Esme(gate.port) as esme:
        assert (await esme.ask(Pdu(c.ENQUIRE_LINK, 0, 0))).status == s.ESME_ROK
        assert await esme.wait_closed() == b""


async def test_a_silent_session_is_asked_and_then_given_up() -> None:
    settings = replace(QUICK, enquire_link_ms=30, enquire_link_timeout_ms=60)
    async with gateway(settings) as gate, bound(gate.port) as alive, Esme(gate.port) as dead:
        answering = asyncio.create_task(alive.hear())
        await dead.bind()
        await until(lambda: gate.server.bound == 2)
        await until(lambda: gate.server.bound == 1)
        await asyncio.sleep(0.15)
        assert gate.server.bound == 1
        answering.cancel()


async def test_an_idle_session_is_closed_when_it_is_not_asked() -> None:
    settings = replace(QUICK, enquire_link_ms=0, inactivity_ms=60)
    async with gateway(settings) as gate, bound(gate.port) as esme:
        assert await esme.wait_closed() == b""


async def test_more_than_the_window_waits_in_the_socket_and_all_of_it_is_answered() -> None:
    hold = asyncio.Event()
    settings = replace(QUICK, profile=AccountProfile(window=5))
    async with gateway(settings, FakeDesk(hold=hold)) as gate, bound(gate.port) as esme:
        numbers = {esme.send(text()) for _ in range(50)}
        for _ in range(5):
            await gate.desk.arrivals.get()
        await asyncio.sleep(0.05)
        assert len(gate.desk.submitted) == 5
        hold.set()
        assert {(await esme.hear()).sequence for _ in range(50)} == numbers


async def test_too_much_at_work_in_the_whole_process_is_a_full_queue() -> None:
    hold = asyncio.Event()
    settings = replace(QUICK, max_in_flight=1)
    async with gateway(settings, FakeDesk(hold=hold)) as gate, bound(gate.port) as esme:
        first = esme.send(text())
        assert (await esme.ask(text())).status == s.ESME_RMSGQFUL
        hold.set()
        assert (await esme.hear()).sequence == first


async def test_who_sends_too_fast_is_throttled_and_stays_bound() -> None:
    settings = replace(QUICK, profile=AccountProfile(submits_per_s=1, window=1_000))
    async with gateway(settings) as gate, bound(gate.port) as esme:
        for _ in range(260):
            esme.send(text())
        statuses = [(await esme.hear()).status for _ in range(260)]
        assert statuses.count(s.ESME_ROK) in (255, 256)
        assert statuses.count(s.ESME_RTHROTTLED) == 260 - statuses.count(s.ESME_ROK)
        assert (await esme.ask(Pdu(c.ENQUIRE_LINK, 0, 0))).status == s.ESME_ROK


async def test_connections_without_a_bind_are_counted_by_address() -> None:
    async with gateway(replace(QUICK, max_unbound_per_ip=1)) as gate, Esme(gate.port) as first:
        await first.ask(Pdu(c.ENQUIRE_LINK, 0, 0))
        async with Esme(gate.port) as second:
            assert await _is_cut_off(second)
        await first.bind()
        async with bound(gate.port):
            assert gate.server.bound == 2


async def test_an_address_with_too_many_wrong_passwords_is_kept_out_for_a_while() -> None:
    async with gateway(replace(QUICK, max_failed_binds_per_ip=2)) as gate:
        for _ in range(2):
            async with Esme(gate.port) as guesser:
                assert (await guesser.bind(password="guess")).status == s.ESME_RINVPASWD
                await guesser.wait_closed()
        async with Esme(gate.port) as guesser:
            assert await _is_cut_off(guesser)


@pytest.mark.parametrize(
    "settings",
    [replace(QUICK, networks=("192.0.2.0/24",)), replace(QUICK, max_sessions=0)],
)
async def test_addresses_and_numbers_of_connections_are_limited(settings: object) -> None:
    async with gateway(settings) as gate, Esme(gate.port) as esme:  # type: ignore[arg-type]  # a parameter
        assert await _is_cut_off(esme)


async def test_a_tenants_networks_are_kept() -> None:
    settings = replace(QUICK, profiles={"acme": AccountProfile(networks=("192.0.2.0/24", "2001:db8::/32"))})
    async with gateway(settings) as gate, Esme(gate.port) as esme, bound(gate.port, system_id="other"):
        assert (await esme.bind()).status == s.ESME_RBINDFAIL


async def test_two_hundred_sessions_send_and_get_their_receipts() -> None:
    settings = replace(QUICK, profile=AccountProfile(max_binds=200), max_unbound_per_ip=200)
    async with gateway(settings) as gate:
        sent = asyncio.Event()

        async def talk() -> set[int]:
            async with bound(gate.port) as esme:
                statuses = {(await esme.ask(text(registered_delivery=1))).status for _ in range(3)}
                if len(gate.desk.submitted) == 600:
                    sent.set()
                await sent.wait()
                return statuses

        assert set().union(*await asyncio.gather(*(talk() for _ in range(200)))) == {s.ESME_ROK}
        assert len(gate.store.waiting) == 600
        assert gate.store.adds < 600  # statements are shared
        async with bound(gate.port) as esme:
            for submission in gate.desk.submitted:
                await gate.ended(submission.message_id)
            for _ in range(600):
                await esme.hear_receipt()
        await until(lambda: not gate.store.due)


async def _is_cut_off(esme: Esme) -> bool:
    try:
        return await esme.wait_closed() == b""
    except ConnectionError:
        return True
