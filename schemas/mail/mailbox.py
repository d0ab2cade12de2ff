"""Which standard allows an address as it is written: RFC 5321 on the wire, RFC 5322 in a header, or none.

The forms, each weaker than the one before:
- `plain`: a dot-atom at a domain of letters, digits and hyphens (RFC 5321 section 4.1.2);
- `smtp`: allowed on the wire, rare: a quoted local part, an address literal, a top-level or numeric domain;
- `commented`: only in a header, with comments or folding white space (RFC 5322 section 3.2.2);
- `obsolete`: may be read, must not be written (RFC 5322 section 4);
- `unusual`: within the grammar of RFC 5322, but nothing that SMTP can carry: too long, other domains and literals;
- `invalid`.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["plain", "smtp", "commented", "obsolete", "unusual", "invalid"]
_ORDER: Final[tuple[Form, ...]] = ("plain", "smtp", "commented", "obsolete", "unusual", "invalid")

MAX_CHARS: Final = 2_000
MAX_COMMENT_DEPTH: Final = 20
MAX_ADDRESS_CHARS: Final = 254
MAX_LOCAL_CHARS: Final = 64
MAX_DOMAIN_CHARS: Final = 253
MAX_LABEL_CHARS: Final = 63

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_FOLD = re.compile(r"[ \t]*\r\n[ \t]+|[ \t]+")
_QTEXT = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_CTEXT = re.compile(r"[\x21-\x27\x2a-\x5b\x5d-\x7e]+")
_DTEXT = re.compile(r"[\x21-\x5a\x5e-\x7e]+")
_OBSOLETE_TEXT = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PAIR = re.compile(r"\\([\x09\x20-\x7e])|\\[\x00-\x7f]")
_IPV4 = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}"
_IPV4_LITERAL = re.compile(_IPV4)
_IPV6_GROUPS = re.compile(rf"[0-9A-Fa-f:]*(?:(?<=:){_IPV4})?")
_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}")
_IPV6_GROUP_COUNT: Final = 8


class _NoAddressError(ValueError):
    """The grammar has no such address."""


@dataclass(slots=True)
class _Reading:
    """A walk along the text that remembers the weakest form seen."""

    text: str
    at: int = 0
    weakest: int = 0

    def note(self, form: Form) -> None:
        """The address is of this form at best."""
        self.weakest = max(self.weakest, _ORDER.index(form))

    def take(self, pattern: re.Pattern[str]) -> str:
        """What matches here, which is passed; empty for nothing."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def sees(self, character: str) -> bool:
        """Whether that character is next; it is passed."""
        here = self.text.startswith(character, self.at)
        self.at += here
        return here

    def spaces(self) -> bool:
        """Pass comments and folding white space; whether there were any."""
        began = self.at
        while self.fold() or self.comment():
            pass
        return self.at > began

    def fold(self) -> bool:
        """Pass white space over at most one line end; more are obsolete."""
        folds = 0
        began = self.at
        while taken := self.take(_FOLD):
            folds += "\r\n" in taken
        if folds > 1:
            self.note("obsolete")
        return self.at > began

    def comment(self) -> bool:
        """Pass one comment with those in it."""
        if not self.sees("("):
            return False
        depth = 1
        while depth:
            if self.sees("("):
                depth += 1
            elif self.sees(")"):
                depth -= 1
            else:
                self.content(_CTEXT)
            if depth > MAX_COMMENT_DEPTH:
                raise _NoAddressError
        return True

    def content(self, allowed: re.Pattern[str]) -> None:
        """Pass one piece of what stands between quotes or brackets."""
        if self.take(allowed) or self.fold():
            return
        if self.take(_OBSOLETE_TEXT):
            self.note("obsolete")
            return
        found = _PAIR.match(self.text, self.at)
        if found is None:
            raise _NoAddressError
        if found[1] is None:
            self.note("obsolete")
        self.at = found.end()


def form_of(text: str) -> Form:
    """The form of the address in `text`."""
    if len(text) > MAX_CHARS:
        return "invalid"
    reading = _Reading(text)
    try:
        local_chars = _local_part(reading)
        domain_chars = _domain(reading)
    except _NoAddressError:
        return "invalid"
    if local_chars > MAX_LOCAL_CHARS or domain_chars > MAX_DOMAIN_CHARS:
        reading.note("unusual")
    if local_chars + 1 + domain_chars > MAX_ADDRESS_CHARS:
        reading.note("unusual")
    return _ORDER[reading.weakest]


def _local_part(reading: _Reading) -> int:
    """Pass the local part and its `@`; its length without comments."""
    if reading.spaces():
        reading.note("commented")
    chars, words, quoted = 0, 0, False
    while True:
        began = reading.at
        if reading.sees('"'):
            quoted = True
            while not reading.sees('"'):
                reading.content(_QTEXT)
        elif not reading.take(_ATOM):
            raise _NoAddressError
        chars += reading.at - began
        words += 1
        if reading.spaces():
            reading.note("obsolete")
        if reading.sees("@"):
            break
        if not reading.sees("."):
            raise _NoAddressError
        chars += 1
        if reading.spaces():
            reading.note("obsolete")
    if quoted:
        reading.note("smtp" if words == 1 else "obsolete")
    return chars


def _domain(reading: _Reading) -> int:
    """Pass the domain up to the end of the text; its length without comments."""
    if reading.spaces():
        reading.note("obsolete")
    if reading.sees("["):
        chars = _literal(reading)
        if reading.spaces():
            reading.note("commented")
        if reading.at < len(reading.text):
            raise _NoAddressError
        return chars
    labels: list[str] = []
    while True:
        label = reading.take(_ATOM)
        if not label or label[0] == "-" or label[-1] == "-":
            raise _NoAddressError
        labels.append(label)
        spaced = reading.spaces()
        if reading.at == len(reading.text):
            if spaced:
                reading.note("commented")
            break
        if not reading.sees("."):
            raise _NoAddressError
        if spaced | reading.spaces():
            reading.note("obsolete")
    if any(len(label) > MAX_LABEL_CHARS or not label.replace("-", "").isalnum() for label in labels):
        reading.note("unusual")
    if len(labels) == 1 or labels[-1].isdigit():
        reading.note("smtp")
    return len(".".join(labels))


def _literal(reading: _Reading) -> int:
    began = reading.at
    while not reading.sees("]"):
        before = reading.at
        if reading.take(_DTEXT) or reading.fold():
            continue
        if not reading.take(_OBSOLETE_TEXT) and not reading.take(_PAIR):
            raise _NoAddressError
        if reading.at > before:
            reading.note("unusual")
    written = reading.text[began : reading.at - 1]
    if written[:5].lower() == "ipv6:":
        reading.note(_ipv6(written[5:]))
    else:
        reading.note("smtp" if _IPV4_LITERAL.fullmatch(written) else "unusual")
    return len(written) + 2


def _ipv6(written: str) -> Form:
    """RFC 5321 section 4.1.3: eight groups, or `::` for two or more of them; for one it is obsolete (RFC 5952)."""
    if not _IPV6_GROUPS.fullmatch(written):
        return "unusual"
    *before, last = written.split(":")
    groups = [one for one in before if one] + ([last] if last and "." not in last else [])
    count = len(groups) + 2 * ("." in last)
    lone = (written[:1] == ":" != written[1:2]) or (written[-1:] == ":" != written[-2:-1])
    if lone or not all(_GROUP.fullmatch(one) for one in groups):
        return "unusual"
    match written.count("::"), ":::" in written:
        case 0, _ if count == _IPV6_GROUP_COUNT:
            return "smtp"
        case 1, False if count < _IPV6_GROUP_COUNT - 1:
            return "smtp"
        case 1, False if count == _IPV6_GROUP_COUNT - 1:
            return "obsolete"
    return "unusual"
