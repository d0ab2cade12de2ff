"""The settings of the mail way out, with the limits that RFC 5321 section 4.5.3.2 asks for."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from egress.mta.dkim import DkimKey
from egress.mta.errors import ConfigError
from egress.mta.mailbox import AddressError, ascii_domain_of

TlsPolicy = Literal["none", "opportunistic", "encrypt", "verify"]
ANY_DOMAIN = "*"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each step may take, in milliseconds; the defaults are the minimum of RFC 5321 section 4.5.3.2.

    `dot_ms` is the wait for the answer to a whole message: a shorter one duplicates mail.
    """

    dns_ms: int = 10_000
    connect_ms: int = 30_000
    greeting_ms: int = 300_000
    hello_ms: int = 300_000
    tls_ms: int = 60_000
    mail_ms: int = 300_000
    rcpt_ms: int = 300_000
    data_ms: int = 120_000
    block_ms: int = 180_000
    dot_ms: int = 600_000
    reset_ms: int = 20_000


@dataclass(frozen=True, slots=True)
class MtaConfig:
    """What an `Mta` is to be.

    `hostname` is our name in EHLO. `mx_overrides` maps a recipient domain, or `*` for every other, to `host:port`. `tls` maps
    a recipient domain, or `*`, to its policy: `none` never, `opportunistic` when offered and without verification,
    `encrypt` always and without verification, `verify` always and with the host's certificate checked against
    `tls_ca_file` (PEM; empty for the system's). `source_address` binds outgoing connections.
    `nameservers` are `address` or `address:port`, none for the system's.
    """

    hostname: str
    mx_overrides: Mapping[str, str] = field(default_factory=dict)
    dkim_keys: tuple[DkimKey, ...] = ()
    connections_per_host: int = 10
    max_messages_per_connection: int = 100
    max_in_flight: int = 1_000
    max_idle_connections: int = 500
    idle_ms: int = 30_000
    wait_for_connection_ms: int = 60_000
    failures_before_pause: int = 10
    pause_ms: int = 10_000
    broken_tls_ms: int = 3_600_000
    close_grace_ms: int = 10_000
    tls: Mapping[str, TlsPolicy] = field(default_factory=dict)
    tls_ca_file: str = ""
    source_address: str = ""
    nameservers: tuple[str, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)

    def tls_policy(self, domain: str) -> TlsPolicy:
        """The policy for mail to `domain`."""
        return self.tls.get(domain) or self.tls.get(ANY_DOMAIN) or "opportunistic"


def host_and_port(target: str, default_port: int = 0) -> tuple[str, int]:
    """The parts of `host:port`, `address:port` or `[address]:port`. Raises ConfigError; no port is the default, if any."""
    host, colon, port = target.rpartition(":")
    if not colon or (port.endswith("]") and host):
        host, port = target, str(default_port)
    host = host.removeprefix("[").removesuffix("]")
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(f"{target!r} has no port")
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError:
        pass
    try:
        return ascii_domain_of(host), int(port)
    except AddressError as error:
        raise ConfigError(f"{target!r} has no host") from error
