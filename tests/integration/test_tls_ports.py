"""SMPP and SMTP over TLS, with the certificate that the settings name."""

import smtplib
import ssl
from email.message import EmailMessage

import pytest

from tests.integration.product import Product
from tests.integration.smpp_esme import Esme

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
def trusting(product: Product) -> ssl.SSLContext:
    """What a client that knows our authority verifies by."""
    return ssl.create_default_context(cafile=product.home / "ca.pem")


def mail(subject: str) -> EmailMessage:
    found = EmailMessage()
    found["From"], found["To"], found["Subject"] = "news@acme.example", "dave@elsewhere.example", subject
    found["Message-ID"] = f"<{subject.replace(' ', '-')}@acme.example>"
    found.set_content("It is here.")
    return found


def login(client: smtplib.SMTP, product: Product) -> None:
    account = product.tenant("Acme")["smtp"]
    client.login(account["user"], account["password"])


def test_mail_is_handed_in_over_implicit_tls(product: Product, trusting: ssl.SSLContext) -> None:
    port = int(product.ready["smtp_tls"].rpartition(":")[2])
    with smtplib.SMTP_SSL("localhost", port, timeout=10, context=trusting) as client:
        login(client, product)
        assert client.send_message(mail("over implicit TLS")) == {}


def test_mail_is_handed_in_after_starttls(product: Product, trusting: ssl.SSLContext) -> None:
    port = int(product.ready["smtp"].rpartition(":")[2])
    with smtplib.SMTP("localhost", port, timeout=10) as client:
        client.starttls(context=trusting)
        login(client, product)
        assert client.send_message(mail("after STARTTLS")) == {}


async def test_a_client_binds_over_tls(product: Product, trusting: ssl.SSLContext) -> None:
    account = product.tenant("Acme")["smpp"]
    port = int(product.ready["smpp_tls"].rpartition(":")[2])
    async with Esme(port, trusting) as esme:
        bound = await esme.bind(system_id=account["system_id"], password=account["password"])
        assert bound.status == 0
