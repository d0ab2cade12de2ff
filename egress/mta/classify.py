"""Why a peer refused: the reason behind a reply, and whether the address itself is at fault."""

import re
from dataclasses import dataclass

from egress.mta.replies import Reply
from schemas.mail.bounce_reason import Command, is_hard, reason_of
from schemas.mail.bounce_types import Reason

# These pass, whatever class the peer put them in.
_PASSING: frozenset[Reason] = frozenset({"speeding", "toomanyconn", "onhold", "systemfull", "networkerror"})
_LATER = re.compile(r"gr[ea]y-?list|\bagain (?:later|in \d)|\btemporar(?:y|ily)\b|rate limit", re.IGNORECASE)
_CLASS_4 = re.compile(r"^[ ]*4\.\d{1,3}\.\d{1,3}\b")
_COMMANDS: dict[str, Command] = {"the connection": "CONN", "EHLO": "EHLO", "MAIL": "MAIL", "RCPT": "RCPT"}

PUSHING_BACK: frozenset[Reason] = frozenset({"speeding", "toomanyconn", "blocked", "badreputation"})
"""The peer has too much of us, or thinks little of our address."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`hard` when the address is not to be written to again; `passing` when the same mail may be taken later."""

    reason: Reason
    hard: bool
    passing: bool


def judge(reply: Reply, step: str) -> Judgement:
    """What `reply` (4xx or 5xx) to `step` means: the basic code decides unless the words plainly say otherwise."""
    reason = reason_of(reply.detail, reply.enhanced, str(reply.code), _COMMANDS.get(step, "DATA"))
    passing = reply.kind == 4 or reason in _PASSING or _says_later(reply)
    return Judgement(reason, not passing and is_hard(reason, reply.enhanced), passing)


def _says_later(reply: Reply) -> bool:
    return bool(_CLASS_4.match(reply.lines[0]) or _LATER.search(reply.detail))
