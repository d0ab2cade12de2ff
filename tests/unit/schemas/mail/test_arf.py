"""Complaints of readers."""

from schemas.mail.arf import parse_complaint

REPORT = (
    b"From: fbl@mx.example\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
    b"--b\r\n\r\nA complaint.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
    b"Feedback-Type: Abuse\r\nUser-Agent: Test/1\r\nVersion: 1\r\nSource-IP: 192.0.2.1\r\n"
    b"Original-Mail-From: <bounce+1@acme.example>\r\nOriginal-Rcpt-To: <ann@a.example>\r\n\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@acme.example>\r\nTo: hidden@a.example\r\n"
    b"X-Trace: t\r\n\r\nHi\r\n--b--\r\n"
)


def test_a_report_tells_kind_recipient_and_message() -> None:
    found = parse_complaint(REPORT)
    assert found is not None
    assert (found.kind, found.recipients, found.mail_from) == ("abuse", ("ann@a.example",), "bounce+1@acme.example")
    assert (found.source_ip, found.user_agent, found.message_id) == ("192.0.2.1", "Test/1", "<1@acme.example>")
    assert found.header.first("x-trace") == b"t"


def test_a_reader_whom_the_provider_hides_is_looked_for_in_the_message() -> None:
    found = parse_complaint(REPORT.replace(b"Original-Rcpt-To: <ann@a.example>\r\n", b""))
    assert found is not None
    assert found.recipients == ("hidden@a.example",)


def test_other_forms_are_known() -> None:
    unsubscribe = parse_complaint(b"From: Ann <ann@a.example>\r\nSubject: Unsubscribe\r\n\r\n")
    assert unsubscribe is not None
    assert (unsubscribe.kind, unsubscribe.recipients) == ("opt-out", ("ann@a.example",))
    microsoft = parse_complaint(
        b"Content-Type: message/rfc822\r\n\r\nX-HmXmrOriginalRecipient: <ann@a.example>\r\nMessage-ID: <1@x>\r\n\r\nHi"
    )
    assert microsoft is not None
    assert (microsoft.kind, microsoft.recipients, microsoft.message_id) == ("abuse", ("ann@a.example",), "<1@x>")


def test_an_ordinary_mail_is_none() -> None:
    assert parse_complaint(b"From: ann@a.example\r\nSubject: Hi\r\n\r\nunsubscribe") is None
