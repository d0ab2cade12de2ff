"""The DKIM cases: canonical forms, and signed messages with the keys that lie beside them."""

import base64
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from schemas.mail.dkim_canonical import relaxed_body, relaxed_field, simple_body, simple_field
from schemas.mail.dkim_verify import verify
from schemas.mail.dns import AddressKind
from schemas.mail.fields import split

NOW_S: Final = 1_600_000_000
"""After the messages of the file were signed."""

# What the messages are known to be: the results of their signatures, by file.
_EXPECTED: Final[dict[str, list[str]]] = {
    "ed25519test2.msg": ["pass"],
    "rfc6376.signed.msg": ["pass", "pass"],
    "rfc6376.signed.rsa.msg": ["pass"],
    "rfc6376.signed.no_t.msg": ["fail"],  # x= was added after it was signed
    "test.message.baddomain": ["permerror"],
}


def run_canonical(cases: list[dict[str, Any]]) -> list[tuple[str, bool, str]]:
    """Name, passed and the forms that differ, for each case."""
    results: list[tuple[str, bool, str]] = []
    for case in cases:
        header, body = split(_crlf(base64.b64decode(case["email_b64"])))
        forms = {
            "simple": b"".join([simple_field(one.raw) for one in header.fields]) + b"\r\n" + simple_body(body),
            "relaxed": b"".join([relaxed_field(one.raw) for one in header.fields]) + b"\r\n" + relaxed_body(body),
        }
        wrong = [name for name, octets in forms.items() if octets != base64.b64decode(case[f"{name}_b64"])]
        results.append((f"{case['id']} {case['purpose']}", not wrong, " ".join(wrong)))
    return results


async def run_dkim(cases: list[dict[str, Any]]) -> list[tuple[str, bool, str]]:
    """Name, passed and the results found otherwise, for each signed message whose keys are there."""
    files = {case["id"]: base64.b64decode(case["raw_b64"]) for case in cases}
    keys = _Keys(files)
    results: list[tuple[str, bool, str]] = []
    for name, expected in _EXPECTED.items():
        if name in files:
            found = await verify(keys, _crlf(files[name]), NOW_S)
            passed = [one.result for one in found] == expected
            results.append((name, passed, "" if passed else " ".join(f"{one.result} {one.reason}" for one in found)))
    return results


class _Keys:
    """The records of the selectors that the messages name."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._records = {"test": files.get("test.txt", b""), "sed": files.get("eximtest.dns", b"")}
        seed = files.get("rfc8032_7_1.key")
        if seed:
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))
            public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self._records["brisbane"] = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """See Dns."""
        record = self._records.get(name.partition(".")[0])
        return (record.strip(),) if record else ()

    async def addresses(self, _name: str, _kind: AddressKind) -> tuple[str, ...]:
        """Nothing: keys are texts."""
        return ()

    async def mx(self, _name: str) -> tuple[tuple[int, str], ...]:
        """Nothing: keys are texts."""
        return ()

    async def ptr(self, _name: str) -> tuple[str, ...]:
        """Nothing: keys are texts."""
        return ()


def _crlf(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
