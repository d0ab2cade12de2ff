"""The SMPP client against the simulated carrier, and against peers that behave badly."""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

import pytest

from deploy.sandbox.carrier_book import Book, SandboxConfig
from domain.delivery import Failed, Outcome, ReceiptSeen, Sent, Unknown
from egress.smpp.inbound import NotStoredError
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.pdu import ESM_RECEIPT, Pdu, ShortMessage
from tests.fakes.sms_attempts import sms
from tests.integration.smpp_peers import Client, Peer, bound, config, now_ms, sandbox, scripted

RECEIPT = b"id:77 sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:DELIVRD err:000 text:hi"


def receipt_frame(sequence: int = 9) -> bytes:
    message = ShortMessage(c.DELIVER_SM, 0, sequence, esm_class=ESM_RECEIPT, short_message=RECEIPT)
    return codec.encode(message)


async def send_all(client: Client, addresses: list[str]) -> list[Outcome]:
    attempts = [sms(address=address, message_id=f"m{number}") for number, address in enumerate(addresses)]
    return await asyncio.gather(*[client.carrier.submit(attempt) for attempt in attempts])


# Against the simulated carrier.


async def test_a_message_is_sent_and_its_receipt_names_its_id() -> None:
    async with sandbox() as (_, port), bound(config(port)) as client:
        outcome = await client.carrier.submit(sms())
        assert isinstance(outcome, Sent)
        await client.until(lambda: len(client.receipts) == 1)
        receipt = client.receipts[0]
        assert (receipt.provider_id, receipt.status, receipt.code) == (outcome.provider_ids[0], "delivered", "000")


@pytest.mark.parametrize(("address", "status"), [("+4599000001", "delivered"), ("+4599000002", "failed")])
async def test_each_number_of_the_sandbox_gets_the_receipt_it_is_known_for(address: str, status: str) -> None:
    async with sandbox() as (_, port), bound(config(port)) as client:
        await client.carrier.submit(sms(address=address))
        await client.until(lambda: bool(client.receipts))
        assert client.receipts[0].status == status


async def test_a_late_receipt_comes_after_those_of_messages_sent_later() -> None:
    async with sandbox(SandboxConfig(late_ms=150)) as (_, port), bound(config(port)) as client:
        late = await client.carrier.submit(sms(address="+4599000005"))
        prompt = await client.carrier.submit(sms(address="+4599000001"))
        none = await client.carrier.submit(sms(address="+4599000003"))
        assert isinstance(late, Sent)
        assert isinstance(prompt, Sent)
        assert isinstance(none, Sent)
        await client.until(lambda: len(client.receipts) == 2)
        assert [receipt.provider_id for receipt in client.receipts] == [*prompt.provider_ids, *late.provider_ids]


async def test_a_throttled_message_is_sent_again_without_a_failure() -> None:
    async with sandbox() as (carrier, port), bound(config(port)) as client:
        outcome = await client.carrier.submit(sms(address="+4599000004"))
        assert isinstance(outcome, Sent)
        assert carrier.book.counts["throttled"] in (1, 2)
        assert client.events.pauses[0] == 100


async def test_the_parts_of_a_long_text_arrive_in_order_with_an_id_each(tmp_path: Path) -> None:
    text = "0123456789" * 40 + "€"
    path = tmp_path / "book"
    for long_messages in ("udh8", "udh16", "sar", "payload"):
        async with (
            sandbox(book=Book(path)) as (_, port),
            bound(config(port, long_messages=long_messages, binds=2)) as client,
        ):
            outcome = await client.carrier.submit(sms(text))
            assert isinstance(outcome, Sent)
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert "".join(line["text"] for line in lines) == text
            assert [line["id"] for line in lines] == list(outcome.provider_ids)
            path.unlink()


async def test_thousands_of_messages_are_sent_once_each_and_all_receipts_come_back(tmp_path: Path) -> None:
    count = 2_000
    path = tmp_path / "book"
    async with sandbox(book=Book(path)) as (_, port), bound(config(port, binds=2, window=50)) as client:
        outcomes = await send_all(client, ["+4599000001"] * count)
        await client.until(lambda: len(client.receipts) == count)
        ids = [outcome.provider_ids[0] for outcome in outcomes if isinstance(outcome, Sent)]
        assert len(set(ids)) == count
        assert {receipt.provider_id for receipt in client.receipts} == set(ids)
        assert len(path.read_text().splitlines()) == count


async def test_receipts_wait_for_a_client_that_vanished() -> None:
    async with sandbox(SandboxConfig(receipt_delay_ms=50)) as (carrier, port), bound(config(port)) as client:
        outcome = await client.carrier.submit(sms())
        carrier.hang_up()
        await client.until(lambda: len(client.receipts) == 1)
        assert isinstance(outcome, Sent)
        assert client.events.names.count("bound") == 2


async def test_a_receipt_that_could_not_be_stored_comes_again() -> None:
    seen: list[ReceiptSeen] = []

    async def store(receipt: ReceiptSeen) -> None:
        seen.append(receipt)
        if len(seen) == 1:
            raise NotStoredError

    async with sandbox() as (carrier, port), bound(config(port), store) as client:
        await client.carrier.submit(sms())
        await client.until(lambda: len(seen) == 2)
        assert seen[0].provider_id == seen[1].provider_id
        assert client.events.not_stored == 1
        assert carrier.book.counts["receipts_refused"] == 1


async def test_a_wrong_password_waits_long_and_raises_an_alert() -> None:
    async with sandbox() as (_, port), bound(config(port, password="wrong"), wait=False) as client:
        await client.until(lambda: bool(client.events.refusals))
        assert client.events.refusals == [(0x0E, 60_000)]
        outcome = await client.carrier.submit(sms(expires_at_ms=now_ms() + 50))
        assert outcome == Failed(permanent=False, code="not_bound", detail="no bind until it expired")


async def test_draining_answers_what_is_under_way_and_gives_back_what_is_not() -> None:
    async with sandbox(SandboxConfig(delay_ms=100)) as (_, port), bound(config(port, window=1)) as client:
        first = asyncio.create_task(client.carrier.submit(sms(message_id="a")))
        second = asyncio.create_task(client.carrier.submit(sms(message_id="b")))
        await client.until(lambda: client.carrier.in_flight == 1 and client.carrier.queued == 1)
        await client.carrier.drain(2_000)
        assert isinstance(await first, Sent)
        waiting = await second
        assert isinstance(waiting, Failed)
        assert (waiting.code, waiting.permanent) == ("draining", False)
        assert (await client.carrier.submit(sms())) == Failed(
            permanent=False, code="draining", detail="not written before the client stopped"
        )


async def test_the_rate_of_the_account_is_kept_over_all_binds() -> None:
    async with sandbox() as (_, port), bound(config(port, tps=100, binds=2)) as client:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await send_all(client, ["+4599000003"] * 40)
        assert loop.time() - begin >= 0.29  # ten at once, the rest at ten milliseconds


async def test_the_simulated_carrier_runs_as_a_process_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.sandbox.carrier", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        port = int(json.loads(await process.stdout.readline())["listening"].rsplit(":", 1)[1])
        async with bound(config(port)) as client:
            assert isinstance(await client.carrier.submit(sms()), Sent)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert json.loads(await process.stdout.readline())["stopped"]["accepted"] == 1


# Against peers that behave badly.


async def test_a_connection_lost_after_the_write_leaves_the_outcome_unknown() -> None:
    async def hang_up_on_submit(peer: Peer) -> None:
        await peer.accept_bind()
        await peer.hear_submit()
        peer.hang_up()

    async with scripted(hang_up_on_submit) as port, bound(config(port)) as client:
        assert await client.carrier.submit(sms()) == Unknown("the connection was lost before an answer")


async def test_a_message_that_waits_for_room_goes_by_the_next_bind() -> None:
    async def lose_the_first(peer: Peer) -> None:
        await peer.accept_bind()
        await peer.hear_submit()
        peer.hang_up()

    async def answer_all(peer: Peer) -> None:
        await peer.accept_bind()
        while True:
            peer.answer(await peer.hear_submit(), "id")

    async with scripted(lose_the_first, answer_all) as port, bound(config(port, window=1)) as client:
        first, second = await asyncio.gather(client.carrier.submit(sms()), client.carrier.submit(sms(message_id="m2")))
        assert isinstance(first, Unknown)
        assert second == Sent(("id",))


async def test_no_answer_in_time_is_unknown_and_the_late_answer_is_still_told() -> None:
    late = asyncio.Event()

    async def answer_late(peer: Peer) -> None:
        await peer.accept_bind()
        submit = await peer.hear_submit()
        await late.wait()
        peer.answer(submit, "late-id")
        await peer.wait_closed()

    async with scripted(answer_late) as port, bound(config(port, response_timeout_ms=80)) as client:
        assert await client.carrier.submit(sms()) == Unknown("no answer in time")
        assert client.carrier.in_flight == 0
        late.set()
        await client.until(lambda: client.events.lates == [("m1", 0, 0, "late-id")])


async def test_the_window_is_never_exceeded_and_answers_may_come_in_any_order() -> None:
    sizes: list[int] = []

    async def answer_backwards(peer: Peer) -> None:
        await peer.accept_bind()
        while True:
            batch = [await peer.hear_submit() for _ in range(5)]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.03):
                    batch.append(await peer.hear_submit())
            sizes.append(len(batch))
            for submit in reversed(batch):
                peer.answer(submit, submit.destination_addr)

    async with scripted(answer_backwards) as port, bound(config(port, window=5)) as client:
        addresses = [f"+45990001{number:02d}" for number in range(15)]
        outcomes = await send_all(client, addresses)
        assert outcomes == [Sent((address[1:],)) for address in addresses]
        assert sizes == [5, 5, 5]


async def test_endless_throttling_ends_with_the_attempts_own_time() -> None:
    async def throttle(peer: Peer) -> None:
        await peer.accept_bind()
        while True:
            peer.answer(await peer.hear_submit(), "", status=0x58)

    async with scripted(throttle) as port, bound(config(port)) as client:
        outcome = await client.carrier.submit(sms(expires_at_ms=now_ms() + 300))
        assert outcome == Failed(permanent=False, code="throttled", detail="throttled until it expired")
        assert len(client.events.statuses) >= 2


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x0B, Failed(permanent=True, code="ESME_RINVDSTADR", detail="the carrier answered ESME_RINVDSTADR")),
        (
            0x08,
            Failed(
                permanent=False, code="ESME_RSYSERR", detail="the carrier answered ESME_RSYSERR", retry_after_ms=30_000
            ),
        ),
        (0x0432, Failed(permanent=True, code="0x00000432", detail="the carrier answered 0x00000432")),
    ],
)
async def test_a_refusal_is_permanent_or_not_by_its_status(status: int, expected: Failed) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.accept_bind()
        peer.answer(await peer.hear_submit(), "", status=status)
        await peer.wait_closed()

    async with scripted(refuse) as port, bound(config(port)) as client:
        assert await client.carrier.submit(sms()) == expected


async def test_a_receipt_is_acknowledged_only_after_it_is_stored_and_enquire_link_does_not_wait() -> None:
    storing = asyncio.Event()
    order: list[int] = []

    async def store(_: ReceiptSeen) -> None:
        await storing.wait()

    async def deliver(peer: Peer) -> None:
        await peer.accept_bind()
        peer.say(receipt_frame() + codec.header_only(c.ENQUIRE_LINK, 0, 10))
        order.append((await peer.hear()).command_id)
        storing.set()
        order.append((await peer.hear()).command_id)
        await peer.wait_closed()

    async with scripted(deliver) as port, bound(config(port), store) as client:
        await client.until(lambda: len(order) == 2)
        assert order == [c.ENQUIRE_LINK_RESP, c.DELIVER_SM_RESP]


async def test_broken_and_unknown_pdus_get_their_answers_and_the_session_goes_on() -> None:
    answers: list[tuple[int, int, int]] = []

    async def misbehave(peer: Peer) -> None:
        await peer.accept_bind()
        frame = bytearray(receipt_frame(21))
        frame[-len(RECEIPT) - 1] += 9  # sm_length beyond the end: taken as it is
        peer.say(bytes(frame))
        peer.say(codec.header_only(0x0110, 0, 22))
        peer.say(codec.header_only(0x80000110, 0, 23))
        peer.say(codec.encode(Pdu(c.QUERY_SM, 0, 24, {"message_id": "x"})))
        peer.say(bytes.fromhex("00000011 00000005 00000000 00000019 41".replace(" ", "")))
        heard = [await peer.hear() for _ in range(4)]
        answers.extend(sorted((pdu.sequence, pdu.command_id, pdu.status) for pdu in heard))
        peer.answer(await peer.hear_submit(), "after")
        await peer.wait_closed()

    async with scripted(misbehave) as port, bound(config(port)) as client:
        assert await client.carrier.submit(sms()) == Sent(("after",))
        assert answers == [
            (21, c.DELIVER_SM_RESP, 0),
            (22, c.GENERIC_NACK, 3),
            (24, c.QUERY_SM_RESP, 3),
            (25, c.DELIVER_SM_RESP, 0x15),
        ]
        assert [receipt.provider_id for receipt in client.receipts] == ["77"]


async def test_a_lost_boundary_is_answered_with_generic_nack_and_the_end() -> None:
    octets: list[bytes] = []

    async def talk_http(peer: Peer) -> None:
        await peer.accept_bind()
        peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        octets.append(await peer.wait_closed())

    async with scripted(talk_http) as port, bound(config(port), wait=False) as client:
        await client.until(lambda: bool(octets))
        nack = codec.decode(octets[0])
        assert (nack.command_id, nack.status) == (c.GENERIC_NACK, 2)
        assert client.events.faults[0] == "bad_length"


async def test_a_peer_that_never_answers_the_bind_is_given_up() -> None:
    async def say_nothing(peer: Peer) -> None:
        await peer.hear()
        await peer.wait_closed()

    async with scripted(say_nothing) as port, bound(config(port, bind_timeout_ms=50), wait=False) as client:
        await client.until(lambda: len(client.events.unbounds) >= 2)
        assert client.events.unbounds[0] == "bind_timeout"


async def test_a_peer_that_does_not_answer_enquire_link_is_half_open() -> None:
    asked: list[int] = []

    async def fall_silent(peer: Peer) -> None:
        await peer.accept_bind()
        asked.append((await peer.hear()).command_id)
        await peer.wait_closed()

    changes = {"enquire_link_ms": 40, "enquire_link_timeout_ms": 60}
    async with scripted(fall_silent) as port, bound(config(port, **changes)) as client:
        await client.until(lambda: "half_open" in client.events.unbounds)
        assert asked[0] == c.ENQUIRE_LINK


async def test_a_partial_pdu_may_not_wait_for_its_rest() -> None:
    async def stop_in_the_middle(peer: Peer) -> None:
        await peer.accept_bind()
        peer.say(receipt_frame()[:30])
        await peer.wait_closed()

    async with scripted(stop_in_the_middle) as port, bound(config(port, partial_pdu_ms=40)) as client:
        await client.until(lambda: "partial_pdu" in client.events.unbounds)


async def test_an_unbind_of_the_peer_is_answered_when_nothing_is_unanswered() -> None:
    order: list[int] = []

    async def say_goodbye(peer: Peer) -> None:
        await peer.accept_bind()
        submit = await peer.hear_submit()
        peer.say(codec.header_only(c.UNBIND, 0, 5))
        await asyncio.sleep(0.02)
        peer.answer(submit, "last")
        order.append((await peer.hear()).command_id)

    async with scripted(say_goodbye) as port, bound(config(port)) as client:
        assert await client.carrier.submit(sms()) == Sent(("last",))
        await client.until(lambda: "unbound_by_peer" in client.events.unbounds)
        assert order[0] == c.UNBIND_RESP


async def test_a_message_from_a_handset_that_nobody_asked_for_is_refused_for_good() -> None:
    answers: list[int] = []

    async def deliver_text(peer: Peer) -> None:
        await peer.accept_bind()
        peer.say(codec.encode(ShortMessage(c.DELIVER_SM, 0, 3, short_message=b"STOP")))
        answers.append((await peer.hear()).status)
        await peer.wait_closed()

    async with scripted(deliver_text) as port, bound(config(port)) as client:
        await client.until(lambda: answers == [0x65])
        assert not client.receipts
