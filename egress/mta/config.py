"""The settings of the mail way out, with the limits that RFC 5321 section 4.5.3.2 asks for."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from egress.mta.dkim import DkimKey
from egress.mta.errors import ConfigError
from egress.mta.mailbox import AddressError, ascii_domain_of
from egress.mta.posture import Posture, TlsPolicy
from egress.mta.providers import Limits, Provider
from egress.mta.retry import RetrySchedule
from egress.mta.sources import MAX_SOURCES, Source

ANY_DOMAIN = "*"
SMTP_PORT = 25


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
    `tls_ca_file` (PEM; empty for the system's). A domain without one is asked for its own: DANE when `dane`, which needs
    nameservers that validate DNSSEC, and MTA-STS when `mta_sts`. `source_address` binds outgoing connections; `sources` in
    its place are several, each with its name. `nameservers` are `address` or `address:port`, none for the system's.
    `allow_private` lets mail go to MX hosts that are not on the public internet, at `smtp_port`.
    `messages_per_s` is for hosts of providers that are not known, zero for no limit. `return_path_domain` with
    `return_path_secret` makes envelope senders that name their attempt (`verp`). `platform_domain` signs every mail, too.
    """

    hostname: str
    mx_overrides: Mapping[str, str] = field(default_factory=dict)
    dkim_keys: tuple[DkimKey, ...] = ()
    platform_domain: str = ""
    connections_per_host: int = 10
    max_messages_per_connection: int = 100
    messages_per_s: int = 100
    providers: tuple[Provider, ...] = ()
    max_in_flight: int = 1_000
    max_waiting_per_site: int = 250
    max_idle_connections: int = 500
    idle_ms: int = 30_000
    wait_for_connection_ms: int = 60_000
    failures_before_pause: int = 10
    pause_ms: int = 10_000
    broken_tls_ms: int = 3_600_000
    close_grace_ms: int = 10_000
    retry: RetrySchedule = field(default_factory=RetrySchedule)
    tls: Mapping[str, TlsPolicy] = field(default_factory=dict)
    tls_ca_file: str = ""
    mta_sts: bool = True
    dane: bool = False
    allow_private: bool = False
    smtp_port: int = SMTP_PORT
    source_address: str = ""
    sources: tuple[Source, ...] = ()
    nameservers: tuple[str, ...] = ()
    return_path_domain: str = ""
    return_path_secret: bytes = field(default=b"", repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)

    def posture(self, domain: str) -> Posture:
        """What the configuration says about TLS with `domain`."""
        policy = self.tls.get(domain) or self.tls.get(ANY_DOMAIN)
        return Posture(policy, told=True) if policy else Posture()

    @property
    def own_sources(self) -> tuple[Source, ...]:
        """The sources, at least one."""
        return self.sources or (Source("", self.hostname, self.source_address),)

    def limits(self, provider: Provider | None, *, fixed: bool) -> Limits:
        """What a group of hosts bears; hosts that an override leads to set no rate."""
        if provider is not None:
            return provider.limits
        rate = 0 if fixed else self.messages_per_s * 60
        return Limits(self.connections_per_host, self.max_messages_per_connection, rate)


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


def check(config: MtaConfig) -> None:
    """Raises ConfigError for what could not work."""
    names = [config.hostname, *(source.ehlo for source in config.sources)]
    names += [config.return_path_domain] if config.return_path_domain else []
    for name in names:
        try:
            ascii_domain_of(name)
        except AddressError as error:
            raise ConfigError(f"host name {name!r}: {error.detail}") from error
    if min(config.connections_per_host, config.max_messages_per_connection, config.max_in_flight) < 1:
        raise ConfigError("the limits of connections and messages must be positive")
    if len({source.name for source in config.sources}) < len(config.sources) or len(config.sources) > MAX_SOURCES:
        raise ConfigError("sources must have names of their own, and not be too many")
    if any(source.weight < 1 for source in config.sources):
        raise ConfigError("the weight of a source must be positive")
    if bool(config.return_path_domain) != bool(config.return_path_secret):
        raise ConfigError("return paths need a domain and a secret")
