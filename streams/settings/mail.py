"""Settings of the mail way out: who we are, how much each receiving provider bears, TLS, keys, return paths."""

from pydantic import BaseModel, Field, SecretStr

from egress.mta.posture import TlsPolicy
from egress.mta.providers import MAX_PROVIDERS
from egress.mta.sources import MAX_SOURCES
from streams.settings.values import STRICT, Currency, DurationMs, ExistingFile, Micros, Name, Port, Text

MAX_DKIM_KEYS = 1_000
MAX_MX = 10_000
MAX_SUFFIXES = 20


class DkimSettings(BaseModel):
    """A key that mail is signed with (RFC 6376)."""

    model_config = STRICT

    domain: Text = Field(description="The domain of From that it signs for.", examples=["tenant.example"])
    selector: Text = Field(description="Where its public half is: selector._domainkey.domain.", examples=["s1"])
    private_key_file: ExistingFile = Field(description="RSA or Ed25519 key, PEM, no passphrase.", examples=["s1.pem"])


class SourceSettings(BaseModel):
    """An address that mail leaves from."""

    model_config = STRICT

    name: Name = Field(description="What logs call it.", examples=["out1"])
    address: Text = Field(description="Local address to bind.", examples=["192.0.2.1"], min_length=2)
    hostname: Text = Field(description="The name in EHLO; its PTR should be the same.", examples=["out1.example.net"])
    weight: int = Field(default=1, description="Its share of the messages.", ge=1, le=1_000)


class ProviderSettings(BaseModel):
    """A receiving provider that is known by its mail hosts. These come before those that Hermes knows."""

    model_config = STRICT

    name: Name = Field(description="What logs call it.", examples=["big-mail"])
    mx_suffixes: tuple[Text, ...] = Field(
        description="How the names of its hosts end.",
        examples=[[".mx.example.org"]],
        min_length=1,
        max_length=MAX_SUFFIXES,
    )
    connections: int = Field(default=10, description="Connections from a source at once.", ge=1, le=1_000)
    mails_per_connection: int = Field(default=100, description="Mails on each connection.", ge=1, le=10_000)
    per_minute: int = Field(default=0, description="Mails in a minute, 0 for no limit.", ge=0, le=10_000_000)
    split: bool = Field(default=False, description="Each set of its hosts has these limits for itself.")
    needs_tls: bool = Field(default=False, description="Never send to it without TLS.")


class MtaSettings(BaseModel):
    """The mail way out."""

    model_config = STRICT

    hostname: Text = Field(description="Our name in EHLO; its DNS should lead here.", examples=["mta1.example.net"])
    mx: dict[str, Text] = Field(
        default={},
        description='In place of MX records, as in { "example.org" = "127.0.0.1:2526" }; "*" is every other domain.',
        max_length=MAX_MX,
    )
    dkim: tuple[DkimSettings, ...] = Field(default=(), description="The keys.", max_length=MAX_DKIM_KEYS)
    platform_domain: Text = Field(
        default="", description="A domain of dkim that signs every mail besides the tenant's."
    )
    return_path_domain: Text = Field(
        default="", description="Where bounces go: its MX leads to our SMTP port. Empty: to the sender."
    )
    return_path_secret: SecretStr | None = Field(
        default=None, description="Proves return paths; keep it.", examples=["a long random text"], min_length=16
    )
    sources: tuple[SourceSettings, ...] = Field(
        default=(), description="Addresses to send from, in place of source_address.", max_length=MAX_SOURCES
    )
    providers: tuple[ProviderSettings, ...] = Field(
        default=(), description="Limits of receiving providers.", max_length=MAX_PROVIDERS
    )
    tls: dict[str, TlsPolicy] = Field(
        default={},
        description='Recipient domain (or "*") to none, opportunistic, encrypt or verify.',
        max_length=MAX_MX,
    )
    tls_ca_file: ExistingFile | None = Field(
        default=None, description="Certificates (PEM) to trust instead of the system's.", examples=["mail-ca.pem"]
    )
    mta_sts: bool = Field(default=True, description="Keep to the MTA-STS policies of domains (RFC 8461).")
    dane: bool = Field(
        default=False,
        description="Keep to TLSA records (RFC 7672); needs nameservers that validate DNSSEC, on a safe path.",
    )
    source_address: Text = Field(default="", description="Local address of outgoing connections, empty for any.")
    nameservers: tuple[Text, ...] = Field(default=(), description="DNS servers, none for the system's.", max_length=8)
    mx_allow_private: bool = Field(default=False, description="Let MX records lead to private addresses.")
    smtp_port: Port = Field(default=25, description="The port of MX hosts.")
    connections_per_host: int = Field(default=10, description="Connections to one site at once.", ge=1, le=1_000)
    messages_per_s: int = Field(
        default=100, description="Mails a second to one site, 0 for no limit.", ge=0, le=100_000
    )
    max_in_flight: int = Field(default=1_000, description="Mails under way at once.", ge=1, le=100_000)
    retry_first: DurationMs = Field(
        default=120_000, description="The wait after the first failure for now; it doubles.", ge=1_000
    )
    retry_most: DurationMs = Field(default=14_400_000, description="The longest wait between two tries.", ge=1_000)
    price_micros: Micros = Field(default=1_000, description="What a tenant pays for a mail, in millionths.")
    cost_micros: Micros = Field(default=0, description="What a mail costs us.")
    currency: Currency = Field(default="EUR", description="The currency of both.")
