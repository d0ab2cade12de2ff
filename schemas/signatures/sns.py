"""Callbacks of Amazon SNS: RSA over chosen fields, by a certificate that only Amazon's own address may give.

The order of use: `certificate_url` pins where the certificate comes from, whoever fetches it checks TLS, and `verify` checks
the certificate's name, its time, and the signature.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from schemas.signatures.digest import from_base64

TOLERANCE: Final = timedelta(hours=1)
"""SNS repeats a callback for about an hour."""
MAX_FIELD_CHARS: Final = 300_000
NAME: Final = "sns.amazonaws.com"

_URL = re.compile(
    r"https://sns\.[a-z0-9-]{5,25}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_NOTIFICATION: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_FIELDS: Final = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}


def certificate_url(message: Mapping[str, str]) -> str:
    """Where the certificate may be fetched from; empty for an address that is not of SNS."""
    url = message.get("SigningCertURL", "")
    return url if _URL.fullmatch(url) else ""


def verify(message: Mapping[str, str], certificate_pem: bytes, topics: frozenset[str], now: datetime) -> bool:
    """Whether SNS signed the message with this certificate for one of our topics, not long before `now` (UTC)."""
    at = _time(message.get("Timestamp", ""))
    if at is None or abs(now - at) > TOLERANCE or message.get("TopicArn") not in topics or not certificate_url(message):
        return False
    return is_signed(message, certificate_pem, at)


def is_signed(message: Mapping[str, str], certificate_pem: bytes, at: datetime) -> bool:
    """Whether the certificate is one of SNS, valid `at` that time, and its key signed the message."""
    names = _FIELDS.get(message.get("Type", ""), ())
    signed = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    if not names or len(signed) > MAX_FIELD_CHARS:
        return False
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = certificate.public_key()
    except (ValueError, x509.ExtensionNotFound):
        return False
    if NAME not in alternatives.get_values_for_type(x509.DNSName) or not isinstance(key, RSAPublicKey):
        return False
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        return False
    algorithm = {"1": SHA1, "2": SHA256}.get(message.get("SignatureVersion", ""))
    if algorithm is None:
        return False
    try:
        key.verify(
            from_base64(message.get("Signature", "")), signed.encode("utf-8", "replace"), PKCS1v15(), algorithm()
        )
    except InvalidSignature:
        return False
    return True


def _time(written: str) -> datetime | None:
    if not _TIME.fullmatch(written):
        return None
    try:
        return datetime.fromisoformat(written.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None
