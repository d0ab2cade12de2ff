"""Text messages from handsets: from a carrier's bind to the tenant's callback, and what the tenant may send afterwards."""

import json
from typing import Any

import pytest

from domain.inbound import Received
from domain.tenant import Tenant
from egress.messages import Messages
from schemas.catalogue import codec
from schemas.topics import INBOUND, PARTS
from tables.config import ConfigTable
from tests.fakes.fake_egress import FakePublisher
from tests.integration.outside import until
from tests.integration.product import Product, sms
from tests.integration.smpp_peers import bound, config, now_ms, sandbox

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PHONE = "4520555555"
ESM_UDHI = 0x40


def told(product: Product, text: str) -> list[dict[str, Any]]:
    """The callbacks about messages with this text."""
    events = [json.loads(callback.body) for callback in product.world.callbacks]
    return [e["data"] for e in events if e["type"] == "message.received" and e["data"]["text"] == text]


async def test_what_a_handset_writes_is_durable_before_the_simulated_carrier_hears_of_it() -> None:
    publisher, table = FakePublisher(codec()), ConfigTable()
    table.apply("tenant/t1", Tenant("t1", "Acme", "starter", "active", numbers=("1245",)), 1)
    messages = Messages(publisher.publish, table, now_ms, lambda *_args, **_labels: None)
    async with sandbox() as (carrier, port), bound(config(port), on_message=messages.of(config(port))) as client:
        carrier.say(f"+{PHONE}", "1245", "hello ☂")
        carrier.say(f"+{PHONE}", "1245", "long " * 30)
        await client.until(lambda: len(publisher.story) == 4)
    (whole,) = publisher.on(INBOUND)
    assert isinstance(whole, Received)
    assert (whole.sender, whole.text) == (f"+{PHONE}", "hello ☂")
    assert [(part.seq, part.total) for part in publisher.on(PARTS)] == [(1, 3), (2, 3), (3, 3)]


def test_who_says_stop_gets_nothing_more_until_start(product: Product) -> None:
    acme, smsc = product.client("Acme"), product.world.smsc
    smsc.say(PHONE, "1245", b"Stop")
    (event,) = until(lambda: told(product, "Stop"))
    assert (event["from"], event["to"], event["channel"], event["keyword"]) == (f"+{PHONE}", "1245", "sms", "stop")
    answer = acme.send(sms(f"+{PHONE}"))
    assert (answer.status, answer.json["compliance_code"]) == (451, "recipient_suppressed")
    smsc.say(PHONE, "1245", b"START")
    until(lambda: told(product, "START"))
    assert acme.ended(acme.accepted(sms(f"+{PHONE}")))["status"]["state"] == "delivered"
    assert set(smsc.answers) == {0}


def test_the_parts_of_a_long_text_are_one_message_to_the_tenant(product: Product) -> None:
    smsc = product.world.smsc
    for seq, octets in ((2, b"and this its end"), (1, b"This is its begin ")):
        smsc.say(PHONE, "1245", bytes((5, 0, 3, 7, 2, seq)) + octets, ESM_UDHI)
    (event,) = until(lambda: told(product, "This is its begin and this its end"))
    assert event["inbound_id"].startswith("in-")
    assert set(smsc.answers) == {0}


def test_what_is_for_nobodys_number_is_acknowledged_and_counted(product: Product) -> None:
    before = len(product.world.smsc.answers)
    product.world.smsc.say(PHONE, "1299", b"Anybody there?")
    until(lambda: len(product.world.smsc.answers) > before)
    line = 'hermes_smpp_deliver_sm_total{carrier="decimal",kind="unroutable"}'
    other = line.replace('"decimal"', '"hexadecimal"')
    until(lambda: line in product.metrics("egress") or other in product.metrics("egress"))
