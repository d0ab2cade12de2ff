"""What is known of a carrier: where it is, who we are there, and what it takes."""

from dataclasses import dataclass, field
from typing import Literal

from schemas.smpp.text import DefaultAlphabet

LongMessages = Literal["udh8", "udh16", "sar", "payload"]
SourceTon = Literal["auto"] | int


@dataclass(frozen=True, slots=True)
class CarrierConfig:
    """One SMPP account. Times are milliseconds; `tps` counts segments a second over all binds, zero for no limit.

    `window` is the number of unanswered submit_sm on each bind. `default_alphabet` is what data_coding 0 means at this
    carrier. `tls_ca` is a file of certificates to trust instead of the system's; with `tls` the peer is always verified.
    """

    name: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    address_range: str = ""
    binds: int = 1
    window: int = 10
    tps: int = 0
    tls: bool = False
    tls_ca: str = ""
    enquire_link_ms: int = 30_000
    enquire_link_timeout_ms: int = 10_000
    response_timeout_ms: int = 30_000
    connect_timeout_ms: int = 10_000
    bind_timeout_ms: int = 30_000
    partial_pdu_ms: int = 10_000
    unbind_timeout_ms: int = 5_000
    credentials_retry_ms: int = 60_000
    session_retry_ms: int = 30_000
    stable_after_ms: int = 60_000
    registered_delivery: int = 1
    long_messages: LongMessages = "udh8"
    source_ton: SourceTon = "auto"
    default_alphabet: DefaultAlphabet = "gsm7"
    queue_limit: int = 10_000
    receipt_queue_limit: int = 2_000
    receipt_timeout_ms: int = 10_000

    def __post_init__(self) -> None:
        """Raise ValueError for what could never work, so that it is seen at start and not at the first bind."""
        for text in (self.system_id, self.password, self.system_type, self.address_range):
            if "\0" in text or not text.isascii():
                raise ValueError("a bind field of an SMPP carrier holds a character that is not ASCII, or a NUL")
        if min(self.binds, self.window, self.queue_limit, self.receipt_queue_limit) < 1:
            raise ValueError("binds, window and queues of an SMPP carrier are at least 1")
