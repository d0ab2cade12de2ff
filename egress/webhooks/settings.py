"""How callbacks are delivered."""

from dataclasses import dataclass

from egress.webhooks.schedule import DELAYS_MS


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """`allow_private` lets callbacks go to private addresses and over http: for one's own machine only.

    At most `in_flight` posts at once, `per_endpoint` of them to one endpoint, each `timeout_ms` long at most.
    """

    allow_private: bool = False
    delays_ms: tuple[int, ...] = DELAYS_MS
    in_flight: int = 256
    per_endpoint: int = 4
    timeout_ms: int = 15_000
    poll_ms: int = 500
