"""Text messages from handsets go to the tenant whose number it is, under an id that a repetition has too."""

from collections import Counter
from typing import Any

import pytest

from domain.inbound import Received, ReceivedPart
from domain.tenant import Tenant
from egress.messages import REPEAT_MS, Messages, number_of
from egress.publisher import PublishError
from egress.smpp.config import CarrierConfig
from schemas.catalogue import codec
from schemas.smpp.commands import DELIVER_SM
from schemas.smpp.pdu import ESM_UDHI, ShortMessage
from schemas.smpp.text import encode_ucs2
from schemas.smpp.udh import concat8
from schemas.topics import INBOUND, PARTS
from tables.config import ConfigTable
from tests.fakes.fake_egress import FakePublisher

CODEC = codec()
NOW_MS = 1_800_000_000_000
METRIC = "hermes_smpp_deliver_sm_total"
HELLO = ShortMessage(
    command_id=DELIVER_SM, source_addr_ton=1, source_addr="4520123456", destination_addr="1245", short_message=b"hello",
)  # fmt: skip


class Rig:
    """A receiver over fakes with one tenant, and a clock that is set."""

    def __init__(self) -> None:
        self.publisher = FakePublisher(CODEC)
        self.now_ms = NOW_MS
        self.kinds: Counter[str] = Counter()
        config = ConfigTable()
        config.apply("tenant/t1", Tenant("t1", "Acme", "starter", "active", numbers=("1245", "+4588888888")), 1)
        messages = Messages(self.publisher.publish, config, lambda: self.now_ms, self._count)
        self.take = messages.of(CarrierConfig("telia", "127.0.0.1", 1, "us", "secret"))

    def _count(self, metric: str, **labels: str) -> None:
        assert (metric, labels["carrier"]) == (METRIC, "telia")
        self.kinds[labels["kind"]] += 1

    def got(self) -> list[Received]:
        return self.publisher.on(INBOUND)


async def test_a_message_is_durable_for_its_tenant_with_numbers_as_they_are_written() -> None:
    rig = Rig()
    await rig.take(HELLO)
    await rig.take(HELLO._replace(destination_addr="4588888888", data_coding=8, short_message=encode_ucs2("日")))
    first, second = rig.got()
    told = (first.tenant_id, first.channel, first.sender, first.recipient, first.text, first.carrier, first.at_ms)
    assert told == ("t1", "sms", "+4520123456", "1245", "hello", "telia", NOW_MS)
    assert (second.recipient, second.text) == ("+4588888888", "日")
    assert rig.kinds == {"message": 2}


async def test_what_a_carrier_repeats_has_the_same_id_over_the_turn_of_a_minute_and_not_for_ever() -> None:
    rig = Rig()
    for wait_ms in (0, REPEAT_MS - 1, 1):
        rig.now_ms += wait_ms
        await rig.take(HELLO._replace(sequence=rig.now_ms % 1_000, tlvs=((0x1501, str(rig.now_ms).encode()),)))
    first, again, later = [one.inbound_id for one in rig.got()]
    assert first == again
    assert later != first
    assert first.startswith("in-")


async def test_another_process_gives_the_same_id_within_the_minute() -> None:
    one, other = Rig(), Rig()
    await one.take(HELLO)
    await other.take(HELLO)
    assert one.got() == other.got()


async def test_another_text_sender_or_reference_is_another_message() -> None:
    rig = Rig()
    for message in (
        HELLO,
        HELLO._replace(short_message=b"hello!"),
        HELLO._replace(source_addr="4520123457"),
        HELLO._replace(tlvs=((0x0204, b"\0\1"),)),
    ):
        await rig.take(message)
    assert len({one.inbound_id for one in rig.got()}) == 4


async def test_the_carriers_own_id_names_a_message_for_ever() -> None:
    rig = Rig()
    named = HELLO._replace(tlvs=((0x001E, b"c-7\0"),))
    await rig.take(named)
    rig.now_ms += 10 * REPEAT_MS
    await rig.take(named)
    await rig.take(HELLO._replace(tlvs=((0x001E, b"c-8\0"),)))
    first, again, other = [one.inbound_id for one in rig.got()]
    assert first == again != other


async def test_a_part_is_kept_as_it_came_for_only_the_whole_tells_the_tenant() -> None:
    rig = Rig()
    await rig.take(HELLO._replace(esm_class=ESM_UDHI, short_message=concat8(9, 2, 2) + b"lo", destination_addr="777"))
    (part,) = rig.publisher.on(PARTS)
    assert isinstance(part, ReceivedPart)
    assert (part.sender, part.recipient, part.kind, part.ref, part.total, part.seq, part.octets) == (
        "+4520123456", "777", 8, 9, 2, 2, b"lo",
    )  # fmt: skip
    assert rig.kinds == {"part": 1}


async def test_what_is_no_text_or_nobodys_is_counted_and_not_sent_again() -> None:
    rig = Rig()
    await rig.take(HELLO._replace(destination_addr="777"))
    await rig.take(HELLO._replace(data_coding=4))
    assert rig.kinds == {"unroutable": 1, "not_text": 1}
    assert rig.publisher.story == []


async def test_what_could_not_be_stored_is_not_acknowledged() -> None:
    rig = Rig()
    rig.publisher.error = PublishError("away")
    with pytest.raises(PublishError):
        await rig.take(HELLO)
    assert not rig.kinds


@pytest.mark.parametrize(
    ("address", "ton", "written"),
    [
        ("4520123456", 1, "+4520123456"),
        ("+4520123456", 0, "+4520123456"),
        ("004520123456", 0, "+4520123456"),
        ("4520123456", 0, "+4520123456"),
        ("20123456", 0, "20123456"),
        ("020123456", 2, "020123456"),
        ("1245", 0, "1245"),
        ("1245", 1, "1245"),
        ("1245", 3, "1245"),
        ("Acme", 5, "Acme"),
        ("", 0, ""),
    ],
)
def test_numbers_are_written_as_in_the_settings(address: str, ton: Any, written: str) -> None:
    assert number_of(address, ton) == written
