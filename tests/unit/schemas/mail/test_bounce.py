"""Delivery reports: who, why, and whether for good."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.mail.bounce import Bounce, parse_bounces
from schemas.mail.bounce_reason import Command, is_hard, reason_of
from schemas.mail.bounce_types import Reason
from schemas.mail.bounce_words import by_words
from schemas.mail.fields import MailError


def report(*groups: str, prose: str = "It failed.") -> bytes:
    """An RFC 3464 report with these groups of fields."""
    lines = [
        "From: MAILER-DAEMON@mx.example", "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "",
        "--b", "", prose, "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example", "",
        "\r\n\r\n".join(groups), "--b", "Content-Type: message/rfc822", "", "To: <other@z.example>", "", "550 5.1.1 no", "--b--",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def failed(address: str, status: str, said: str) -> str:
    """One group."""
    return f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {said}"


def test_each_recipient_of_a_report_has_its_own_reason() -> None:
    found = parse_bounces(
        report(
            failed("ann@a.example", "5.1.1", "550 5.1.1 <ann@a.example>: User unknown"),
            failed("<bob@b.example>", "5.0.0", "552 5.2.2 <bob@b.example>... Mailbox full"),
            "Final-Recipient: rfc822; eve@e.example\r\nAction: delivered\r\nStatus: 2.0.0",
        )
    )
    assert found == (
        Bounce(
            "ann@a.example", "userunknown", True, "5.1.1", "550", "failed", "550 5.1.1 <ann@a.example>: User unknown"
        ),
        Bounce(
            "bob@b.example", "mailboxfull", False, "5.2.2", "552", "failed", "552 5.2.2 <bob@b.example>... Mailbox full"
        ),
        Bounce("eve@e.example", "delivered", False, "2.0.0", "", "delivered", ""),
    )


@pytest.mark.parametrize(
    ("said", "status", "code", "command", "reason"),
    [
        ("550 5.1.1 User unknown", "5.1.1", "550", "", "userunknown"),
        ("550 no such user here", "", "550", "RCPT", "userunknown"),
        ("550 no such user here", "", "550", "DATA", "filtered"),
        ("no such user here", "", "", "", "userunknown"),
        ("550 <a@b.example>: user unknown", "", "550", "", "userunknown"),
        ("550 5.1.8 Sender address rejected: domain not found", "5.1.8", "550", "MAIL", "rejected"),
        ("550 no such domain x.example", "", "550", "MAIL", "rejected"),
        ("Host or domain name not found", "5.4.4", "", "", "hostunknown"),
        ("Host or domain name not found", "4.4.4", "", "", "networkerror"),
        ("452 4.2.2 over quota", "4.2.2", "452", "RCPT", "mailboxfull"),
        ("554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org", "5.7.1", "554", "", "blocked"),
        ("550 5.7.26 unauthenticated email is not accepted", "5.7.26", "550", "DATA", "authfailure"),
        ("550 5.7.25 no PTR", "5.7.25", "550", "", "requireptr"),
        ("554 message looks like spam", "5.7.1", "554", "DATA", "spamdetected"),
        ("552 message size exceeds fixed limit", "5.3.4", "552", "", "mesgtoobig"),
        ("421 too many connections from your host", "4.7.0", "421", "CONN", "toomanyconn"),
        ("554 relay access denied", "5.7.1", "554", "RCPT", "norelaying"),
        ("550 5.2.1 account is disabled", "5.2.1", "550", "RCPT", "suspend"),
        ("551 user has moved to b@c.example", "5.1.6", "551", "RCPT", "hasmoved"),
        ("Operation timed out", "4.4.1", "", "", "expired"),
        ("too many hops", "5.4.6", "", "", "networkerror"),
        ("421 rejected", "", "421", "EHLO", "blocked"),
        ("xyzzy", "", "", "", "undefined"),
    ],
)
def test_the_reason_follows_from_words_status_code_and_command(
    said: str, status: str, code: str, command: Command, reason: Reason
) -> None:
    assert reason_of(said, status, code, command) == reason


def test_what_is_temporary_is_never_hard() -> None:
    assert is_hard("userunknown", "5.1.1")
    assert is_hard("userunknown", "")
    assert not is_hard("hostunknown", "4.4.4")
    assert not is_hard("mailboxfull", "5.2.2")


@pytest.mark.parametrize(
    ("text", "recipient", "reason"),
    [
        (
            "The following address(es) failed:\n\n  ann@a.example\n    SMTP error from remote mail server after RCPT TO:"
            "<ann@a.example>:\n    550 No such user\n\n------ This is a copy of the message ------\nspam spam",
            "ann@a.example",
            "userunknown",
        ),
        ("<ann@a.example>:\n192.0.2.1 failed after I sent the message.\nRemote host said: 554 spam", "ann@a.example",
         "spamdetected"),
        ("<ann@a.example>: host mx.a.example said: 452 4.2.2 Mailbox full", "ann@a.example", "mailboxfull"),
        ("421 a.example (smtp)... Deferred: Connection timed out\n-- Unsent message follows --\nTo: ann@a.example",
         "ann@a.example", "expired"),
        ('{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"ann@a.example","status":"5.1.1",'
         '"diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}', "ann@a.example", "userunknown"),
        ('{"complaint":{"complainedRecipients":[{"emailAddress":"ann@a.example"}]}}', "ann@a.example", "feedback"),
    ],
)  # fmt: skip
def test_reports_for_people_are_read_too(text: str, recipient: str, reason: str) -> None:
    (found,) = parse_bounces(f"From: MAILER-DAEMON@mx.example\n\n{text}\n".encode())
    assert (found.recipient, found.reason) == (recipient, reason)


@pytest.mark.parametrize(
    "text",
    [
        "Your message\n\n  To:      eve@e.example\n  Subject: Hi\n\ndid not reach the following recipient(s):\n\n"
        "ann@a.example on Thu, 29 Apr 2010\n    The recipient name is not recognized",
        "> To: <me@x.example>\n> Subject: Returned mail\n> <ann@a.example>\n>     (reason: 550 5.1.1 User unknown)",
        "Your message:\n   From:    me@x.example\n   Subject: Hi\n\nCould not be delivered because of\n\n550 5.1.1 User unknown"
        "\n\nThe following recipients were affected:\n    ann@a.example\n\nOriginal Sender:  <me@x.example>",
        "Addressed To: ann@a.example\n\n550 5.1.1 no such user",
        "Unable to deliver message to: <ann@a.example>\nfailed with: 550 5.1.1 No such user here",
    ],
)
def test_the_addresses_of_the_returned_message_are_not_those_that_failed(text: str) -> None:
    (found,) = parse_bounces(f"From: MAILER-DAEMON@mx.example\n\n{text}\n".encode())
    assert (found.recipient, found.reason) == ("ann@a.example", "userunknown")


def test_what_people_are_told_may_be_more_exact_than_the_diagnosis() -> None:
    group = failed("ann@a.example", "5.0.0", "550 user unknown")
    (found,) = parse_bounces(report(group, prose="The user(s) account is disabled."))
    assert (found.reason, found.hard) == ("suspend", False)
    (found,) = parse_bounces(report(failed("ann@a.example", "5.1.1", "550 5.1.1 user unknown")))
    assert (found.reason, found.hard) == ("userunknown", True)


def test_a_program_on_the_mail_host_is_no_server() -> None:
    group = (
        "Final-Recipient: rfc822; ann@a.example\r\nAction: failed\r\nStatus: 4.3.0\r\nDiagnostic-Code: x-unix; failure"
    )
    (found,) = parse_bounces(report(group))
    assert found.reason == "mailererror"


@pytest.mark.parametrize(
    ("subtype", "reason"), [("NoEmail", "userunknown"), ("MailboxFull", "mailboxfull"), ("Suppressed", "filtered")]
)
def test_amazons_kind_of_bounce_counts_when_no_server_is_quoted(subtype: str, reason: Reason) -> None:
    told = {"bounceSubType": subtype, "bouncedRecipients": [{"emailAddress": "ann@a.example"}, {"status": "5.1.1"}]}
    (found,) = parse_bounces(f"From: x@y.example\n\n{json.dumps({'bounce': told})}".encode())
    assert (found.recipient, found.reason) == ("ann@a.example", reason)


@pytest.mark.parametrize(
    "field",
    ["Subject: Auto: I am away", "Subject: =?utf-8?b?6Ieq5YuV5b+c562U?=", "Precedence: auto_reply", "X-Autoreply: yes"],
)
def test_programs_of_people_mark_their_answers_in_many_ways(field: str) -> None:
    (found,) = parse_bounces(f"From: ann@a.example\n{field}\n\nI am away".encode())
    assert found.reason == "vacation"


def test_an_absent_persons_answer_is_no_bounce() -> None:
    (found,) = parse_bounces(b"From: ann@a.example\nAuto-Submitted: auto-replied\nSubject: Re: Hi\n\nI am away")
    assert (found.recipient, found.reason, found.hard) == ("ann@a.example", "vacation", False)


def test_nothing_is_made_of_what_is_no_report() -> None:
    assert parse_bounces(b"From: ann@a.example\nSubject: Hi\n\n") == ()


@given(st.text(max_size=2_000))
def test_any_text_is_judged_at_once(said: str) -> None:
    began = time.process_time()
    reason_of(said, "", "")
    assert time.process_time() - began < 0.1


@given(st.binary(max_size=2_000))
def test_any_octets_are_judged(raw: bytes) -> None:
    for bounce in parse_bounces(raw):
        assert bounce.recipient


@pytest.mark.parametrize(
    "piece",
    [
        "user ", "mailbox ", "recipient rejected: ", "message ", "over ", "exceeds ", "550 ", "5.1.1 ", "<a@b.example> ",
        "a@", "@b.example\n", "host ", "ip ", "address ", "relay ", "to: ", "recipient: a@b.example\n", "client host ",
        ">>> ", "(", "\n", " ", "content ", "header ", "after end of ", "https://", "multiple ", "unable to deliver ",
        "access from ", "a" * 40 + ".",
    ],
)  # fmt: skip
def test_long_reports_are_judged_at_once(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    by_words(text[:4_000])
    try:
        parse_bounces(b"From: MAILER-DAEMON@x\n\n" + text.encode())
        parse_bounces(report(failed("a@b.example", "5.0.0", text[:20_000]), prose=text))
    except MailError:
        text = ""
    assert time.process_time() - began < 0.2, piece
