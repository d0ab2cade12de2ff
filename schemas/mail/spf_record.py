"""The text of an SPF record taken apart: mechanisms in their order, and the modifiers (RFC 7208 sections 4.6, 5, 6 and 12)."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, Literal, cast

from schemas.mail.spf_macro import is_domain_spec, is_macro_text

MAX_TERMS: Final = 200
Qualifier = Literal["+", "-", "?", "~"]

_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?![A-Za-z0-9._=-])([:/].*)?", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)")
_CIDR = re.compile(r"(.*?)(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?")
_IP4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/(?:0|[1-9]\d?))?")
_IP6 = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:/(?:0|[1-9]\d{0,2}))?")


class RecordError(ValueError):
    """The record has an error: the domain's SPF is of no use (permerror)."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism. `domain` is a domain-spec with its macros, empty for the current domain; `network` of ip4 and ip6."""

    qualifier: Qualifier
    name: str
    domain: str = ""
    bits4: int = 32
    bits6: int = 128
    network: IPv4Network | IPv6Network | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record; `redirect` and `explanation` are domain-specs, empty for none."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str
    explanation: str


def parse_record(record: bytes) -> Record:
    """The record that begins with `v=spf1`. Raises RecordError for anything that its grammar does not have."""
    try:
        terms = record.decode("ascii").split(" ")[1:]
    except UnicodeDecodeError:
        raise RecordError("not ASCII") from None
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in [one for one in terms if one][:MAX_TERMS]:
        found = _TERM.fullmatch(term)
        if found is not None:
            mechanisms.append(_mechanism(found))
            continue
        name, value = _modifier(term)
        if name in ("redirect", "exp"):
            if name in modifiers or not is_domain_spec(value):
                raise RecordError(f"bad {name}")
            modifiers[name] = value
    return Record(tuple(mechanisms), modifiers.get("redirect", ""), modifiers.get("exp", ""))


def _modifier(term: str) -> tuple[str, str]:
    found = _MODIFIER.fullmatch(term)
    if found is None or not is_macro_text(found[2]):
        raise RecordError("a term that is neither mechanism nor modifier")
    return found[1].lower(), found[2]


def _mechanism(found: re.Match[str]) -> Mechanism:
    qualifier, name, rest = cast(Qualifier, found[1] or "+"), found[2].lower(), found[3] or ""
    match name:
        case "all":
            if rest:
                raise RecordError("all takes nothing")
            return Mechanism(qualifier, name)
        case "ip4" | "ip6":
            return Mechanism(qualifier, name, network=_network(name, rest.removeprefix(":")))
        case "include" | "exists":
            if not rest.startswith(":") or not is_domain_spec(rest[1:]):
                raise RecordError(f"{name} needs a domain")
            return Mechanism(qualifier, name, rest[1:])
        case "ptr":
            if rest and not (rest.startswith(":") and is_domain_spec(rest[1:])):
                raise RecordError("bad domain of ptr")
            return Mechanism(qualifier, name, rest[1:])
    cut = _CIDR.fullmatch(rest)
    bits4, bits6 = (int(cut[2] or 32), int(cut[3] or 128)) if cut else (33, 129)
    domain = cut[1] if cut else ""
    if bits4 > 32 or bits6 > 128 or (domain and not (domain.startswith(":") and is_domain_spec(domain[1:]))):
        raise RecordError(f"bad argument of {name}")
    return Mechanism(qualifier, name, domain[1:], bits4, bits6)


def _network(name: str, text: str) -> IPv4Network | IPv6Network:
    if not (_IP4 if name == "ip4" else _IP6).fullmatch(text):
        raise RecordError(f"bad network of {name}")
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise RecordError(f"bad network of {name}") from None
    if isinstance(network, IPv4Network) != (name == "ip4"):
        raise RecordError(f"bad network of {name}")
    return network


def in_network(ip: IPv4Address | IPv6Address, address: str, bits4: int, bits6: int) -> bool:
    """Whether `ip` shares its first bits with `address`, of the same family."""
    try:
        network = ip_network(f"{address}/{bits4 if isinstance(ip, IPv4Address) else bits6}", strict=False)
    except ValueError:
        return False
    return ip.version == network.version and ip in network
