"""DKIM: what another implementation signs is true, and what was changed is not."""

import base64
import contextlib
import time

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.dkim import DkimKey, DkimSigner
from schemas.mail.dkim_verify import Signature, verify
from tests.unit.schemas.mail.zone import Zone

NOW_S = 1_900_000_000
RSA = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - the shortest that counts, and quick to make
PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
RSA_RECORD = "v=DKIM1; k=rsa; p=" + base64.b64encode(
    RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode("ascii")
ED = ed25519.Ed25519PrivateKey.generate()
ED_RECORD = "v=DKIM1; k=ed25519; p=" + base64.b64encode(
    ED.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode("ascii")
MAIL = (
    b"From: Ann <ann@a.example>\r\nTo: bob@b.example\r\nSubject:  two  spaces\r\n\tfolded\r\n\r\nHi  there \r\n\r\n\r\n"
)


def signed(form: tuple[bytes, bytes] = (b"relaxed", b"relaxed"), **changes: object) -> bytes:
    """MAIL with a signature of dkimpy's before it."""
    return bytes(dkim.sign(MAIL, b"s1", b"a.example", PEM, canonicalize=form, **changes)) + MAIL


async def check(raw: bytes, record: str | None = RSA_RECORD) -> Signature:
    """The first signature; `record` None for a look-up that fails."""
    zone = Zone({("s1._domainkey.a.example", "TXT"): None if record is None else (record,)})
    return (await verify(zone, raw, NOW_S))[0]


@pytest.mark.parametrize("header_form", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body_form", [b"simple", b"relaxed"])
async def test_what_dkimpy_signs_passes_in_every_form(header_form: bytes, body_form: bytes) -> None:
    found = await check(signed((header_form, body_form)))
    assert found == Signature("pass", "a.example", "s1", "@a.example", "rsa-sha256")


async def test_ed25519_passes() -> None:
    fields = [(b"From", b"Ann <ann@a.example>"), (b"Subject", b"Hi")]
    signatures = DkimSigner([DkimKey("a.example", "s1", ED)]).sign(fields, b"Hello\r\n", "a.example", now_s=NOW_S)
    raw = signatures + b"From: Ann <ann@a.example>\r\nSubject: Hi\r\n\r\nHello\r\n"
    assert (await check(raw, ED_RECORD)).result == "pass"


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (b"Hi  there", b"Hi  there!", "fail"),
        (b"Subject:  two", b"Subject:  three", "fail"),
        (b"From: Ann", b"From: Eve <eve@e.example>\r\nFrom: Ann", "fail"),
        (b"v=1;", b"v=2;", "permerror"),
        (b"a=rsa-sha256", b"a=rsa-sha1", "policy"),
        (b"a=rsa-sha256", b"a=rsa-md5", "permerror"),
        (b"d=a.example", b"d=a(.example", "permerror"),
        (b"i=@a.example", b"i=@b.example", "permerror"),
        (b"s=s1;", b"s=s1; x=1000;", "fail"),
        (b"s=s1;", b"s=s1; t=2000000000;", "permerror"),
        (b"s=s1;", b"s=s1; l=3;", "policy"),
        (b"s=s1;", b"s=s1; s=s1;", "permerror"),
    ],
)
async def test_what_was_changed_does_not_pass(old: bytes, new: bytes, result: str) -> None:
    raw = signed(identity=b"@a.example")
    raw = raw.replace(b"t=", b"z=", 1)  # so that a time can be added
    assert old in raw
    assert (await check(raw.replace(old, new, 1))).result == result


@pytest.mark.parametrize(
    ("record", "result", "reason"),
    [
        (None, "temperror", "the key cannot be looked up now"),
        ("", "permerror", "the key is revoked"),
        ("v=DKIM1; p=", "permerror", "the key is revoked"),
        ("v=DKIM2; p=AAAA", "permerror", "the key record has another version"),
        ("k=rsa; p=AAAA", "permerror", "the key cannot be read"),
        ("k=dsa; p=AAAA", "permerror", "the key is of an unknown kind"),
        (RSA_RECORD + "; s=tlsrpt", "permerror", "the key is not for mail"),
        (RSA_RECORD + "; h=sha1", "permerror", "the key is not for SHA-256"),
        (ED_RECORD, "permerror", "the key is of another kind"),
        (RSA_RECORD + "; t=y", "pass", "testing"),
    ],
)
async def test_the_key_must_be_there_and_fit(record: str | None, result: str, reason: str) -> None:
    found = await check(signed(), record)
    assert (found.result, found.reason) == (result, reason)


async def test_no_more_than_ten_signatures_are_looked_at() -> None:
    raw = b"DKIM-Signature: v=1\r\n" * 30 + MAIL
    assert len(await verify(Zone(), raw, NOW_S)) == 10


@given(st.binary(max_size=400))
def test_any_signature_is_answered(value: bytes) -> None:
    async def run() -> None:
        await verify(Zone(), b"DKIM-Signature: " + value + b"\r\n" + MAIL, NOW_S)

    began = time.perf_counter()
    # nothing in it waits: the zone answers at once
    with contextlib.suppress(StopIteration):
        run().send(None)
    assert time.perf_counter() - began < 0.1
