"""SPF: whether a host may send for a domain (RFC 7208, check_host of section 4)."""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal

from schemas.mail.dns import AddressKind, Dns, DnsError
from schemas.mail.spf_macro import Values, expand, expand_domain, is_explanation, needs_validated
from schemas.mail.spf_record import Mechanism, Qualifier, Record, RecordError, in_network, parse_record

MAX_LOOKUPS: Final = 10
MAX_VOID_LOOKUPS: Final = 2
MAX_NAMES: Final = 10
"""Hosts of one mx, and names of one ptr (section 4.6.4)."""
MAX_LABEL_CHARS: Final = 63
MAX_EXPLANATION_CHARS: Final = 500

Result = Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]

_BY_QUALIFIER: Final[dict[Qualifier, Result]] = {"+": "pass", "-": "fail", "?": "neutral", "~": "softfail"}


@dataclass(frozen=True, slots=True)
class Spf:
    """The answer: `domain` is the one that was asked, `explanation` what it has to say to a `fail`, empty for nothing."""

    result: Result
    domain: str
    explanation: str = ""


class _PermanentError(Exception):
    """The evaluation ends with permerror."""


@dataclass(slots=True)
class _Budget:
    """What one check may still ask: `lookups` of terms, `voids` that find nothing."""

    lookups: int = MAX_LOOKUPS
    voids: int = MAX_VOID_LOOKUPS

    def spend(self) -> None:
        self.lookups -= 1
        if self.lookups < 0:
            raise _PermanentError

    def found(self, records: tuple[object, ...]) -> None:
        if not records:
            self.voids -= 1
            if self.voids < 0:
                raise _PermanentError


async def check_host(  # the names of the RFC
    dns: Dns, ip: str, mail_from: str, helo: str, *, receiver: str = "unknown", now_s: int = 0
) -> Spf:
    """Whether `ip` may send mail from `mail_from`, or for `helo` when that is empty (the null sender, section 2.4).

    A sender without a local part is the postmaster (section 4.3). ValueError for an `ip` that is none.
    """
    address = ip_address(ip)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    sender = mail_from or f"postmaster@{helo}"
    local, _, domain = sender.rpartition("@")
    domain = domain.rstrip(".") if domain != "." else domain
    values = Values(
        f"{local or 'postmaster'}@{domain}", domain, helo, mapped or address, receiver=receiver, now_s=now_s
    )
    check = _Check(dns, _Budget())
    try:
        result, explanation = await check.run(values)
    except DnsError:
        return Spf("temperror", domain)
    except (_PermanentError, RecordError):
        return Spf("permerror", domain)
    return Spf(result, domain, explanation)


@dataclass(frozen=True, slots=True)
class _Check:
    dns: Dns
    budget: _Budget

    async def run(self, values: Values, *, explain: bool = True) -> tuple[Result, str]:
        """The result for `values.domain`, and the explanation of a fail."""
        record = await self._record(values.domain)
        if record is None:
            return "none", ""
        for mechanism in record.mechanisms:
            if await self._matches(mechanism, values):
                result = _BY_QUALIFIER[mechanism.qualifier]
                if result == "fail" and explain and record.explanation:
                    return result, await self._explanation(record.explanation, values)
                return result, ""
        if not record.redirect:
            return "neutral", ""
        self.budget.spend()
        target = replace(values, domain=await self._name(record.redirect, values))
        result, explanation = await self.run(target, explain=explain)
        if result == "none":
            raise _PermanentError
        return result, explanation

    async def _record(self, domain: str) -> Record | None:
        """The SPF record of the domain, None for none. RecordError for more than one."""
        labels = domain.split(".")
        if len(labels) < 2 or not all(0 < len(label) <= MAX_LABEL_CHARS for label in labels):
            return None
        texts = await self.dns.txt(domain)
        found = [text for text in texts if text.lower() == b"v=spf1" or text.lower().startswith(b"v=spf1 ")]
        if len(found) > 1:
            raise RecordError("more than one record")
        return parse_record(found[0]) if found else None

    async def _matches(self, mechanism: Mechanism, values: Values) -> bool:
        match mechanism.name:
            case "all":
                return True
            case "ip4" | "ip6":
                network = mechanism.network
                return network is not None and network.version == values.ip.version and values.ip in network
        self.budget.spend()
        name = await self._name(mechanism.domain, values) if mechanism.domain else values.domain
        match mechanism.name:
            case "include":
                result, _ = await self.run(replace(values, domain=name), explain=False)
                if result == "none":
                    raise _PermanentError
                return result == "pass"
            case "exists":
                found = await self._addresses(name, "A")
                return bool(found)
            case "ptr":
                return any(_is_within(one, name) for one in await self._validated(values))
            case "mx":
                return await self._matches_mx(mechanism, name, values)
            case _:
                return await self._matches_host(mechanism, name, values)

    async def _matches_host(self, mechanism: Mechanism, name: str, values: Values) -> bool:
        found = await self._addresses(name, _kind(values))
        return any(in_network(values.ip, one, mechanism.bits4, mechanism.bits6) for one in found)

    async def _matches_mx(self, mechanism: Mechanism, name: str, values: Values) -> bool:
        hosts = await self.dns.mx(name) if _is_name(name) else ()
        self.budget.found(hosts)
        if len(hosts) > MAX_NAMES:
            raise _PermanentError
        for _, host in sorted(hosts):
            if host and await self._matches_host(mechanism, host, values):
                return True
        return False

    async def _addresses(self, name: str, kind: AddressKind) -> tuple[str, ...]:
        found = await self.dns.addresses(name, kind) if _is_name(name) else ()
        self.budget.found(found)
        return found

    async def _validated(self, values: Values) -> list[str]:
        """The names of the address that lead back to it (section 5.5); what cannot be looked up is passed over."""
        try:
            names = await self.dns.ptr(values.ip.reverse_pointer)
        except DnsError:
            return []
        proved: list[str] = []
        for name in names[:MAX_NAMES]:
            try:
                found = await self.dns.addresses(name, _kind(values))
            except DnsError:
                continue
            if any(_same(one, values.ip) for one in found):
                proved.append(name)
        return proved

    async def _name(self, domain_spec: str, values: Values) -> str:
        return expand_domain(domain_spec, await self._with_validated(domain_spec, values))

    async def _with_validated(self, text: str, values: Values) -> Values:
        """`values` with the name for the macro p: the domain itself, one below it, or any (section 7.3)."""
        if not needs_validated(text):
            return values
        names = await self._validated(values)
        same = [name for name in names if name.lower() == values.domain.lower()]
        below = [name for name in names if _is_within(name, values.domain)]
        return replace(values, validated=(same or below or names or ["unknown"])[0])

    async def _explanation(self, domain_spec: str, values: Values) -> str:
        """What the domain says to a fail; nothing when that cannot be read (section 6.2)."""
        name = await self._name(domain_spec, values)
        try:
            texts = await self.dns.txt(name) if _is_name(name) else ()
        except DnsError:
            return ""
        if len(texts) != 1 or not texts[0].isascii():
            return ""
        text = texts[0].decode("ascii")
        if not is_explanation(text):
            return ""
        return expand(text, await self._with_validated(text, values))[:MAX_EXPLANATION_CHARS]


def _kind(values: Values) -> AddressKind:
    return "A" if isinstance(values.ip, IPv4Address) else "AAAA"


def _same(text: str, ip: IPv4Address | IPv6Address) -> bool:
    try:
        return ip_address(text) == ip
    except ValueError:
        return False


def _is_name(name: str) -> bool:
    """Whether the name can be looked up at all; what cannot is not there."""
    return 0 < len(name) <= 253 and all(0 < len(label) <= MAX_LABEL_CHARS for label in name.split("."))


def _is_within(name: str, parent: str) -> bool:
    name, parent = name.lower().rstrip("."), parent.lower().rstrip(".")
    return name == parent or name.endswith(f".{parent}")
