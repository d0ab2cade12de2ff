"""DKIM: whether the signatures of a message are true (RFC 6376 section 6, RFC 8301, RFC 8463)."""

import binascii
import hashlib
import hmac
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from schemas.mail.dkim_canonical import relaxed_body, relaxed_field, simple_body, simple_field
from schemas.mail.dkim_key import KeyRecordError, PublicKey, parse_key
from schemas.mail.dns import Dns, DnsError
from schemas.mail.fields import Field, Header, split
from schemas.mail.tags import TagError, parse_tags, without_spaces

MAX_SIGNATURES: Final = 10
MAX_KEY_RECORDS: Final = 5
MAX_SKEW_S: Final = 3_600
"""How far in the future a signature may say that it was made."""

DkimResult = Literal["pass", "fail", "policy", "neutral", "temperror", "permerror"]

_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9-]{2,63}")
_SELECTOR = re.compile(r"(?=.{1,200}$)[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_NUMBER = re.compile(r"\d{1,12}")
_NEEDED: Final = ("v", "a", "b", "bh", "d", "h", "s")
_ALGORITHMS: Final = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
_FORMS: Final = ("simple", "relaxed")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and what became of it; `domain` is d=, `identity` i=, `reason` a few words when it does not pass."""

    result: DkimResult
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Claim:
    """The tags of a signature, checked."""

    field: Field
    algorithm: str
    domain: str
    selector: str
    identity: str
    names: tuple[str, ...]
    header_form: str
    body_form: str
    body_hash: bytes
    signature: bytes
    length: int | None


class _RefusedError(Exception):
    def __init__(self, result: DkimResult, reason: str, domain: str = "") -> None:
        super().__init__(reason)
        self.result: DkimResult = result
        self.reason = reason
        self.domain = domain


async def verify(dns: Dns, raw: bytes, now_s: int) -> tuple[Signature, ...]:
    """What each of the first MAX_SIGNATURES signatures of `raw` (CRLF lines) is worth, in order; empty for none.

    Raises MailError for a header beyond its limits.
    """
    header, body = split(raw)
    fields = [field for field in header.fields if field.name == "dkim-signature"]
    canonical: dict[str, bytes] = {}  # of a large body it is costly, and the same for many signatures
    return tuple([await _verified(dns, header, body, field, now_s, canonical) for field in fields[:MAX_SIGNATURES]])


async def _verified(
    dns: Dns, header: Header, body: bytes, field: Field, now_s: int, canonical: dict[str, bytes]
) -> Signature:
    try:
        claim = _claim(field, now_s)
    except _RefusedError as error:
        return Signature(error.result, error.domain, reason=error.reason)
    try:
        if claim.body_form not in canonical:
            canonical[claim.body_form] = relaxed_body(body) if claim.body_form == "relaxed" else simple_body(body)
        reason = await _proved(dns, header, canonical[claim.body_form], claim)
        result: DkimResult = "pass"
    except _RefusedError as error:
        result, reason = error.result, error.reason
    return Signature(result, claim.domain, claim.selector, claim.identity, claim.algorithm, reason)


async def _proved(dns: Dns, header: Header, canonical: bytes, claim: _Claim) -> str:
    """What is to be said about a signature that is true, mostly nothing; raises _RefusedError for another."""
    if claim.length is not None and claim.length != len(canonical):
        raise _RefusedError("policy", "not all of the body is signed")
    if not hmac.compare_digest(hashlib.sha256(canonical).digest(), claim.body_hash):
        raise _RefusedError("fail", "the body has changed")
    digest = _header_digest(header, claim)
    key = await _key(dns, claim)
    if key.kind != _ALGORITHMS[claim.algorithm]:
        raise _RefusedError("permerror", "the key is of another kind")
    if key.strict and claim.identity.rpartition("@")[2].lower() != claim.domain:
        raise _RefusedError("permerror", "the key is not for subdomains")
    if not key.proves(claim.signature, digest):
        raise _RefusedError("fail", "the signature is wrong")
    return "testing" if key.testing else ""


async def _key(dns: Dns, claim: _Claim) -> PublicKey:
    try:
        records = await dns.txt(f"{claim.selector}._domainkey.{claim.domain}")
    except DnsError:
        raise _RefusedError("temperror", "the key cannot be looked up now") from None
    reason = "there is no key"
    for record in records[:MAX_KEY_RECORDS]:
        try:
            return parse_key(record)
        except KeyRecordError as error:
            reason = str(error)
    raise _RefusedError("permerror", reason)


def _header_digest(header: Header, claim: _Claim) -> bytes:
    """SHA-256 of the signed fields, the last one of a name first, and of the signature without its own value (3.7)."""
    form = relaxed_field if claim.header_form == "relaxed" else simple_field
    by_name: dict[str, list[Field]] = {}
    for field in header.fields:
        by_name.setdefault(field.name, []).append(field)
    taken: Counter[str] = Counter()
    signed = hashlib.sha256()
    for name in claim.names:
        found = by_name.get(name, [])
        taken[name] += 1
        if taken[name] <= len(found):
            signed.update(form(found[-taken[name]].raw))
    signed.update(form(_without_signature(claim.field.raw)).removesuffix(b"\r\n"))
    return signed.digest()


def _without_signature(raw: bytes) -> bytes:
    """The field with the value of b= removed, and nothing else."""
    name, _, value = raw.partition(b":")
    parts = value.split(b";")
    kept = [p[: p.index(b"=") + 1] if p.partition(b"=")[0].strip() == b"b" and b"=" in p else p for p in parts]
    return name + b":" + b";".join(kept)


def _claim(field: Field, now_s: int) -> _Claim:
    try:
        tags = parse_tags(field.value)
    except TagError as error:
        raise _RefusedError("permerror", str(error)) from error
    domain = tags.get("d", "").lower()
    if not _DOMAIN.fullmatch(domain):
        raise _RefusedError("permerror", "no domain")
    missing = [name for name in _NEEDED if not tags.get(name)]
    if missing or tags["v"] != "1":
        raise _RefusedError("permerror", f"no {missing[0]}=" if missing else "another version", domain)
    algorithm = tags["a"].lower()
    if algorithm not in _ALGORITHMS:
        raise _RefusedError("policy" if algorithm == "rsa-sha1" else "permerror", "the algorithm is not taken", domain)
    identity = tags.get("i", f"@{domain}")
    owner = identity.rpartition("@")[2].lower()
    if "@" not in identity or not (owner == domain or owner.endswith(f".{domain}")):
        raise _RefusedError("permerror", "the identity is of another domain", domain)
    names = tuple(name.strip().lower() for name in tags["h"].split(":"))
    if "from" not in names:
        raise _RefusedError("permerror", "From is not signed", domain)
    if not _SELECTOR.fullmatch(tags["s"]) or "dns/txt" not in tags.get("q", "dns/txt"):
        raise _RefusedError("permerror", "the key cannot be found", domain)
    _check_times(tags, domain, now_s)
    header_form, _, body_form = tags.get("c", "simple/simple").lower().partition("/")
    body_form = body_form or "simple"
    if header_form not in _FORMS or body_form not in _FORMS:
        raise _RefusedError("permerror", "the canonical form is not known", domain)
    length = tags.get("l")
    if length is not None and not _NUMBER.fullmatch(length):
        raise _RefusedError("permerror", "bad l=", domain)
    return _Claim(
        field, algorithm, domain, tags["s"], identity, names, header_form, body_form,
        _octets(tags["bh"], domain), _octets(tags["b"], domain), int(length) if length is not None else None,
    )  # fmt: skip


def _check_times(tags: dict[str, str], domain: str, now_s: int) -> None:
    for name in ("t", "x"):
        if name in tags and not _NUMBER.fullmatch(tags[name]):
            raise _RefusedError("permerror", f"bad {name}=", domain)
    made_s, ends_s = int(tags.get("t", "0")), int(tags.get("x", "0"))
    if made_s > now_s + MAX_SKEW_S:
        raise _RefusedError("permerror", "the signature is from the future", domain)
    if ends_s and (ends_s < now_s or ends_s < made_s):
        raise _RefusedError("fail", "the signature has expired", domain)


def _octets(value: str, domain: str) -> bytes:
    try:
        return binascii.a2b_base64(without_spaces(value).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _RefusedError("permerror", "not base64", domain) from None
