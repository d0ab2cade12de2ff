"""The field Authentication-Results: ours written, those that others wrote in our name removed (RFC 8601)."""

import re
from collections.abc import Sequence
from typing import Final

from schemas.mail.dkim_verify import Signature
from schemas.mail.dmarc import Dmarc
from schemas.mail.fields import split
from schemas.mail.spf import Spf

FIELD: Final = "authentication-results"

_UNSAFE = re.compile(r"[^A-Za-z0-9!#$&*+./^_`{|}~@-]")


def written(authserv_id: str, spf: Spf, spf_property: str, signatures: Sequence[Signature], dmarc: Dmarc) -> bytes:
    """The field with its line end. `spf_property` is `smtp.mailfrom` or `smtp.helo`, whichever was asked."""
    results = [f"spf={spf.result} {spf_property}={_value(spf.domain)}"]
    for one in signatures:
        properties = f" header.d={_value(one.domain)}" if one.domain else ""
        properties += f" header.s={_value(one.selector)}" if one.selector else ""
        properties += f" header.a={_value(one.algorithm)}" if one.algorithm else ""
        results.append(f"dkim={one.result}{properties}")
    if not signatures:
        results.append("dkim=none")
    results.append(f"dmarc={dmarc.result} header.from={_value(dmarc.domain)}")
    return ("Authentication-Results: " + ";\r\n ".join([authserv_id, *results]) + "\r\n").encode("ascii")


def without_forged(raw: bytes, authserv_id: str) -> bytes:
    """`raw` (CRLF lines) without fields of this name that claim to be ours (section 5); nothing else is touched."""
    header, body = split(raw)
    forged = [field for field in header.fields if field.name == FIELD and _is_ours(field.raw, authserv_id)]
    head = b"\r\n" + raw[: len(raw) - len(body)]
    for field in forged:
        head = head.replace(b"\r\n" + field.raw + b"\r\n", b"\r\n", 1)  # at the begin of a line only
    return head[2:] + body


def _is_ours(raw: bytes, authserv_id: str) -> bool:
    """Whether our name stands where the writer's name does, comments or not."""
    return authserv_id.lower().encode() in raw.partition(b":")[2].partition(b";")[0].lower()


def _value(text: str) -> str:
    return _UNSAFE.sub("_", text) or "unknown"
