"""Mail from outside and links in our own: answers, bounces and wishes to be left alone, over the sockets of the product."""

import json
import re
import smtplib
from email import message_from_bytes
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.outside import Mail, until
from tests.integration.product import Client, Product, email

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def sent(product: Product, address: str) -> Mail:
    """The mail that the host of `address` got, after it was asked for."""
    acme = product.client("Acme")
    acme.ended(acme.accepted(email(address)))
    return next(m for m in product.world.mail.mails if m.recipients == (address,))


def hand_in(product: Product, mail_from: str, to: str, content: str) -> None:
    """A mail from outside."""
    host, port = product.ready["smtp"].split(":")
    with smtplib.SMTP(host, int(port), timeout=10) as client:
        assert client.sendmail(mail_from, [to], content.encode()) == {}


def is_suppressed(acme: Client, address: str) -> bool:
    """Whether nothing more may be sent to an address."""
    answer = acme.send(email(address))
    return answer.status == 451 and answer.json["compliance_code"] == "recipient_suppressed"


def test_an_answer_is_called_back_with_the_message_that_it_answers(product: Product) -> None:
    mail = sent(product, "dora@outside.example")
    message_id = message_from_bytes(mail.octets)["Message-ID"]
    hand_in(
        product, "dora@outside.example", "sales@acme.example",
        f"From: Dora <dora@outside.example>\r\nSubject: Re: Your parcel\r\nIn-Reply-To: {message_id}\r\n\r\nThank you!\r\n",
    )  # fmt: skip

    def told() -> list[dict[str, Any]]:
        events = [json.loads(callback.body) for callback in product.world.callbacks]
        return [e["data"] for e in events if e["type"] == "message.received" and e["data"]["channel"] == "email"]

    (event,) = until(told)
    assert (event["from"], event["to"], event["text"].strip()) == (
        "dora@outside.example", "sales@acme.example", "Thank you!",
    )  # fmt: skip
    assert f"<{event['in_reply_to']}." in message_id


def test_a_bounce_to_our_return_path_leaves_the_mailbox_alone(product: Product) -> None:
    mail = sent(product, "gone@outside.example")
    assert re.fullmatch(r"b-[a-z2-7]{40}@back\.example", mail.sender)
    header = mail.octets.partition(b"\r\n\r\n")[0].decode()
    hand_in(
        product, "", mail.sender,
        "From: mailer-daemon@outside.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
        "\r\n--b\r\n\r\nNo such user.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.outside.example\r\n\r\nFinal-Recipient: rfc822; gone@outside.example\r\nAction: failed\r\n"
        "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user (in reply to RCPT TO command)\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{header}\r\n\r\n--b--\r\n",
    )  # fmt: skip
    acme = product.client("Acme")
    until(lambda: is_suppressed(acme, "gone@outside.example"))


def test_one_click_on_the_link_of_a_mail_leaves_its_recipient_alone(product: Product) -> None:
    mail = message_from_bytes(sent(product, "erik@outside.example").octets)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = urlsplit(mail["List-Unsubscribe"].strip().strip("<>"))
    connection = HTTPConnection(url.netloc, timeout=10)
    try:
        for method, status in (("GET", 200), ("POST", 200)):
            connection.request(method, url.path, "List-Unsubscribe=One-Click" if method == "POST" else None)
            response = connection.getresponse()
            assert (response.status, b"erik@outside.example" in response.read()) == (status, True)
        connection.request("POST", url.path[:-1])
        assert connection.getresponse().status == 404
    finally:
        connection.close()
    acme = product.client("Acme")
    until(lambda: is_suppressed(acme, "erik@outside.example"))
    assert not is_suppressed(acme, "fia@outside.example")


def test_nobody_relays_through_us(product: Product) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        hand_in(product, "a@outside.example", "b@outside.example", "Subject: x\r\n\r\nx\r\n")
    ((code, reply),) = refused.value.recipients.values()
    assert (code, reply[:5]) == (550, b"5.7.1")
