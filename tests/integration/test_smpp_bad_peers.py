"""The SMPP client against peers that behave badly."""

import asyncio
import contextlib

from domain.delivery import Failed, ReceiptSeen, Sent, Unknown
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.pdu import ESM_RECEIPT, Pdu, ShortMessage
from tests.fakes.sms_attempts import sms
from tests.integration.smpp_peers import Peer, bound, config, now_ms, scripted, send_all

RECEIPT = b"id:77 sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:DELIVRD err:000 text:hi"


def receipt_frame(sequence: int = 9) -> bytes:
    message = ShortMessage(c.DELIVER_SM, 0, sequence, esm_class=ESM_RECEIPT, short_message=RECEIPT)
    return codec.encode(message)


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


async def test_the_rest_of_a_long_text_goes_by_the_next_bind_when_the_first_is_lost_between_two_parts() -> None:
    parts: list[bytes] = []

    async def answer_one_and_hang_up(peer: Peer) -> None:
        await peer.accept_bind()
        submit = await peer.hear_submit()
        parts.append(submit.short_message)
        peer.say(codec.header_only(c.UNBIND, 0, 1))
        peer.answer(submit, "first")
        await peer.wait_closed()

    async def answer_all(peer: Peer) -> None:
        await peer.accept_bind()
        while True:
            submit = await peer.hear_submit()
            parts.append(submit.short_message)
            peer.answer(submit, "second")

    async with scripted(answer_one_and_hang_up, answer_all) as port, bound(config(port)) as client:
        assert await client.carrier.submit(sms("x" * 200)) == Sent(("first", "second"))
        assert [part[:6].hex() for part in parts] == ["050003010201", "050003010202"]


async def test_a_full_queue_of_one_number_holds_up_nobody_else() -> None:
    async def refuse_one_number(peer: Peer) -> None:
        await peer.accept_bind()
        while True:
            submit = await peer.hear_submit()
            peer.answer(submit, "id", status=0x14 if submit.destination_addr == "4599000009" else 0)

    async with scripted(refuse_one_number) as port, bound(config(port, window=1)) as client:
        full = client.carrier.submit(sms(address="+4599000009", expires_at_ms=now_ms() + 300))
        free = client.carrier.submit(sms(address="+4599000001", message_id="m2"))
        first, second = await asyncio.gather(full, free)
        assert isinstance(first, Failed)
        assert first.code == "throttled"
        assert second == Sent(("id",))


async def test_receipts_beyond_the_queue_are_asked_for_again() -> None:
    storing = asyncio.Event()
    answers: list[tuple[int, int]] = []

    async def store(_: ReceiptSeen) -> None:
        await storing.wait()

    async def flood(peer: Peer) -> None:
        await peer.accept_bind()
        await asyncio.sleep(0.02)
        peer.say(b"".join(receipt_frame(sequence) for sequence in range(1, 5)))
        first = await peer.hear()
        storing.set()
        answers.extend(sorted((pdu.sequence, pdu.status) for pdu in [first] + [await peer.hear() for _ in range(3)]))
        await peer.wait_closed()

    async with scripted(flood) as port, bound(config(port, receipt_queue_limit=2), store) as client:
        await client.until(lambda: len(answers) == 4)
        assert answers == [(1, 0), (2, 0), (3, 0x64), (4, 0x64)]


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
