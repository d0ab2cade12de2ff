"""Why peers refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.classify import judge
from egress.mta.replies import Reply
from egress.mta.verdicts import refused


@pytest.mark.parametrize(
    ("code", "text", "step", "reason", "hard", "passing"),
    [
        (550, "5.1.1 no such user here", "RCPT", "userunknown", True, False),
        (550, "5.7.1 listed by zen.spamhaus.org", "the connection", "blocked", False, False),
        (452, "4.2.2 mailbox is over quota", "RCPT", "mailboxfull", False, True),
        (550, "5.2.1 The user is receiving mail at a rate that prevents more", "RCPT", "speeding", False, True),
        (554, "5.7.1 Greylisted, come back", "RCPT", None, False, True),
        (550, "4.2.2 over quota", "RCPT", "mailboxfull", False, True),
        (450, "4.1.1 unknown user", "RCPT", "userunknown", False, True),
        (
            550,
            "5.7.26 Unauthenticated mail is not accepted due to its DMARC policy",
            "the message",
            "authfailure",
            False,
            False,
        ),
    ],
)
def test_the_code_decides_unless_the_words_plainly_say_otherwise(
    code: int, text: str, step: str, reason: str | None, hard: bool, passing: bool
) -> None:
    judged = judge(Reply(code, (text,)), step)

    assert reason is None or judged.reason == reason
    assert (judged.hard, judged.passing) == (hard, passing)


def test_a_refusal_for_ever_that_passes_is_one_for_now() -> None:
    failed = refused(Reply(550, ("5.7.1 Too many connections, try again in 5 minutes",)), "MAIL")
    assert (failed.permanent, failed.code, failed.retry_after_ms) == (False, "4.7.1", 300_000)


@given(st.integers(400, 599), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_what_passes_is_never_hard_and_a_four_always_passes(code: int, text: str) -> None:
    judged = judge(Reply(code, (text,)), "RCPT")
    assert not (judged.hard and judged.passing)
    assert judged.passing or code >= 500
