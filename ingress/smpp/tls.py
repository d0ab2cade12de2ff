"""The TLS of the SMPP listener: version 1.2 at least, and a client certificate where a CA for it is named."""

import ssl

from domain.errors import ConfigError
from ingress.smpp.settings import TlsSettings


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """The context; ConfigError names the file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    is_newest = settings.minimum == "1.3"
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if is_newest else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
        if settings.client_ca_file:
            context.load_verify_locations(settings.client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"SMPP TLS: certificate_file, key_file or client_ca_file: {error}") from error
    return context
