"""DKIM signatures, judged by dkimpy and by the examples of the RFC."""

import base64
import hashlib
import re
from pathlib import Path

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.delivery import AttemptDue
from egress.mta.dkim import DkimKey, DkimSigner, relaxed_body, relaxed_field
from egress.mta.errors import ConfigError
from egress.mta.extras import Attachment, Extras
from egress.mta.mime import build
from tests.unit.egress.mta.attempts import NOW_MS, attempt
from tests.unit.egress.mta.keys import ed25519_pem, rsa_pem

NOW_S = NOW_MS // 1_000


def rsa_key() -> DkimKey:
    return DkimKey.parse("acme.test", "s1", rsa_pem())


def ed25519_key() -> DkimKey:
    return DkimKey.parse("acme.test", "s2", ed25519_pem())


def signed(due: AttemptDue, *keys: DkimKey) -> bytes:
    mail = build(due, now_ms=NOW_MS)
    return mail.message(DkimSigner(keys).sign(mail.fields, mail.body, mail.sender.domain, now_s=NOW_S))


def verified(raw: bytes, key: DkimKey) -> bool:
    def record(name: bytes, timeout: int = 5) -> bytes:
        assert name == f"{key.selector}._domainkey.{key.domain}.".encode()
        return key.record().encode()

    return bool(dkim.verify(raw, dnsfunc=record))


RICH = attempt(
    subject="Grüße  und \t mehr",
    sender_name="Acme Größe",
    text=" leading\n\n trailing \t \n\n.\n\n\n",
    html="<p>ä</p>" * 200,
    headers={"Reply-To": "help@acme.test", "List-Unsubscribe": "<https://acme.test/u>", "X-Note": "a   b"},
)


@pytest.mark.parametrize("due", [attempt(), attempt(text=""), RICH], ids=["plain", "empty", "rich"])
def test_dkimpy_accepts_an_rsa_signature(due: AttemptDue) -> None:
    assert verified(signed(due, rsa_key()), rsa_key())


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300), st.text(max_size=600))
def test_dkimpy_accepts_whatever_is_written(subject: str, text: str) -> None:
    assert verified(signed(attempt(subject=subject, text=text), rsa_key()), rsa_key())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"on its way", b"on its WAY"),
        (b"Subject: Your", b"Subject: My"),
        (b"MIME-Version", b"Subject: second\r\nMIME-Version"),
        (b"MIME-Version", b"From: boss@acme.test\r\nMIME-Version"),
        (b"MIME-Version", b"Reply-To: thief@evil.test\r\nMIME-Version"),
        (b"List-Unsubscribe: <https://acme.test", b"List-Unsubscribe: <https://evil.test"),
    ],
)
def test_changed_or_added_fields_break_the_signature(old: bytes, new: bytes) -> None:
    raw = signed(attempt(headers={"List-Unsubscribe": "<https://acme.test/u>"}), rsa_key())
    assert verified(raw, rsa_key())

    assert not verified(raw.replace(old, new, 1), rsa_key())


def test_both_kinds_of_key_sign_and_the_ed25519_signature_holds() -> None:
    raw = signed(attempt(), rsa_key(), ed25519_key())
    first, second = re.findall(rb"DKIM-Signature: (.*?\r\n)(?! )", raw, re.DOTALL)

    assert b"a=rsa-sha256" in first
    assert b"a=ed25519-sha256" in second
    mail = build(attempt(), now_ms=NOW_MS)
    head, _, value = second.rpartition(b"b=")
    names = re.sub(rb"\s", b"", re.search(rb"h=([^;]+);", head)[1]).split(b":")  # type: ignore[index] # it is there
    fields = {name.lower(): body for name, body in mail.fields}
    data = b"".join(relaxed_field(name, fields.pop(name)) for name in names if name in fields)
    data += relaxed_field(b"dkim-signature", head + b"b=").removesuffix(b"\r\n")
    private = ed25519_key().private
    assert isinstance(private, Ed25519PrivateKey)
    public, digest = private.public_key(), hashlib.sha256(data).digest()
    public.verify(base64.b64decode(value), digest)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(value), digest[::-1])


def test_signature_lines_are_short() -> None:
    raw = signed(attempt(), DkimKey.parse("acme.test", "selector-2026", rsa_pem()))

    assert max(len(line) for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n")) <= 78


def test_the_key_is_that_of_the_from_domain_or_of_its_nearest_parent() -> None:
    parent = DkimKey.parse("acme.test", "p", rsa_pem())
    child = DkimKey.parse("mail.acme.test", "c", rsa_pem())
    signer = DkimSigner([parent, child])

    assert signer.keys_for("acme.test") == (parent,)
    assert signer.keys_for("mail.acme.test") == (child,)
    assert signer.keys_for("a.mail.acme.test") == (child,)
    assert signer.keys_for("notacme.test") == ()
    assert signer.sign([], b"", "other.test", now_s=NOW_S) == b""


def test_the_relaxed_forms_are_those_of_the_rfc() -> None:
    # RFC 6376 section 3.4.5
    assert relaxed_field(b"A", b" X") == b"a:X\r\n"
    assert relaxed_field(b"B ", b" Y\t\r\n\tZ  ") == b"b:Y Z\r\n"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b"", b""),
        (b"\r\n\r\n", b""),
        (b" \t\r\n", b""),
        (b"x", b"x\r\n"),
        (b"x \r\n \r\n", b"x\r\n"),
        (b"x\t ", b"x \r\n"),
    ],
)
def test_empty_ends_of_a_body_do_not_count(body: bytes, relaxed: bytes) -> None:
    assert relaxed_body(body) == relaxed


def test_a_key_is_loaded_from_a_file_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(ed25519_pem())

    key = DkimKey.load("Bücher.test", "s1", path)

    assert key.domain == "xn--bcher-kva.test"
    assert "private" not in repr(key)
    assert key.record().startswith("v=DKIM1; k=ed25519; p=")


def test_unfit_keys_domains_and_selectors_are_refused(tmp_path: Path) -> None:
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for domain, selector, pem in (
        ("acme.test", "s1", b"no key"),
        ("acme.test", "s1", curve),
        ("acme.test", "s1; x=", rsa_pem()),
        ("not a domain", "s1", rsa_pem()),
    ):
        with pytest.raises(ConfigError):
            DkimKey.parse(domain, selector, pem)
    with pytest.raises(ConfigError):
        DkimKey.load("acme.test", "s1", tmp_path / "missing.pem")
    with pytest.raises(ConfigError):
        DkimSigner([rsa_key()] * 5)


def test_the_platforms_keys_sign_every_mail_beside_the_tenants() -> None:
    tenant, platform = rsa_key(), DkimKey.parse("hermes.test", "p1", rsa_pem())
    signer = DkimSigner((tenant, platform), "hermes.test")

    for domain, signers in (("acme.test", ["acme.test", "hermes.test"]), ("hermes.test", ["hermes.test"])):
        mail = build(attempt(sender=f"news@{domain}"), now_ms=NOW_MS)
        fields = signer.sign(mail.fields, mail.body, domain, now_s=NOW_S)
        assert re.findall(r"d=([a-z.]+);", fields.decode()) == signers
        assert fields.count(b"DKIM-Signature:") == len(signers)


def test_keys_can_be_replaced_while_at_work_and_must_be_the_domains_own() -> None:
    signer = DkimSigner((rsa_key(),))
    signer.replace("acme.test", (ed25519_key(),))
    assert [key.selector for key in signer.keys_for("acme.test")] == ["s2"]
    signer.replace("acme.test", ())
    assert signer.keys_for("acme.test") == ()
    with pytest.raises(ConfigError):
        signer.replace("other.test", (rsa_key(),))


def test_unsubscribing_files_and_addresses_outside_ascii_are_signed() -> None:
    extras = Extras((Attachment("a.bin", "application/octet-stream", bytes(300)),), "https://u.acme.test/1")
    mail = build(attempt(address="jürgen@b.test", html="<p>Hi</p>"), extras, now_ms=NOW_MS)
    signature = DkimSigner((rsa_key(),)).sign(mail.fields, mail.body, "acme.test", now_s=NOW_S)
    raw = mail.message(signature)

    assert verified(raw, rsa_key())
    assert b"list-unsubscribe-post" in signature
    assert not verified(raw.replace(b"/u.acme.test/1", b"/u.evil.test/1"), rsa_key())
