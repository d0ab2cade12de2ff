"""Every limit of the SMPP server, and what is known of an account beyond its key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from schemas.smpp.text import DefaultAlphabet

VENDOR_IDEMPOTENCY_TAG: Final = 0x1401
"""The default TLV that holds an idempotency key; 0x1400 to 0x3fff are the vendors' (SMPP 3.4 section 5.3.2)."""
MAX_SYSTEM_ID: Final = 32
"""Characters of a system_id that are looked at; the specification has 15 (5.2.1)."""


@dataclass(frozen=True, slots=True)
class AccountProfile:
    """How one tenant speaks SMPP.

    `default_alphabet` is what data_coding 0 means; `packed` says that its GSM text comes packed. `country_code` (digits)
    and `trunk_prefix` complete numbers of TON national; without a code they are refused. `submits_per_s` is zero for no
    limit but layer 3's. `idempotency_tag` names the TLV with the key, `reference_is_key` takes user_message_reference as
    one too. `vendor_statuses` answers refusals that share ESME_RSUBMITFAIL with codes of their own (0x400 and up).
    `networks` are CIDRs that may bind, empty for any.
    """

    default_alphabet: DefaultAlphabet = "gsm7"
    packed: bool = False
    country_code: str = ""
    trunk_prefix: str = "0"
    max_binds: int = 10
    window: int = 100
    submits_per_s: int = 0
    idempotency_tag: int = VENDOR_IDEMPOTENCY_TAG
    reference_is_key: bool = False
    vendor_statuses: bool = False
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The listener with TLS. `client_ca_file` makes a client certificate of that CA a condition of connecting."""

    certificate_file: str
    key_file: str
    port: int = 3550
    minimum: Literal["1.2", "1.3"] = "1.2"
    client_ca_file: str = ""


@dataclass(frozen=True, slots=True)
class SmppServerSettings:
    """Times in milliseconds. A port of zero is any free one; `profiles` is by tenant, `profile` for all the others.

    `receipts_to` says who may take a receipt: any receiver of the tenant, or only those of the same system_id.
    """

    host: str = "127.0.0.1"
    port: int = 2775
    tls: TlsSettings | None = None
    system_id: str = "hermes"
    profile: AccountProfile = AccountProfile()
    profiles: Mapping[str, AccountProfile] = field(default_factory=dict)
    receipts_to: Literal["tenant", "system_id"] = "tenant"
    networks: tuple[str, ...] = ()
    backlog: int = 1_024
    max_sessions: int = 2_000
    max_unbound_per_ip: int = 200
    max_unbound_pdus: int = 100
    max_failed_binds_per_ip: int = 20
    failed_binds_ms: int = 60_000
    max_in_flight: int = 10_000
    write_buffer_octets: int = 262_144
    session_init_ms: int = 30_000
    bind_timeout_ms: int = 10_000
    handshake_timeout_ms: int = 10_000
    refused_close_ms: int = 200
    partial_pdu_ms: int = 10_000
    enquire_link_ms: int = 30_000
    enquire_link_timeout_ms: int = 10_000
    inactivity_ms: int = 120_000
    write_stall_ms: int = 30_000
    answer_timeout_ms: int = 10_000
    unbind_timeout_ms: int = 5_000
    drain_ms: int = 30_000
    probe_ms: int = 2_000
    probe_silence_ms: int = 5_000
    tick_ms: int = 500
    parts_timeout_ms: int = 300_000
    parts_repeat_ms: int = 10_000
    max_parts_per_tenant: int = 5_000
    expire_every_ms: int = 1_000
    receipt_window: int = 10
    receipt_timeout_ms: int = 30_000
    receipt_poll_ms: int = 500
    receipt_retry_ms: int = 5_000
    receipt_retry_max_ms: int = 300_000
    keep_receipts_ms: int = 72 * 3600 * 1000

    def profile_of(self, tenant_id: str) -> AccountProfile:
        """What is known of a tenant."""
        return self.profiles.get(tenant_id, self.profile)
