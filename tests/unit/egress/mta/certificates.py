"""A small certificate authority for the tests of TLS."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def write(self, folder: Path, *above: "Issued") -> tuple[Path, Path]:
        """PEM files of the chain and of the key."""
        chain, key = folder / "chain.pem", folder / "key.pem"
        chain.write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (self, *above)))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return chain, key


def authority() -> Issued:
    """A certificate that signs itself and others."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Issued(_built("Test CA", key, None, key, ()), key)


def issue(by: Issued, host: str, *, days: int = 1) -> Issued:
    """A certificate of `host`; with negative `days` one that ended."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Issued(_built(host, key, by.certificate, by.key, (host,), days), key)


def _built(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, signer: ec.EllipticCurvePrivateKey,
    hosts: tuple[str, ...], days: int = 1,
) -> x509.Certificate:  # fmt: skip
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=10))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return (
            builder.add_extension(names, critical=False)
            .add_extension(usage, critical=False)
            .sign(signer, hashes.SHA256())
        )
    signing = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        builder.add_extension(signing, critical=True)
        .add_extension(identity, critical=False)
        .sign(signer, hashes.SHA256())
    )
