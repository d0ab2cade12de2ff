"""Signatures of providers: the right one passes, and nothing altered, late or foreign does."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from domain.errors import ConfigError
from schemas.signatures import hlr_lookups, messente, meta, sendgrid, sigv4, sns, standard, twilio, workos
from schemas.signatures.digest import from_base64
from schemas.signatures.window import is_recent

NOW_MS = 1_700_000_000_000
NOW_S = str(NOW_MS // 1_000)
BODY = b'{"a": 1}'
RSA_KEY = rsa.generate_private_key(65_537, 2_048)
TOPIC = "arn:aws:sns:eu-west-1:1:hermes"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def hexed(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_a_time_far_from_ours_or_none_is_not_recent() -> None:
    assert is_recent(NOW_S, NOW_MS + 300_000)
    for written in (str(NOW_MS // 1_000 - 301), str(NOW_MS // 1_000 + 301), "", "-1", "1e9", "٣", "9" * 17):
        assert not is_recent(written, NOW_MS)


def test_what_is_no_base64_is_no_signature() -> None:
    assert from_base64("YQ==") == b"a"
    for text in ("a", "!", "é", "A" * 2_000):
        assert from_base64(text) == b""


def test_bodies_signed_with_a_shared_secret() -> None:
    signature = hexed("s", BODY)
    assert meta.verify("s", f"sha256={signature}", BODY)
    assert messente.verify("s", signature, BODY)
    for altered in ("", signature, f"sha256={signature[:-1]}", f"sha256={signature}é"):
        assert not meta.verify("s", altered, BODY)
    assert not messente.verify("t", signature, BODY)
    assert not messente.verify("s", signature, BODY + b" ")


def test_workos_signs_its_time() -> None:
    header = f"t={NOW_MS}, v1={hexed('s', str(NOW_MS).encode() + b'.' + BODY)}"
    assert workos.verify("s", header, BODY, NOW_MS)
    assert not workos.verify("s", header, BODY, NOW_MS + 181_000)
    for altered in ("", "t", header.replace("t=1", "t=2"), header + "x" * 2_000):
        assert not workos.verify("s", altered, BODY, NOW_MS)


def test_hlr_lookups_signs_the_request() -> None:
    signature = hlr_lookups.sign("s", "/hlr", NOW_S, "post", BODY)
    assert hlr_lookups.verify("s", "/hlr", NOW_S, "POST", BODY, signature, NOW_MS)
    assert not hlr_lookups.verify("s", "/other", NOW_S, "POST", BODY, signature, NOW_MS)
    assert not hlr_lookups.verify("s", "/hlr", NOW_S, "POST", BODY, signature, NOW_MS + 301_000)


@pytest.mark.parametrize(
    ("told", "signed"),
    [
        ("https://a.example/b?c=d", "https://a.example:443/b?c=d"),
        ("https://a.example:443/b", "https://a.example/b"),
        ("http://a.example/b", "http://a.example/b"),
        ("http://a.example:x/b", "http://a.example:x/b"),
        ("ftp://a.example/b", "ftp://a.example/b"),
    ],
)
def test_twilio_signs_the_form_with_or_without_a_port(told: str, signed: str) -> None:
    digest = hmac.new(b"t", f"{signed}A1A2B3".encode(), hashlib.sha1).digest()
    form = [("B", "3"), ("A", "2"), ("A", "1"), ("A", "2")]
    assert twilio.verify_form("t", told, form, base64.b64encode(digest).decode())
    assert not twilio.verify_form("t", told, form[:3], "A" * 28)
    assert not twilio.verify_form("t", told + "x" * 9_000, form, "")


def test_twilio_signs_the_hash_of_another_body() -> None:
    url = f"https://a.example/b?bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    signature = base64.b64encode(hmac.new(b"t", url.encode(), hashlib.sha1).digest()).decode()
    assert twilio.verify_body("t", url, BODY, signature)
    assert not twilio.verify_body("t", url, BODY + b" ", signature)
    assert not twilio.verify_body("t", "https://a.example/" + "b" * 9_000, BODY, signature)


def test_sendgrid_signs_with_an_elliptic_curve() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    written = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = sendgrid.public_key(base64.b64encode(written).decode())
    signature = base64.b64encode(private.sign(NOW_S.encode() + BODY, ec.ECDSA(SHA256()))).decode()
    assert sendgrid.verify(key, signature, NOW_S, BODY, NOW_MS)
    assert not sendgrid.verify(key, signature, NOW_S, BODY, NOW_MS + 301_000)
    assert not sendgrid.verify(key, signature, NOW_S, BODY + b" ", NOW_MS)
    assert not sendgrid.verify(key, "none", NOW_S, BODY, NOW_MS)


def test_a_key_of_another_kind_is_an_error_of_configuration() -> None:
    other = RSA_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for written in ("none", base64.b64encode(other).decode()):
        with pytest.raises(ConfigError):
            sendgrid.public_key(written)
    for key in ("other", "whpk_YQ=="):
        with pytest.raises(ConfigError):
            standard.verify(key, "m", NOW_S, BODY, "v1a,YQ==", NOW_MS)


def test_standard_webhooks_may_carry_several_signatures() -> None:
    secret = base64.b64encode(bytes(24)).decode()
    signed = f"m.{NOW_S}.".encode() + BODY
    digest = base64.b64encode(hmac.new(bytes(24), signed, hashlib.sha256).digest()).decode()
    assert standard.verify(f"whsec_{secret}", "m", NOW_S, BODY, f"v1,AAAA v1,{digest} v2,x", NOW_MS)
    assert not standard.verify(f"whsec_{secret}", "m", NOW_S, BODY, f"v1a,{digest}", NOW_MS)
    assert not standard.verify(f"whsec_{secret}", "m", NOW_S, BODY, "v1,x " * 10 + f"v1,{digest}", NOW_MS)
    private = ed25519.Ed25519PrivateKey.generate()
    public = "whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()
    signature = base64.b64encode(private.sign(signed)).decode()
    assert standard.verify(public, "m", NOW_S, BODY, f"v1a,{signature}", NOW_MS)
    assert not standard.verify(public, "m", NOW_S, BODY, "v1a,AAAA", NOW_MS)
    assert not standard.verify(public, "m", NOW_S, BODY, f"v1a,{signature}", NOW_MS + 301_000)


def certificate(name: str = sns.NAME, key: rsa.RSAPrivateKey = RSA_KEY) -> bytes:
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(AT - timedelta(days=1)).not_valid_after(AT + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def notification(**altered: str) -> dict[str, str]:
    message = {
        "Type": "Notification", "MessageId": "1", "TopicArn": TOPIC, "Message": "hi", "SignatureVersion": "2",
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
    }  # fmt: skip
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    signed = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    signature = base64.b64encode(RSA_KEY.sign(signed, padding.PKCS1v15(), SHA256())).decode()
    return {**message, "Signature": signature, **altered}


def test_sns_is_taken_by_topic_place_time_and_certificate() -> None:
    topics = frozenset({TOPIC})
    assert sns.verify(notification(), certificate(), topics, AT)
    assert not sns.verify(notification(), certificate(), frozenset(), AT)
    assert not sns.verify(notification(), certificate(), topics, AT + timedelta(hours=2))
    assert not sns.verify(notification(), certificate("sns.example.org"), topics, AT)
    assert not sns.verify(notification(), b"none", topics, AT)


@pytest.mark.parametrize(
    "altered",
    [
        {"Message": "ho"}, {"Subject": "x"}, {"Type": "Other"}, {"SignatureVersion": "3"}, {"SignatureVersion": "1"},
        {"Signature": ""}, {"Timestamp": "yesterday"}, {"Timestamp": "2026-13-01T00:00:00Z"}, {"Message": "x" * 300_001},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem"},
    ],
)  # fmt: skip
def test_an_altered_notification_is_not_taken(altered: dict[str, str]) -> None:
    assert not sns.verify(notification(**altered), certificate(), frozenset({TOPIC}), AT)


def test_a_certificate_out_of_its_time_is_not_taken() -> None:
    assert not sns.is_signed(notification(), certificate(), AT + timedelta(days=2))


def test_a_request_to_amazon_is_signed_with_its_query_and_headers() -> None:
    credentials = sigv4.Credentials("AKID", "secret", "eu-west-1", "ses")
    request = sigv4.Request("GET", "https://a.example/b c?z=1&a=%20", {"x": " y  z "}, b"", "20260101T000000Z")
    header = sigv4.authorization(credentials, request)
    assert "SignedHeaders=host;x;x-amz-date" in header
    assert sigv4.verify(credentials, request, header)
    assert not sigv4.verify(credentials, replace(request, method="PUT"), header)
