"""The two kinds of TLS: against eavesdroppers only, and with the host proved."""

import ssl

from egress.mta.errors import ConfigError


def unverified_context() -> ssl.SSLContext:
    """TLS 1.2 or newer against eavesdroppers only: opportunistic TLS promises no more (RFC 7435); DANE proves by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def verified_context(ca_file: str) -> ssl.SSLContext:
    """TLS 1.2 or newer with the chain and the name checked. Raises ConfigError for a bad `ca_file`."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ConfigError(f"trust store {ca_file!r} cannot be read") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
