"""The whole file: its tables, and what has to hold between them."""

from pydantic import BaseModel, Field

from streams.settings.mail import MtaSettings
from streams.settings.peers import MAX_CARRIERS, MAX_ROUTES, CarrierSettings, RouteSettings
from streams.settings.tenants import MAX_TENANTS, TenantSettings
from streams.settings.values import STRICT, DurationMs, ExistingFile, Port, Text, Url

MAX_PARTITIONS = 256


class GatewaySettings(BaseModel):
    """The ways in. A port that is not named is the default if it is free; 0 takes a free one and remembers it."""

    model_config = STRICT

    host: Text = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: Port = Field(default=8080, description="REST and /metrics.")
    smpp_port: Port = Field(default=2775, description="SMPP 3.4 for ESMEs.")
    smtp_port: Port = Field(default=2525, description="SMTP submission.")
    smpp_tls_port: Port = Field(default=3550, description="SMPP over TLS, when there is a certificate.")
    smtp_tls_port: Port = Field(default=2465, description="SMTP over TLS; with a certificate smtp_port has STARTTLS.")
    tls_certificate_file: ExistingFile | None = Field(
        default=None,
        description="Certificate and its chain for SMPP and SMTP, PEM; with tls_key_file.",
        examples=["tls.pem"],
    )
    tls_key_file: ExistingFile | None = Field(default=None, description="Its key, PEM.", examples=["tls.key"])
    smtp_inbound: bool = Field(
        default=False, description="Take mail for tenants' domains and return paths, checked by SPF, DKIM and DMARC."
    )
    public_url: Url = Field(default="", description="How clients reach REST, empty for http://host:port.")


class PipelineSettings(BaseModel):
    """Admission, cascade and routing."""

    model_config = STRICT

    partitions: int = Field(
        default=2, description="Partitions of the keyed topics; fixed once they exist.", ge=1, le=MAX_PARTITIONS
    )
    replication: int = Field(default=1, description="Replicas of each topic; production has 3.", ge=1, le=7)
    keep_final: DurationMs = Field(
        default=3_600_000, description="How long a final message stays in the live table.", ge=1_000
    )
    keep_answers: DurationMs = Field(
        default=86_400_000, description="How long an idempotency key is remembered.", ge=60_000
    )
    metrics_port: Port = Field(default=0, description="/metrics of the pipeline.")


class EgressSettings(BaseModel):
    """The ways out."""

    model_config = STRICT

    metrics_port: Port = Field(default=0, description="/metrics of the egress.")
    webhooks_allow_private: bool = Field(
        default=False, description="Let callbacks go to private addresses and over http; the sandbox does."
    )


class ArchiveSettings(BaseModel):
    """The archive in PostgreSQL."""

    model_config = STRICT

    metrics_port: Port = Field(default=0, description="/metrics of the archive.")


class InsightSettings(BaseModel):
    """The windows over the usage topic."""

    model_config = STRICT

    port: Port = Field(default=0, description="Queries and /metrics.")


class Settings(BaseModel):
    """All settings. A file that names no carriers, routes and mta runs on simulated peers."""

    model_config = STRICT

    gateway: GatewaySettings = Field(default=GatewaySettings(), description="The ways in.")
    pipeline: PipelineSettings = Field(default=PipelineSettings(), description="Admission, cascade and routing.")
    egress: EgressSettings = Field(default=EgressSettings(), description="The ways out.")
    archive: ArchiveSettings = Field(default=ArchiveSettings(), description="The archive in PostgreSQL.")
    insight: InsightSettings = Field(default=InsightSettings(), description="The windows over the usage topic.")
    carriers: tuple[CarrierSettings, ...] = Field(default=(), description="SMS carriers.", max_length=MAX_CARRIERS)
    routes: tuple[RouteSettings, ...] = Field(
        default=(), description="Routes: longest prefix, then cost, health, capacity.", max_length=MAX_ROUTES
    )
    mta: MtaSettings | None = Field(default=None, description="The mail way out; no mail without it.")
    tenants: tuple[TenantSettings, ...] = Field(
        default=(), description="Customers; none: a demo tenant a tier.", max_length=MAX_TENANTS
    )

    @property
    def simulated(self) -> bool:
        """Whether live keys reach simulated peers only."""
        return not self.carriers and not self.routes and self.mta is None
