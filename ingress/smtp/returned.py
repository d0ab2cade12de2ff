"""What comes back for mail that we sent: whether a report tells of a failure, and of which attempt."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from schemas.mail.bounce import Bounce
from schemas.mail.bounce_types import Reason
from schemas.mail.fields import Header
from schemas.mail.parts import Part
from schemas.mail.words import text

MAX_SEARCHED_OCTETS: Final = 256 * 1024
"""Of each part of a report: what is looked for is in the header of the message that it returns."""

Named = tuple[str, int]
"""A message id and the number of an attempt."""

_OURS = r"<(msg-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9]\d{0,2})@([A-Za-z0-9.-]{1,255})>"
_MESSAGE_ID = re.compile(_OURS)
_RETURNED_ID = re.compile(rf"^message-id:\s{{1,9}}{_OURS}", re.IGNORECASE | re.MULTILINE)
_GENERAL = re.compile(r"[245]\.0\.0")
_NO_FAILURE: Final[frozenset[Reason]] = frozenset({"delivered", "feedback", "vacation"})
_STATUS: Final[dict[Reason, str]] = {"userunknown": "5.1.1", "hostunknown": "5.1.2", "hasmoved": "5.1.6"}
"""Enhanced status codes (RFC 3463) of what a report says in words only."""
_MACHINES_PRECEDENCE: Final = frozenset({"auto_reply", "bulk", "junk", "list"})


@dataclass(frozen=True, slots=True)
class Failure:
    """A mail did not arrive: its status as in RFC 3463, or a reply code. `hard` when no other will arrive either."""

    code: str
    hard: bool


def failure_of(bounces: Iterable[Bounce]) -> Failure | None:
    """The first failure that a report tells of; None for one that is late, has arrived, or cannot be told from a warning.

    Where a report has an action (RFC 3464 section 2.3.3), that decides.
    """
    for one in bounces:
        refused = one.hard or one.status.startswith("5") or one.code.startswith("5")
        if one.action == "failed" or (not one.action and refused and one.reason not in _NO_FAILURE):
            status = "" if _GENERAL.fullmatch(one.status) else one.status
            told = status or (_STATUS.get(one.reason, "") if one.hard else "")
            return Failure(told or one.status or one.code or "5.0.0", one.hard)
    return None


def returned_text(root: Part) -> str:
    """The text of a report with what it returns, as far as it is searched."""
    return "\n".join(part.octets()[:MAX_SEARCHED_OCTETS].decode("latin-1") for part in root.leaves())


def attempt_in(returned: str) -> Named | None:
    """The attempt that the returned message was, by our Message-ID; only who had the message can know it."""
    found = _RETURNED_ID.search(returned)
    return None if found is None else (found[1], int(found[2]))


def answered(header: Header, domain: str) -> str:
    """The id of the message from `domain` that a mail answers (RFC 5322 section 3.6.4), empty for none of ours."""
    for found in _references(header):
        if found[3].lower() == domain.lower():
            return found[1]
    return ""


def is_automatic(header: Header) -> bool:
    """Whether a program answered, not a person (RFC 3834 section 5, and what came before it)."""
    submitted = text(header.first("auto-submitted")).lower().partition(";")[0].strip()
    precedence = text(header.first("precedence")).lower()
    return submitted not in ("", "no") or precedence in _MACHINES_PRECEDENCE or bool(header.count("x-autoreply"))


def _references(header: Header) -> Iterator[re.Match[str]]:
    """The nearest first."""
    yield from _MESSAGE_ID.finditer(text(header.first("in-reply-to")))
    yield from reversed(list(_MESSAGE_ID.finditer(text(header.first("references")))))
