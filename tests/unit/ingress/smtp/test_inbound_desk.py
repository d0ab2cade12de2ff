"""Mail from outside becomes records: failures, complaints, letters; nobody is suppressed on a stranger's word."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cascade.events import ReceiptArrived
from domain.errors import TransientError
from domain.inbound import Received, Suppress
from domain.tenant import Tenant
from ingress.smtp.inbound import Checked, Envelope
from ingress.smtp.inbound_desk import MAX_TEXT_CHARS, InboundDesk
from schemas.mail.dmarc import Dmarc
from schemas.mail.fields import MailError
from schemas.mail.spf import Spf
from schemas.topics import CASCADE, INBOUND, Topic
from schemas.unsubscribe import Leaving, unsubscribing

ACME = Tenant("t1", "Acme", "business", "active", from_domain="acme.example")
ID = "msg-0198d0a5-3c1f-7b5e-9f43-1d1b6c6e8a10"
RETURN_PATH = "b-token@back.example"
NOW_MS = 1_800_000_000_000
LINKS = unsubscribing("https://api.example", b"salt")
ANN = Leaving("t1", "email", "ann@a.example")
FIELDS = LINKS.headers(ANN)
SENT = f"Message-ID: <{ID}.2@acme.example>\r\nTo: ann@a.example\r\nList-Unsubscribe: {FIELDS['List-Unsubscribe']}\r\n\r\nHi\r\n"
LETTER = (
    "From: Ann <ann@a.example>\r\nTo: sales@acme.example\r\nSubject: Re: Parcel\r\nMessage-ID: <9@a.example>\r\n"
    f"In-Reply-To: <{ID}.2@acme.example>\r\n\r\nWhere is it?\r\n"
)


def dsn(action: str, status: str, sent: str = SENT) -> str:
    """A report of a mail host (RFC 3464)."""
    return (
        "From: mailer-daemon@a.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\n\r\nIt did not work.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.a.example\r\n\r\nFinal-Recipient: rfc822; ann@a.example\r\nAction: {action}\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; {status}\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{sent}--b--\r\n"
    )


def complaint(kind: str, sent: str = SENT) -> str:
    """A report of a reader's complaint (RFC 5965)."""
    return (
        "From: fbl@a.example\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        "--b\r\n\r\nA complaint.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: T/1\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{sent}--b--\r\n"
    )


class Rig:
    """A desk that keeps what it publishes."""

    def __init__(self) -> None:
        self.published: list[tuple[Topic, str, Any]] = []
        self.kinds: Counter[str] = Counter()
        self.error: Exception | None = None
        self.desk = InboundDesk(
            self._publish, LINKS, lambda address: (ID, 2) if address == RETURN_PATH else None,
            lambda html: f"shown {html}".strip(), self._count,
        )  # fmt: skip

    async def _publish(self, topic: Topic, key: str, value: Any) -> None:
        if self.error is not None:
            raise self.error
        self.published.append((topic, key, value))

    def _count(self, metric: str, **labels: str) -> None:
        assert metric == "hermes_inbound_mail_total"
        self.kinds[labels["kind"]] += 1

    async def take(
        self,
        content: str,
        mail_from: str = "",
        to: str = "sales@acme.example",
        tenant: Tenant | None = ACME,
        **more: Any,
    ) -> str:
        raw = content.encode()
        envelope = Envelope(tenant, "192.0.2.1", "mx.a.example", mail_from, tuple(to.split(",")), raw, NOW_MS)
        return await self.desk.deliver(replace(envelope, **more))

    def values(self) -> list[Any]:
        return [value for _, _, value in self.published]


def dmarc(result: Any) -> Checked:
    """What a check found."""
    return Checked(Spf("none", ""), (), Dmarc(result, "a.example"))


async def test_a_letter_is_told_with_the_message_that_it_answers() -> None:
    rig = Rig()
    assert await rig.take(LETTER, "bounce@a.example") == "250 2.0.0 Ok"
    ((topic, key, value),) = rig.published
    assert (topic, key) == (INBOUND, "t1")
    assert isinstance(value, Received)
    assert (value.channel, value.sender, value.recipient, value.subject, value.text.strip(), value.in_reply_to) == (
        "email", "ann@a.example", "sales@acme.example", "Re: Parcel", "Where is it?", ID,
    )  # fmt: skip
    assert rig.kinds == {"message": 1}


async def test_each_recipient_is_told_and_a_repetition_has_the_same_ids() -> None:
    rig = Rig()
    for trace in ("a", "b"):
        await rig.take(f"Received: {trace}\r\n{LETTER}", "x@a.example", "sales@acme.example,help@acme.example")
    ids = [value.inbound_id for value in rig.values()]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2


async def test_html_alone_is_shown_and_a_long_text_is_cut() -> None:
    rig = Rig()
    await rig.take("From: a@a.example\r\nContent-Type: text/html\r\n\r\n<b>Hi</b>", "a@a.example")
    await rig.take("From: a@a.example\r\n\r\n" + "x" * (MAX_TEXT_CHARS * 3), "a@a.example")
    assert [len(v.text) if len(v.text) > 99 else v.text for v in rig.values()] == ["shown <b>Hi</b>", MAX_TEXT_CHARS]


@pytest.mark.parametrize("mail_from", ["", "mailer-daemon@a.example"])
async def test_a_failure_to_our_return_path_ends_its_attempt(mail_from: str) -> None:
    rig = Rig()
    await rig.take(dsn("failed", "5.2.2", "Subject: x\r\n\r\n"), mail_from, RETURN_PATH, None)
    ((topic, key, value),) = rig.published
    assert (topic, key) == (CASCADE, ID)
    assert value == ReceiptArrived(ID, 2, NOW_MS, "", "failed", "5.2.2", 0, 0, 0)


async def test_a_failure_to_the_sender_is_known_by_what_it_returns_and_a_hard_one_by_its_link() -> None:
    rig = Rig()
    await rig.take(dsn("failed", "5.1.1"))
    receipt, suppress = rig.values()
    assert (receipt.message_id, receipt.attempt, receipt.code) == (ID, 2, "5.1.1")
    assert suppress == Suppress("t1", "email", "ann@a.example", "hard_bounce", NOW_MS, ID)
    assert rig.kinds == {"bounce": 1}


async def test_what_is_late_or_has_arrived_or_is_not_ours_changes_nothing() -> None:
    rig = Rig()
    await rig.take(dsn("delayed", "4.4.1"), "", RETURN_PATH, None)
    await rig.take(dsn("delivered", "2.0.0"), "", RETURN_PATH, None)
    await rig.take(dsn("failed", "5.1.1", "Message-ID: <1@x.example>\r\n\r\n"))
    await rig.take("From: a@a.example\r\nSubject: Hello\r\n\r\nHello", "a@a.example", RETURN_PATH, None)
    assert rig.published == []
    assert rig.kinds == {"report": 3, "bounce_unmatched": 1}


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (complaint("abuse"), "complaint"),
        (complaint("abuse", SENT.replace("/u/", "/v/")), "complaint_unproven"),
        (complaint("not-spam"), "feedback"),
        (complaint("auth-failure"), "feedback"),
    ],
)
async def test_a_complaint_counts_by_the_link_in_the_message_that_it_returns(report: str, kind: str) -> None:
    rig = Rig()
    await rig.take(report, "fbl@a.example")
    assert rig.kinds == {kind: 1}
    wanted = [Suppress("t1", "email", "ann@a.example", "complaint", NOW_MS, ID)] if kind == "complaint" else []
    assert rig.values() == wanted


async def test_answers_of_programs_are_not_told() -> None:
    rig = Rig()
    await rig.take("Auto-Submitted: auto-replied\r\n" + LETTER, "ann@a.example")
    assert (rig.published, rig.kinds) == ([], {"automatic": 1})


@pytest.mark.parametrize(("result", "left"), [("pass", True), ("fail", False), ("none", False), (None, False)])
async def test_a_letter_that_only_wants_to_leave_does_so_when_its_sender_is_proven(result: Any, left: bool) -> None:
    rig = Rig()
    content = LETTER.replace("Re: Parcel", "Unsubscribe")
    await rig.take(content, "x@a.example", checked=dmarc(result) if result else None)
    assert len(rig.published) == 1 + left
    if left:
        assert rig.values()[1] == Suppress("t1", "email", "ann@a.example", "unsubscribed", NOW_MS)


async def test_recipients_are_those_of_tenants_and_our_return_paths() -> None:
    desk = Rig().desk
    assert (await desk.recipient(ACME, "anything@acme.example")).startswith("250")
    assert (await desk.recipient(None, RETURN_PATH)).startswith("250")
    assert (await desk.recipient(None, "b-other@back.example")).startswith("550 5.7.1")
    assert (await desk.recipient(replace(ACME, status="deactivated"), "x@acme.example")).startswith("550 5.2.1")


async def test_what_is_not_durable_is_not_taken_and_what_cannot_be_read_is_refused() -> None:
    rig = Rig()
    rig.error = TransientError("away", 1_000)
    with pytest.raises(TransientError):
        await rig.take(LETTER, "ann@a.example", "a@acme.example,b@acme.example")
    assert not rig.kinds
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(20))
    assert (await rig.take(deep, "ann@a.example")).startswith("554 5.6.0")


PIECES = st.sampled_from(
    [dsn("failed", "5.1.1"), complaint("abuse"), LETTER, SENT, "\r\n", "--b\r\n", "Subject: \0=?x?q?="]
)


@given(st.lists(PIECES.map(str.encode) | st.binary(max_size=40), max_size=6).map(b"".join), st.booleans())
def test_whatever_a_stranger_sends_is_something_or_refused(raw: bytes, is_known: bool) -> None:
    mail = Envelope(
        ACME if is_known else None, "192.0.2.1", "x", "x@a.example" if is_known else "", ("a@b",), raw, NOW_MS
    )
    try:
        kind, records = Rig().desk.read(mail)
    except MailError:
        return
    assert kind
    for topic, _, value in records:
        assert isinstance(value, topic.holds)
