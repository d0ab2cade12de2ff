"""Peers that are not the sandbox: an SMSC and a mail host written for the test, named in the settings file."""

import stat
from email import message_from_bytes

import dkim
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.integration.outside import DECIMAL, HEXADECIMAL, until
from tests.integration.product import DKIM_SELECTOR, Product, email, sms
from tests.integration.smsc import Submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def submits(product: Product, phone: str) -> list[Submit]:
    """What the SMSC got for a number."""
    return [s for s in product.world.smsc.submits if s.destination == phone.removeprefix("+")]


@pytest.mark.parametrize(
    ("phone", "system_id", "price"), [("+4520111111", DECIMAL, 40_000), ("+4521111111", HEXADECIMAL, 50_000)]
)
def test_a_text_message_reaches_the_carrier_of_its_route_and_its_receipt_comes_home(
    product: Product, phone: str, system_id: str, price: int
) -> None:
    acme = product.client("Acme")
    found = acme.ended(acme.accepted(sms(phone, "Hello out there")))
    (submit,) = submits(product, phone)
    assert (submit.system_id, submit.source, submit.octets) == (system_id, "Acme", b"Hello out there")
    assert submit.registered_delivery == 1
    assert (found["status"]["state"], found["price"]["amount_micros"]) == ("delivered", price)
    assert found["attempts"][0]["provider_message_id"] == submit.message_id


def test_every_segment_of_a_long_text_is_submitted_and_receipted_before_it_is_delivered(product: Product) -> None:
    acme = product.client("Acme")
    found = acme.ended(acme.accepted(sms("+4521222223", "0123456789" * 35)))
    parts = submits(product, "+4521222223")
    assert len(parts) == 3
    assert found["attempts"][0]["provider_message_ids"] == [p.message_id for p in parts]
    assert (found["status"]["state"], found["price"]["amount_micros"]) == ("delivered", 150_000)


def test_what_a_carrier_could_not_deliver_is_exhausted_with_the_carriers_own_code(product: Product) -> None:
    acme = product.client("Acme")
    found = acme.ended(acme.accepted(sms("+4520333332")))
    assert (found["status"]["state"], found["attempts"][0]["status"]["code"]) == ("exhausted", "069")
    assert found["price"]["amount_micros"] == 0


def test_each_account_is_bound_and_every_receipt_is_acknowledged(product: Product) -> None:
    smsc = product.world.smsc
    assert {DECIMAL, HEXADECIMAL} <= set(smsc.binds)
    until(lambda: smsc.acknowledged == len(smsc.submits))


def test_a_mail_reaches_its_exchanger_with_a_signature_that_verifies(product: Product) -> None:
    acme = product.client("Acme")
    found = acme.ended(acme.accepted(email("carol@elsewhere.example", "Dear Carol, it is here.")))
    assert found["status"]["state"] == "delivered"
    (mail,) = [m for m in product.world.mail.mails if m.recipients == ("carol@elsewhere.example",)]
    parsed = message_from_bytes(mail.octets)
    assert parsed["From"].endswith("<no-reply@acme.example>")
    assert parsed["Subject"] == "Your parcel"
    private = load_pem_private_key((product.home / "dkim.pem").read_bytes(), None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    asked: list[bytes] = []

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record

    assert dkim.verify(mail.octets, dnsfunc=look_up)
    assert asked == [f"{DKIM_SELECTOR}._domainkey.acme.example.".encode()]
    forged = mail.octets.replace(b"Dear Carol", b"Dear Peter")
    assert forged != mail.octets
    assert not dkim.verify(forged, dnsfunc=look_up)


def test_the_ready_file_has_the_tenants_of_the_settings_and_is_for_its_owner_alone(product: Product) -> None:
    file = product.home / "ready.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [t["name"] for t in product.ready["tenants"]] == ["Acme", "Crash", "Poor"]
    for tenant in product.ready["tenants"]:
        assert tenant["api_key"].startswith("hk_live_")
        assert tenant["test_api_key"].startswith("hk_test_")
        assert tenant["smpp"]["system_id"]
        assert tenant["smtp"]["user"]
