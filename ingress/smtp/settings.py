"""The limits and the places of the SMTP way in."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

LOOPBACK_NAMES: Final = ("localhost",)


@dataclass(frozen=True, slots=True)
class SmtpServerSettings:
    """Where to listen and how much to take; times in milliseconds, sizes in octets.

    Attributes:
        host: the address to bind.
        port: for SMTP with STARTTLS (RFC 6409), 0 for any free one.
        tls_port: for implicit TLS (RFC 8314), 0 for any free one, None for none. It needs `tls`.
        hostname: how the server names itself in its banner, and in the fields that it writes.
        tls: the certificate; None for a server that cannot encrypt.
        allow_plaintext_auth: whether a password may come unencrypted; None allows it on loopback only.
        max_message: octets of one message with its header.
        max_header: octets of its header.
        max_text_line: octets of one line of a message. RFC 5321 4.5.3.1.6 asks for 1,000; some senders do not wrap HTML.
        max_buffered: octets of all messages being read at this moment.
        max_recipients: of one transaction; RFC 5321 4.5.3.1.8 asks for at least 100.
        max_connections: at once, and `max_connections_per_client` from one address.
        max_commands: of one session, and `max_messages` of it.
        max_errors: senseless or forbidden commands before the session ends.
        max_login_failures: of one session; `max_client_failures` of one address within five minutes.
        max_received: Received fields, more are a loop.
        idle_ms: wait for the next command; `login_ms` until a client has authenticated, from the first octet on.
        data_ms: for one message, `session_ms` for everything.
        write_ms: for the client to read a reply; `handshake_ms` for TLS.
        answer_ms: for the rest of Hermes to answer; `failure_delay_ms` before a wrong password is answered.
    """

    host: str = "127.0.0.1"
    port: int = 2525
    tls_port: int | None = None
    hostname: str = "localhost"
    tls: ssl.SSLContext | None = None
    allow_plaintext_auth: bool | None = None
    max_message: int = 10_485_760
    max_header: int = 102_400
    max_text_line: int = 8_192
    max_buffered: int = 256 * 1024 * 1024
    max_recipients: int = 100
    max_connections: int = 2_000
    max_connections_per_client: int = 200
    max_commands: int = 50_000
    max_messages: int = 10_000
    max_errors: int = 20
    max_login_failures: int = 3
    max_client_failures: int = 30
    max_received: int = 50
    idle_ms: int = 300_000
    login_ms: int = 120_000
    data_ms: int = 600_000
    session_ms: int = 3_600_000
    write_ms: int = 60_000
    handshake_ms: int = 30_000
    answer_ms: int = 30_000
    failure_delay_ms: int = 1_000

    @property
    def plaintext_auth(self) -> bool:
        """Whether a password may come unencrypted."""
        if self.allow_plaintext_auth is not None:
            return self.allow_plaintext_auth
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what is bound to `host`."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
