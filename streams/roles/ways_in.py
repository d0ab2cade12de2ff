"""SMPP and SMTP beside REST in a gateway: their servers over the same desk, and what they count."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from egress.mta import verp
from egress.mta.config import host_and_port
from egress.mta.lookup import DNS_PORT
from egress.mta.plain import text_of
from ingress.desk import PipelineDesk
from ingress.directory import PostgresDirectory
from ingress.publisher import RecordPublisher
from ingress.smpp.postgres_parts import PostgresParts
from ingress.smpp.postgres_receipts import PostgresReceipts
from ingress.smpp.server import SmppServer
from ingress.smpp.settings import SmppServerSettings, TlsSettings
from ingress.smpp.tls import server_context
from ingress.smtp.dns import DnsPython
from ingress.smtp.inbound_desk import InboundDesk
from ingress.smtp.server import SmtpServer
from ingress.smtp.services import Services as SmtpServices
from ingress.smtp.settings import SmtpServerSettings
from schemas.codec import Codec
from schemas.smpp.status import status_name
from schemas.unsubscribe import Unsubscribing
from streams.kafka import now_ms
from streams.metrics import Metrics
from streams.settings.mail import MtaSettings
from streams.settings.model import Settings
from tables.config import ConfigTable


@dataclass(frozen=True, slots=True)
class SmppCounts:
    """Implements `ingress.smpp.meter.SmppMeter`."""

    metrics: Metrics

    def sessions(self, bound: int, unbound: int) -> None:
        """How many sessions there are now."""
        self.metrics.set("hermes_gateway_smpp_sessions", bound, state="bound")
        self.metrics.set("hermes_gateway_smpp_sessions", unbound, state="unbound")

    def bind(self, status: int) -> None:
        """A bind was answered."""
        self.metrics.count("hermes_gateway_smpp_answers_total", command="bind", status=status_name(status))

    def answered(self, command_id: int, status: int, seconds: float) -> None:
        """A request was answered."""
        self.metrics.count("hermes_gateway_smpp_answers_total", command=f"{command_id:#x}", status=status_name(status))
        self.metrics.observe("hermes_gateway_answer_seconds", seconds, protocol="smpp")

    def receipt(self, result: str) -> None:
        """A deliver_sm was answered, or not."""
        self.metrics.count("hermes_gateway_smpp_receipts_total", result=result)

    def fault(self, what: str) -> None:
        """A peer did what it should not."""
        self.metrics.count("hermes_gateway_faults_total", protocol="smpp", what=what)


@dataclass(frozen=True, slots=True)
class SmtpCounts:
    """Implements `ingress.smtp.services.Meter`."""

    metrics: Metrics

    def session(self, outcome: str) -> None:
        """A session ended."""
        if outcome != "closed":
            self.metrics.count("hermes_gateway_faults_total", protocol="smtp", what=outcome)

    def login(self, outcome: str) -> None:
        """A login was answered."""
        if outcome != "ok":
            self.metrics.count("hermes_gateway_faults_total", protocol="smtp", what=f"login_{outcome}")

    def message(self, code: int, octets: int, seconds: float) -> None:  # noqa: ARG002 - the size is not counted
        """A message was answered."""
        self.metrics.count("hermes_gateway_smtp_messages_total", code=str(code))
        self.metrics.observe("hermes_gateway_answer_seconds", seconds, protocol="smtp")

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Show how many connections are open whenever the metrics are read."""
        self.metrics.watch("hermes_gateway_smtp_connections", count)


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What both servers stand on."""

    desk: PipelineDesk
    directory: PostgresDirectory
    table: ConfigTable
    codec: Codec
    pool: Any
    metrics: Metrics
    new_id: Callable[[], str]
    publisher: RecordPublisher
    links: Unsubscribing
    settings: Settings

    def tls(self, port: int) -> TlsSettings | None:
        """The listener with TLS on this port; None without a certificate."""
        chain, key = self.settings.gateway.tls_certificate_file, self.settings.gateway.tls_key_file
        return None if chain is None or key is None else TlsSettings(str(chain), str(key), port)

    def smpp(self, host: str, port: int, tls_port: int) -> SmppServer:
        """The SMPP server, not started."""
        return SmppServer(
            SmppServerSettings(host, port, tls=self.tls(tls_port)), self.desk, self.directory.resolve_smpp, self.table,
            PostgresReceipts(self.pool), PostgresParts(self.pool), self.codec, now_ms, self.new_id,
            SmppCounts(self.metrics),
        )  # fmt: skip

    def smtp(self, host: str, port: int, tls_port: int) -> SmtpServer:
        """The SMTP server, not started; it takes mail from outside when the settings say so."""
        mta, inbound, dns = self.settings.mta, None, None
        if self.settings.gateway.smtp_inbound:
            inbound = InboundDesk(self.publisher.publish, self.links, return_paths(mta), text_of, self.metrics.count)
            dns = DnsPython([host_and_port(server, DNS_PORT) for server in mta.nameservers] if mta is not None else ())
        services = SmtpServices(
            self.desk, self.directory.resolve_smtp, self.table, now_ms, self.new_id, SmtpCounts(self.metrics), inbound, dns,
        )  # fmt: skip
        wanted, tls = SmtpServerSettings(host, port), self.tls(tls_port)
        if tls is not None:
            wanted = replace(wanted, tls_port=tls_port, tls=server_context(tls))
        if mta is not None:
            wanted = replace(wanted, hostname=mta.hostname)
        return SmtpServer(wanted, services)


def return_paths(mta: MtaSettings | None) -> Callable[[str], tuple[str, int] | None]:
    """Which attempt an address names, when it is a return path that these settings make."""
    if mta is None or not mta.return_path_domain or mta.return_path_secret is None:
        return lambda _: None
    domain, secret = mta.return_path_domain.lower(), mta.return_path_secret.get_secret_value().encode()

    def named(address: str) -> tuple[str, int] | None:
        local, _, place = address.lower().rpartition("@")
        if place != domain or not local.startswith(verp.LOCAL_PREFIX):
            return None
        return verp.decode(local.removeprefix(verp.LOCAL_PREFIX), secret)

    return named
