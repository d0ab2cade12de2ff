"""What servers write when they refuse, by the reason behind it: the first rule with a phrase in the text decides.

A phrase is words in their normal form (`normal`): `user unknown` also finds "User-Unknown" and "user unknown:", and as its
end is open, `reject` finds "rejected"; a final `.` closes it. `*` stands for up to GAP_CHARS of anything, and what follows
it begins a word too. No regular expression is at work: a search is a few passes over a bounded text.
"""

import re
from typing import Final

from schemas.mail.bounce_phrases_recipient import RECIPIENT
from schemas.mail.bounce_phrases_sender import SENDER
from schemas.mail.bounce_phrases_system import SYSTEM
from schemas.mail.bounce_types import Reason, Rules

GAP_CHARS: Final = 50

_NO_WORD = re.compile(r"[\W_]+")
_SPELLINGS: Final = (
    (" e mail", " email"), (" mail box", " mailbox"), (" host name", " hostname"), (" black list", " blacklist"),
    (" block list", " blocklist"), (" cannot ", " can not "),
)  # fmt: skip
_CAN_NOT = re.compile(r"\bcan['\u2019]t\b")
_SHORT_NOT = re.compile(r"n['\u2019]t\b")


def normal(said: str) -> str:
    """`said`, in lower case, as words with one space around each; common spellings are made one."""
    words = " " + _NO_WORD.sub(" ", _SHORT_NOT.sub(" not", _CAN_NOT.sub("can not", said))).strip() + " "
    for written, meant in _SPELLINGS:
        words = words.replace(written, meant)
    return words


def by_words(said: str) -> Reason | None:
    """What the words of `said`, in lower case, are about; None for nothing."""
    words = normal(said)
    known = set(words.split())
    for reason, phrases in _RULES:
        for first_word, first, others in phrases:
            if (not first_word or first_word in known) and first in words and _has(words, first, others):
                return reason
    return None


def _has(words: str, first: str, others: tuple[str, ...]) -> bool:
    """Whether the pieces stand in the words in this order, each at most GAP_CHARS behind the one before."""
    if not others:
        return True
    at = words.find(first)
    while at >= 0:
        if _goes_on(words, at + len(first), others):
            return True
        at = words.find(first, at + 1)
    return False


def _goes_on(words: str, at: int, pieces: tuple[str, ...]) -> bool:
    for piece in pieces:
        found = words.find(piece, at - 1, at + GAP_CHARS + len(piece))
        if found < 0:
            return False
        at = found + len(piece)
    return True


_Phrase = tuple[str, str, tuple[str, ...]]
"""The first word if it must stand there as a whole (it is looked up, which is quick), the first piece, and the others."""


def _compiled(rules: Rules) -> tuple[tuple[Reason, tuple[_Phrase, ...]], ...]:
    return tuple((reason, tuple(_phrase(phrase) for phrase in phrases)) for reason, phrases in rules)


def _phrase(phrase: str) -> _Phrase:
    first, *others = (f" {piece.strip()}".replace(".", " ") for piece in phrase.split("*"))
    word, closed, _ = first[1:].partition(" ")
    return word if closed else "", first, tuple(others)


_RULES: Final = _compiled(SENDER + RECIPIENT + SYSTEM)
