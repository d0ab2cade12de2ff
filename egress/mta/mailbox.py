"""A mailbox address as an envelope needs it: a local part, and a domain in ASCII."""

import re
from dataclasses import dataclass

import idna

MAX_LOCAL_OCTETS = 64
MAX_DOMAIN_CHARS = 253
MAX_ADDRESS_CHARS = 254

BAD_RECIPIENT = "5.1.3"
BAD_SENDER = "5.1.7"

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_QUOTED = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")


class AddressError(ValueError):
    """The address cannot go into an envelope; `code` is the enhanced status code that says why (RFC 3463)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`local@domain`; the domain is lower-case A-labels."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def needs_utf8(self) -> bool:
        """Whether only a peer with SMTPUTF8 can take it (RFC 6531)."""
        return not self.local.isascii()


def parse_mailbox(text: str, bad_code: str = BAD_RECIPIENT) -> Mailbox:
    """The mailbox that `text` names (RFC 5321 section 4.1.2, without address literals; RFC 6531 section 3.3).

    Raises AddressError with `bad_code` for what is none.
    """
    local, at, domain = text.rpartition("@")
    if not at or not local or len(local.encode("utf-8", "replace")) > MAX_LOCAL_OCTETS:
        raise AddressError(bad_code, "not a mailbox address")
    plain = local
    if not local.isascii():
        if any(not character.isprintable() or character.isspace() for character in local):
            raise AddressError(bad_code, "not a mailbox address")
        plain = _NOT_ASCII.sub("x", local)
    if not _DOT_ATOM.fullmatch(plain) and not _QUOTED.fullmatch(plain):
        raise AddressError(bad_code, "bad local part")
    ascii_domain = ascii_domain_of(domain, bad_code)
    if len(local) + 1 + len(ascii_domain) > MAX_ADDRESS_CHARS:
        raise AddressError(bad_code, "address too long")
    return Mailbox(local, ascii_domain)


def ascii_domain_of(domain: str, bad_code: str = BAD_RECIPIENT) -> str:
    """`domain` in lower-case A-labels without its last dot (RFC 5890). Raises AddressError with `bad_code`."""
    if len(domain) > MAX_DOMAIN_CHARS:
        raise AddressError(bad_code, "domain too long")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise AddressError(bad_code, "bad internationalised domain") from error
    domain = domain.lower().removesuffix(".")
    if len(domain) > MAX_DOMAIN_CHARS or not _DOMAIN.fullmatch(domain):
        raise AddressError(bad_code, "bad domain")
    return domain
