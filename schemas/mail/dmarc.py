"""DMARC: whether a mail is from whom its From says, and what that domain asks for otherwise (RFC 9989, tree walk)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from schemas.mail.dkim_verify import Signature
from schemas.mail.dns import Dns, DnsError
from schemas.mail.spf import Spf
from schemas.mail.tags import TagError, parse_tags

MAX_QUERIES: Final = 8
"""Of one walk (RFC 9989 section 4.10): a longer name is cut to its last seven labels after the first query."""
MAX_DOMAIN_CHARS: Final = 253

Policy = Literal["none", "quarantine", "reject"]
DmarcResult = Literal["none", "pass", "fail", "temperror", "permerror"]

_VERSION = re.compile(rb"v[ \t]*=[ \t]*DMARC1[ \t]*(;|\Z)")
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9-]{1,63}")
_POLICIES: Final[dict[str, Policy]] = {"none": "none", "quarantine": "quarantine", "reject": "reject"}
_SOFTER: Final[dict[Policy, Policy]] = {"reject": "quarantine", "quarantine": "none", "none": "none"}


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """What a domain publishes; `sp` and `np` are None for not said, `psd` is `y`, `n` or `u`."""

    p: Policy
    sp: Policy | None = None
    np: Policy | None = None
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: str = "u"
    testing: bool = False


@dataclass(frozen=True, slots=True)
class Dmarc:
    """The answer: `domain` is that of the From, `policy` what is asked for when the result is `fail`."""

    result: DmarcResult
    domain: str
    policy: Policy = "none"
    organisation: str = ""


def parse_dmarc(texts: Sequence[bytes]) -> DmarcRecord | None:
    """The one DMARC record among the texts of a name; None for none, for several, and for one that cannot be used."""
    found = [text for text in texts if _VERSION.match(text)]
    if len(found) != 1:
        return None
    try:
        tags = {name.lower(): value for name, value in parse_tags(found[0]).items()}
    except TagError:
        return None
    p = _POLICIES.get(tags.get("p", "").lower())
    if p is None:
        if "p" in tags and "rua" not in tags:
            return None
        p = "none"
    psd = tags.get("psd", "u").lower()
    return DmarcRecord(
        p,
        _POLICIES.get(tags.get("sp", "").lower()),
        _POLICIES.get(tags.get("np", "").lower()),
        tags.get("adkim", "r").lower() == "s",
        tags.get("aspf", "r").lower() == "s",
        psd if psd in ("y", "n") else "u",
        tags.get("t", "n").lower() == "y",
    )


async def check_dmarc(dns: Dns, domain: str, spf: Spf, signatures: Sequence[Signature]) -> Dmarc:
    """Whether SPF or a signature that passes is of `domain`, the From's (A-labels), or of its organisation."""
    domain = domain.lower().rstrip(".")
    if len(domain) > MAX_DOMAIN_CHARS or not _DOMAIN.fullmatch(domain):
        return Dmarc("permerror", domain)
    walk = _Walk(dns)
    try:
        records = await walk.records(domain)
        organisation = _organisation(domain, records)
        at, record = _policy_record(domain, organisation, records)
        if record is None:
            return Dmarc("none", domain, organisation=organisation)
        signed = [one.domain for one in signatures if one.result == "pass"]
        passes = await walk.aligned(domain, organisation, signed, strict=record.strict_dkim)
        if not passes and spf.result == "pass":
            passes = await walk.aligned(domain, organisation, [spf.domain.lower()], strict=record.strict_spf)
        policy = await _policy(dns, domain, at, record)
    except DnsError:
        return Dmarc("temperror", domain)
    return Dmarc("pass" if passes else "fail", domain, policy, organisation)


@dataclass(slots=True)
class _Walk:
    """Walks up from names and remembers what it found."""

    dns: Dns
    _seen: dict[str, DmarcRecord | None] = field(default_factory=dict)

    async def records(self, domain: str) -> list[tuple[str, DmarcRecord]]:
        """(name, record) of the name and those above it that have one, until a record says where the organisation is."""
        found: list[tuple[str, DmarcRecord]] = []
        for name in walked_names(domain):
            if name not in self._seen:
                self._seen[name] = parse_dmarc(await self.dns.txt(f"_dmarc.{name}"))
            record = self._seen[name]
            if record is None:
                continue
            found.append((name, record))
            if record.psd != "u":
                break
        return found

    async def aligned(self, domain: str, organisation: str, others: Sequence[str], *, strict: bool) -> bool:
        """Whether one of `others` is the domain or, unless `strict`, of its organisation (section 4.4)."""
        if domain in others:
            return True
        for other in others:
            # an organisation's name ends every name in it: others need no look-up
            if strict or not (other == organisation or other.endswith(f".{organisation}")):
                continue
            if _organisation(other, await self.records(other)) == organisation:
                return True
        return False


def walked_names(domain: str) -> list[str]:
    """The names that a walk asks, at most MAX_QUERIES: the domain, and what is left of it label by label."""
    labels = domain.split(".")
    names = [domain]
    rest = labels[1:] if len(labels) < MAX_QUERIES else labels[-(MAX_QUERIES - 1) :]
    while rest:
        names.append(".".join(rest))
        rest = rest[1:]
    return names[:MAX_QUERIES]


def _organisation(domain: str, records: Sequence[tuple[str, DmarcRecord]]) -> str:
    """The organisational domain (section 4.10.2)."""
    for name, record in records:
        if record.psd == "n":
            return name
        if record.psd == "y" and name != domain:
            below = len(name.split(".")) + 1
            return ".".join(domain.split(".")[-below:])
    return records[-1][0] if records else domain


def _policy_record(
    domain: str, organisation: str, records: Sequence[tuple[str, DmarcRecord]]
) -> tuple[str, DmarcRecord | None]:
    """Whose record counts: the domain's, its organisation's, or that of the public suffix above (section 4.10.1)."""
    by_name = dict(records)
    for name in (domain, organisation, organisation.partition(".")[2]):
        record = by_name.get(name)
        if record is not None and (name in (domain, organisation) or record.psd == "y"):
            return name, record
    return "", None


async def _policy(dns: Dns, domain: str, at: str, record: DmarcRecord) -> Policy:
    """What the record asks for mail of `domain`; softened while it is a test (section 4.7, t=)."""
    policy = record.p
    if domain != at:
        policy = record.sp or record.p
        if record.np is not None and not await _exists(dns, domain):
            policy = record.np
    return _SOFTER[policy] if record.testing else policy


async def _exists(dns: Dns, domain: str) -> bool:
    return bool(await dns.addresses(domain, "A") or await dns.addresses(domain, "AAAA") or await dns.mx(domain))
