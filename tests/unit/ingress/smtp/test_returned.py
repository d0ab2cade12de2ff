"""What comes back for mail that we sent."""

import pytest

from ingress.smtp.returned import Failure, answered, attempt_in, failure_of, is_automatic, returned_text
from schemas.mail.bounce import Bounce
from schemas.mail.bounce_types import Reason
from schemas.mail.fields import split
from schemas.mail.parts import parse_parts

ID = "msg-0198d0a5-3c1f-7b5e-9f43-1d1b6c6e8a10"
OTHER = "msg-0198d0a5-3c1f-7b5e-9f43-1d1b6c6e8a11"


def bounce(
    status: str = "", action: str = "", reason: Reason = "undefined", code: str = "", *, hard: bool = False
) -> Bounce:
    return Bounce("ann@a.example", reason, hard, status, code, action, "")


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        (bounce("5.1.1", "failed", "userunknown", hard=True), Failure("5.1.1", hard=True)),
        (bounce("4.4.7", "failed", "expired"), Failure("4.4.7", hard=False)),
        (bounce("5.0.0", "failed", "userunknown", hard=True), Failure("5.1.1", hard=True)),
        (bounce("5.0.0", "failed"), Failure("5.0.0", hard=False)),
        (bounce(code="550"), Failure("550", hard=False)),
        (bounce(reason="userunknown", hard=True), Failure("5.1.1", hard=True)),
        (bounce("", "failed"), Failure("5.0.0", hard=False)),
        (bounce("4.4.1", "delayed"), None),
        (bounce("2.0.0", "delivered", "delivered"), None),
        (bounce("2.0.0", "relayed", "delivered"), None),
        (bounce("4.2.2", reason="mailboxfull"), None),
        (bounce(reason="vacation"), None),
        (bounce(), None),
    ],
)
def test_only_a_failure_is_a_failure(told: Bounce, failure: Failure | None) -> None:
    assert failure_of([told]) == failure


def test_of_several_recipients_the_one_that_failed_counts() -> None:
    assert failure_of([bounce("4.0.0", "delayed"), bounce("5.2.2", "failed")]) == Failure("5.2.2", hard=False)
    assert failure_of([]) is None


@pytest.mark.parametrize(
    ("text", "attempt"),
    [
        (f"Subject: x\r\nMessage-ID: <{ID}.2@acme.example>\r\n", (ID, 2)),
        (f"quoted\nmessage-id:  <{ID}.17@acme.example>\n", (ID, 17)),
        (f"Message-ID:\r\n <{ID}.1@acme.example>\r\n", (ID, 1)),
        (f"In-Reply-To: <{ID}.2@acme.example>", None),
        (f"Message-ID: <{ID}.0@acme.example>", None),
        (f"Message-ID: <{ID}@acme.example>", None),
        ("Message-ID: <1@acme.example>", None),
    ],
)
def test_the_returned_message_id_names_the_attempt(text: str, attempt: object) -> None:
    assert attempt_in(text) == attempt


def test_the_parts_of_a_report_are_searched_and_not_its_own_header() -> None:
    raw = (
        f"Message-ID: <{OTHER}.1@acme.example>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nSorry\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{ID}.3@acme.example>\r\n\r\nhi\r\n--b--\r\n"
    )
    assert attempt_in(returned_text(parse_parts(raw.encode()))) == (ID, 3)


@pytest.mark.parametrize(
    ("fields", "message_id"),
    [
        (f"In-Reply-To: <{ID}.1@Acme.example>", ID),
        (f"References: <{OTHER}.1@acme.example> <{ID}.1@acme.example>", ID),
        (f"In-Reply-To: <x@y>\r\nReferences: <{ID}.1@acme.example> <x@y>", ID),
        (f"In-Reply-To: <{ID}.1@other.example>", ""),
        ("In-Reply-To: <x@y>", ""),
        ("Subject: x", ""),
    ],
)
def test_an_answer_names_the_tenants_message(fields: str, message_id: str) -> None:
    assert answered(split(f"{fields}\r\n\r\n".encode())[0], "acme.example") == message_id


@pytest.mark.parametrize(
    ("fields", "automatic"),
    [
        ("Auto-Submitted: auto-replied; owner=x", True),
        ("Auto-Submitted: auto-generated", True),
        ("Auto-Submitted: no", False),
        ("Precedence: bulk", True),
        ("X-Autoreply: yes", True),
        ("Subject: Hello", False),
    ],
)
def test_answers_of_programs_are_told_from_those_of_people(fields: str, automatic: bool) -> None:
    assert is_automatic(split(f"{fields}\r\n\r\n".encode())[0]) is automatic
