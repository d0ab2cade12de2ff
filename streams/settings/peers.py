"""Settings of the peers: SMS carriers and the routes to them."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from domain.tenant import PathType
from egress.smpp.config import LongMessages
from schemas.smpp.text import DefaultAlphabet
from streams.settings.values import STRICT, Currency, DurationMs, ExistingFile, Micros, Name, Port, Prefix, Text

MAX_CARRIERS = 100
MAX_ROUTES = 5_000


class CarrierSettings(BaseModel):
    """An SMPP account at a carrier."""

    model_config = STRICT

    name: Name = Field(description="What routes and reports call the carrier.", examples=["telia"])
    host: Text = Field(description="Host name or address of its SMSC.", examples=["smpp.carrier.example"], min_length=1)
    port: Port = Field(default=2775, description="TCP port of its SMSC.")
    system_id: str = Field(description="Who we are there.", examples=["hermes"], min_length=1, max_length=15)
    password: SecretStr = Field(description="The password of the bind.", examples=["secret"], max_length=64)
    system_type: str = Field(
        default="", description="system_type of the bind, where the carrier wants one.", max_length=12
    )
    address_range: str = Field(default="", description="address_range of the bind.", max_length=40)
    binds: int = Field(default=1, description="Connections that are kept bound as transceiver.", ge=1, le=64)
    window: int = Field(default=10, description="Unanswered submit_sm on each bind.", ge=1, le=10_000)
    tps: int = Field(default=0, description="Segments a second over all binds, 0 for no limit.", ge=0, le=1_000_000)
    tls: bool = Field(default=False, description="Connect by TLS; the certificate is always verified.")
    tls_ca_file: ExistingFile | None = Field(
        default=None, description="Certificates (PEM) to trust instead of the system's.", examples=["carrier-ca.pem"]
    )
    enquire_link: DurationMs = Field(
        default=30_000, description="How often a silent bind is tried with enquire_link.", ge=1_000
    )
    response_timeout: DurationMs = Field(
        default=30_000, description="How long an answer to submit_sm may take.", ge=1_000
    )
    registered_delivery: int = Field(default=1, description="registered_delivery of each submit_sm.", ge=0, le=31)
    long_messages: LongMessages = Field(
        default="udh8", description="How a long text is split: udh8, udh16, sar or payload."
    )
    default_alphabet: DefaultAlphabet = Field(
        default="gsm7", description="What data_coding 0 means: gsm7, latin1 or ascii."
    )
    on_unknown: Literal["resend", "wait"] = Field(
        default="resend",
        description="What to do when a connection breaks before the answer: resend, or wait for the receipt.",
    )


class RouteSettings(BaseModel):
    """A way to reach numbers over a carrier. The longest prefix wins, then cost, health and capacity."""

    model_config = STRICT

    prefix: Prefix = Field(default="", description="Numbers that begin with this, as in +45; empty for every number.")
    carrier: Name = Field(description="The carrier's name, or sandbox for the simulated one.", examples=["telia"])
    price_micros: Micros = Field(
        description="What a tenant pays for a segment, in millionths of the currency's unit.", examples=[30_000]
    )
    cost_micros: Micros = Field(default=0, description="What the carrier takes for a segment.")
    currency: Currency = Field(default="EUR", description="The currency of both.")
    path: PathType = Field(default="direct", description="direct, aggregator or fallback: tried in this order.")
