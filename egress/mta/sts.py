"""MTA-STS: the record and the policy by which a domain says that its hosts do verified TLS (RFC 8461)."""

import re
from dataclasses import dataclass
from typing import Literal

MAX_POLICY_BYTES = 64 * 1024
MAX_MX = 100
MAX_AGE_S = 31_557_600

StsMode = Literal["enforce", "testing", "none"]
_MODES: dict[str, StsMode] = {"enforce": "enforce", "testing": "testing", "none": "none"}

_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


class StsError(ValueError):
    """What came is no policy."""


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy: hosts as `mx.example.net` or `*.example.net`, lower case, and how long it holds."""

    mode: StsMode
    hosts: tuple[str, ...]
    max_age_s: int

    @property
    def lines(self) -> tuple[str, ...]:
        """The policy as its document writes it."""
        hosts = (f"mx: {host}" for host in self.hosts)
        return "version: STSv1", f"mode: {self.mode}", *hosts, f"max_age: {self.max_age_s}"

    def lists(self, host: str) -> bool:
        """Whether mail may go to `host`; the star stands for exactly one label (section 4.1)."""
        host = host.lower().removesuffix(".")
        parent = host.partition(".")[2]
        return any(host == name or (name.startswith("*.") and parent == name[2:]) for name in self.hosts)


def record_id(texts: tuple[bytes, ...]) -> str:
    """The id of the one STSv1 record among `texts`, empty for none, several, or one that cannot be read (section 3.1)."""
    found = [text for text in texts if text.startswith(b"v=STSv1")]
    if len(found) != 1 or len(found[0]) > MAX_POLICY_BYTES:
        return ""
    tags = [part.strip() for part in found[0].decode("latin-1").split(";")]
    ids = [tag.partition("=")[2].strip() for tag in tags[1:] if tag.partition("=")[0].strip() == "id"]
    if tags[0] != "v=STSv1" or len(ids) != 1:
        return ""
    return ids[0] if ids[0].isascii() and ids[0].isalnum() and len(ids[0]) <= 32 else ""


def parse_policy(document: bytes) -> StsPolicy:
    """The policy in `document`, CRLF or LF lines; unknown keys are passed over. Raises StsError (section 3.2)."""
    if len(document) > MAX_POLICY_BYTES:
        raise StsError("too long")
    try:
        lines = document.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise StsError("not UTF-8") from error
    first: dict[str, str] = {}
    hosts: list[str] = []
    for line in lines:
        name, colon, value = line.strip().partition(":")
        if not colon:
            continue
        name, value = name.strip(), value.strip()
        if name == "mx":
            hosts.append(value.lower().removesuffix("."))
        else:
            first.setdefault(name, value)
    age = first.get("max_age", "")
    mode = first.get("mode", "")
    if first.get("version") != "STSv1":
        raise StsError("another version")
    if mode not in _MODES:
        raise StsError("no mode")
    if not age.isascii() or not age.isdecimal() or len(age) > 10:
        raise StsError("no max_age")
    if len(hosts) > MAX_MX or not all(_PATTERN.fullmatch(host) for host in hosts) or (not hosts and mode != "none"):
        raise StsError("no list of hosts")
    return StsPolicy(_MODES[mode], tuple(hosts), min(int(age), MAX_AGE_S))
